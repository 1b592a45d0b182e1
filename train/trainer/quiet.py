"""Silence libraries: progress bars on a terminal only, and no advice."""

import logging
import sys
import warnings

import datasets
import transformers

RENAMED = ".*gradient_checkpointing.* is deprecated"  # PEFT and TRL still use transformers' old name


def quiet_libraries() -> None:
    """Show progress bars on a terminal only, and hide the libraries' warnings to developers."""
    transformers.utils.logging.set_verbosity_error()
    logging.getLogger("trl").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", RENAMED, FutureWarning)
    if not sys.stderr.isatty():
        transformers.utils.logging.disable_progress_bar()
        datasets.disable_progress_bars()
