"""Rows and files of the dataset: sampling, windows, prompts, editions, card, preview, Hub."""
