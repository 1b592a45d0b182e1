"""Load a model for evaluation, and score tokens without the logits of a whole text in memory.

Evaluation always uses full attention: S2-Attn is for training (LongLoRA, arXiv 2309.12307, section 3.2).

Shapes: B batch, T tokens, S scored tokens, N tokens of all rows, D hidden size, V vocabulary.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pipeline.errors import InputError
from train.recipe import Dtype
from train.trainer.head import compute_hidden_states, predict_logits
from train.trainer.precision import choose_dtype
from train.trainer.quiet import quiet_libraries

TOKENS_PER_CHUNK = 1_024  # whose logits are in memory at once: 200 MB in float32 for a vocabulary of 49k


def load_model(folder: Path, dtype: Dtype) -> Any:
    """Return a model in evaluation mode with full attention, on the GPU if there is one.

    On CPUs without bfloat16 it computes in float32.

    Raises:
        InputError: The folder holds no model.
    """
    require_model(folder)
    quiet_libraries()
    dtype_here = getattr(torch, choose_dtype(dtype))
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype_here, attn_implementation="sdpa")
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


def load_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in a model's folder.

    Raises:
        InputError: The folder holds no model.
    """
    require_model(folder)
    return AutoTokenizer.from_pretrained(folder)


def require_model(folder: Path) -> None:
    """Raise an InputError if a folder holds no model."""
    if not (folder / "config.json").is_file():
        raise InputError(
            folder,
            found="no config.json",
            expected="a model as save_pretrained writes it",
            fix="Run the stage that makes it: 'dvc repro' runs what is missing.",
        )


@torch.no_grad()
def score_tokens(
    model: Any, input_ids_BT: torch.Tensor, num_last: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Score tokens by the model's prediction from all before each of them.

    Args:
        model: A causal language model.
        input_ids_BT: The tokens, without padding.
        num_last: How many tokens at the end are scored, S; None for all but the first.

    Returns:
        The negative log-likelihood in nats, float32 of shape (B, S), and whether the token was the most likely one,
        bool of shape (B, S). Both are on the CPU.

    Raises:
        InputError: A loss is not finite.
    """
    losses, hits = [], []
    for logits_BTV, targets_BT in iterate_logits(model, input_ids_BT, num_last):
        losses.append(compute_losses(logits_BTV, targets_BT))
        hits.append(logits_BTV.argmax(dim=-1) == targets_BT)
    losses_BS = torch.cat(losses, dim=1).cpu()
    require_finite(model, losses_BS)
    return losses_BS, torch.cat(hits, dim=1).cpu()


@torch.no_grad()
def score_losses(model: Any, input_ids_BT: torch.Tensor, num_last: int | None = None) -> torch.Tensor:
    """Return the losses of `score_tokens` alone, without a search for the most likely token.

    Raises:
        InputError: A loss is not finite.
    """
    chunks = iterate_logits(model, input_ids_BT, num_last)
    losses_BS = torch.cat([compute_losses(*chunk) for chunk in chunks], dim=1).cpu()
    require_finite(model, losses_BS)
    return losses_BS


def require_finite(model: Any, losses: torch.Tensor) -> None:
    """Raise an InputError if a model gives a token a loss that is no number, or an infinite one."""
    if num_bad := int((~losses.isfinite()).sum()):
        raise InputError(
            model.name_or_path,
            found=f"a loss that is not finite, of {num_bad} of {losses.numel()} tokens",
            expected="a model that gives every token a probability",
            fix="Train it again, with a lower learning rate for instance, or measure in float32.",
        )


def iterate_logits(
    model: Any, input_ids_BT: torch.Tensor, num_last: int | None
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield the logits (B, T, V) in float32 of one chunk of scored tokens after another, and the tokens (B, T)."""
    input_ids_BT = input_ids_BT.to(model.device)
    num_scored = input_ids_BT.shape[1] - 1 if num_last is None else num_last
    hidden_BSD = compute_hidden_states(model, input_ids=input_ids_BT)[:, -num_scored - 1 : -1]
    scored_BS = input_ids_BT[:, -num_scored:]
    for start in range(0, num_scored, TOKENS_PER_CHUNK):
        hidden_BTD = hidden_BSD[:, start : start + TOKENS_PER_CHUNK]
        logits_NV = predict_logits(model, hidden_BTD.flatten(0, 1)).float()
        yield logits_NV.view(*hidden_BTD.shape[:2], -1), scored_BS[:, start : start + TOKENS_PER_CHUNK]


def compute_losses(logits_BTV: torch.Tensor, targets_BT: torch.Tensor) -> torch.Tensor:
    """Return the negative log-likelihood of each token, in nats.

    Logits are flattened rather than transposed, which takes a quarter of the time with a large vocabulary on a CPU.
    """
    losses_N = torch.nn.functional.cross_entropy(logits_BTV.flatten(0, 1), targets_BT.flatten(), reduction="none")
    return losses_N.view(targets_BT.shape)
