"""What a recipe's bfloat16 is computed in, where a CPU has no kernels for it."""

import logging
from functools import cache
from typing import TypeVar

import torch

from train.recipe import Dtype, TrainingParams

SectionT = TypeVar("SectionT", bound=TrainingParams)

log = logging.getLogger(__name__)


def choose_dtype(dtype: Dtype) -> Dtype:
    """Return float32 for a bfloat16 that this machine would emulate, else the same.

    It holds every bfloat16 exactly, and takes twice the memory. Emulated, a step of training takes many times as long:
    on CPUs with AVX2 alone, oneDNN has no bfloat16.
    """
    if dtype == "bfloat16" and not has_bfloat16():
        warn_float32_once()
        return "float32"
    return dtype


def with_dtype_here(params: SectionT) -> SectionT:
    """Return a section of a recipe with the dtype that this machine computes it in."""
    return params.model_copy(update={"dtype": choose_dtype(params.dtype)})


def has_bfloat16() -> bool:
    """Tell whether a GPU computes, whose own check is another, or a CPU with kernels for bfloat16."""
    if torch.cuda.is_available():
        return True
    is_there: bool = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # type: ignore[no-untyped-call]
    return is_there


@cache
def warn_float32_once() -> None:
    """Say once what is not as the recipe has it."""
    log.warning("this CPU has no bfloat16: what is in bfloat16 is computed in float32")
