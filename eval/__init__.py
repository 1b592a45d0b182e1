"""From a model to evidence: measures, statistics, the report."""
