"""Replace bfloat16 by float32 on CPUs without bfloat16 kernels."""

import logging
from functools import cache
from typing import TypeVar

import torch

from train.recipe import Dtype, TrainingParams

SectionT = TypeVar("SectionT", bound=TrainingParams)

log = logging.getLogger(__name__)


def choose_dtype(dtype: Dtype) -> Dtype:
    """Return the dtype to compute in: float32 for bfloat16 that this machine would emulate, otherwise `dtype`.

    float32 represents every bfloat16 exactly and takes twice the memory. Emulated bfloat16 makes a training step many
    times slower; on a CPU with AVX-512 without BF16 a matrix product of 512 x 576 x 1,536 takes 4.8 times as long,
    although oneDNN calls that supported.
    """
    if dtype == "bfloat16" and not has_bfloat16():
        warn_float32_once()
        return "float32"
    return dtype


def with_dtype_here(params: SectionT) -> SectionT:
    """Return a recipe's section with the dtype that this machine computes in."""
    return params.model_copy(update={"dtype": choose_dtype(params.dtype)})


def has_bfloat16() -> bool:
    """Whether a GPU computes, which `train.trainer.preflight` checks, or a CPU with instructions for bfloat16."""
    if torch.cuda.is_available():
        return True
    found = torch.cpu.get_capabilities()
    if found["architecture"] == "x86_64":
        return bool(found["avx512_bf16"] or found["amx_bf16"])
    is_there: bool = torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()  # type: ignore[no-untyped-call]
    return is_there


@cache
def warn_float32_once() -> None:
    """Warn once that float32 replaces the recipe's bfloat16."""
    log.warning("this CPU has no bfloat16: what is in bfloat16 is computed in float32")
