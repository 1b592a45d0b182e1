"""Models that answer: loaded here or behind an endpoint, each document read once for all questions about it."""
