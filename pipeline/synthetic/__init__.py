"""The sample corpus: books, papers, filings and outlooks whose facts are known."""
