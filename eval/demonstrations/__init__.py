"""What the original's announcement showed, each with an automatic check; one module for each, found by themselves."""
