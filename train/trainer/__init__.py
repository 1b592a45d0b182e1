"""Models, configurations and loops of training: loss, LoRA, precision, checkpoints."""
