"""Training rows: packed documents, chat templates, the cache of tokens."""
