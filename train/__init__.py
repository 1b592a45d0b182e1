"""From the dataset to a model."""

import logging
import os

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # says at its import that a kernel for CPUs is not there
os.environ.setdefault(
    "THP_MEM_ALLOC_ENABLE", "1"
)  # huge pages, for `train.trainer.activations`: torch asks while others import it
