"""PDF: lines, columns, headings, tables, notes, hidden text, OCR."""
