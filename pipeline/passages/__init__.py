"""Parsed documents: sentences, tables, tagged figures, peer reviews, groups of documents, quotes."""
