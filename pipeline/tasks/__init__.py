"""Kinds of questions, one module each; `task.py` says what a task is."""
