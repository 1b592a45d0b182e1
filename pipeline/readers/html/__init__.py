"""HTML, EPUB and inline XBRL."""
