"""Memory and FLOPs of a training step, without a GPU."""
