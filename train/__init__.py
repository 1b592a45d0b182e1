"""From the dataset to a model."""

import logging
import os

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it warns at import that a CPU kernel is missing
# Both are read when torch is imported: huge pages, for `train.trainer.activations`; and threads that sleep while they
# wait for each other, so that a training step beside another busy process does not take many times as long.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
