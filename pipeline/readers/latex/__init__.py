"""LaTeX sources, alone or in an archive."""
