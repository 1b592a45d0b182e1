"""Finders, one file for each place where documents come from."""
