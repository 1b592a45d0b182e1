"""What `longalpaca bench` measures of the pipeline, one file a benchmark."""
