"""Keep libraries to what a person wants to see: progress on a terminal, and no chatter."""

import logging
import sys
import warnings

import datasets
import transformers

RENAMED = ".*gradient_checkpointing.* is deprecated"  # PEFT and TRL still say it by transformers' old name


def quiet_libraries() -> None:
    """Show progress bars only on a terminal, and none of the libraries' advice to each other."""
    transformers.utils.logging.set_verbosity_error()
    logging.getLogger("trl").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", RENAMED, FutureWarning)
    if not sys.stderr.isatty():
        transformers.utils.logging.disable_progress_bar()
        datasets.disable_progress_bars()
