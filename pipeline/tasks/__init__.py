"""Kinds of questions. Each module has `VERSION`, `CATEGORIES` and `candidates(passages)`, which yields examples."""
