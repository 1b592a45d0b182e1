"""What a model is asked about examples that are written: the judge and the probes."""
