"""From the dataset to a model."""

import logging

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # says at its import that a kernel for CPUs is not there
