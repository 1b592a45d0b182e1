"""What `longalpaca bench` measures of training, one file a benchmark."""
