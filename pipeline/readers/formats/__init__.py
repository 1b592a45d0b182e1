"""Formats that can be read, one file each; their parsers are in sibling packages."""
