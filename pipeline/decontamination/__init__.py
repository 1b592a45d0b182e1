"""Word n-grams, their index, evaluation sets."""
