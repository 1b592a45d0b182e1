"""What benchmarks of reading compare with: places of words, tagged figures, pictures of pages, sources of tables."""
