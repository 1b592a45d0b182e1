"""Records on disk: Parquet schemas, a store of documents, writers of rows."""
