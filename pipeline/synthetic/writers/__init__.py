"""Writers of the sample corpus: PDF, EPUB, HTML, inline XBRL."""
