"""From documents to a dataset: the stages, and what they share."""
