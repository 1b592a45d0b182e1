"""Readers of file formats, and the sandbox that they run in."""
