"""Tokenizers, and token counts of documents and their parts."""
