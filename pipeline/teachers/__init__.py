"""Who writes the examples: rules on the text itself, the default, or a model behind an endpoint."""
