"""From the dataset to a model."""

import logging
import os

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns at import that a CPU kernel is missing
os.environ.setdefault(
    "THP_MEM_ALLOC_ENABLE", "1"
)  # huge pages, for `train.trainer.activations`; torch reads this when it is imported
