"""Tasks, the ways to ask about a document: a module each, found by itself; `task.py` says what a task is."""
