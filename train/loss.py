"""The loss of next tokens, with logits only where there is a label and only a chunk of them at a time.

Shape suffixes: B rows, T tokens of a row, M model width, N tokens with a label.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

from contextlib import AbstractContextManager
from typing import Any

import datasets
import torch
from peft import PeftModel
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from trl import SFTTrainer

from train.recipe import TrainingParams

IGNORED = -100  # the label of a token that is not learned
LOSS_CHUNK = 512  # tokens whose logits are in memory at once: 100 MB in float32 for a vocabulary of 49,152


class LongTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer, with the loss below where it runs on one CPU.

    TRL's own avoids full logits too, but without a GPU it projects every token of the prompt, in many small steps; with
    an answer behind a document that is more than half of the time.
    """

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:
        """Return the mean loss of the labelled tokens, of all batches of a step together."""
        if self.accelerator.num_processes > 1 or inputs["labels"].device.type != "cpu":
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        labels_BT = inputs.pop("labels")
        with self.accelerator.autocast():
            loss, num_labels = loss_of(model, inputs, labels_BT)
        loss = loss / (num_labels if num_items_in_batch is None else num_items_in_batch)
        return (loss, {}) if return_outputs else loss


def loss_of(model: torch.nn.Module, inputs: dict[str, Any], labels_BT: Tensor) -> tuple[Tensor, int]:
    """Return the summed loss of the labelled tokens, and how many there are."""
    base: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    hidden_BTM = base.base_model(**inputs, use_cache=False).last_hidden_state
    is_labelled_BT = labels_BT[:, 1:] != IGNORED
    hidden_NM = hidden_BTM[:, :-1][is_labelled_BT]
    labels_N = labels_BT[:, 1:][is_labelled_BT]
    head = base.get_output_embeddings()
    parts = [
        checkpoint(chunk_loss, head, hidden, labels, use_reentrant=False)
        for hidden, labels in zip(torch.split(hidden_NM, LOSS_CHUNK), torch.split(labels_N, LOSS_CHUNK), strict=True)
    ]
    return torch.stack(parts).sum(), len(labels_N)


def chunk_loss(head: torch.nn.Module, hidden_NM: Tensor, labels_N: Tensor) -> Tensor:
    """Return the summed loss of some tokens."""
    return cross_entropy(head(hidden_NM).float(), labels_N, reduction="sum")


def answer_nll(model: PeftModel, rows: datasets.Dataset, params: TrainingParams) -> float:
    """Return the mean negative log-likelihood of a labelled token, in nats, with full attention."""
    model.eval()
    total, num_labels = 0.0, 0
    for row in rows:
        ids_BT, labels_BT = (torch.tensor([row[key]], device=model.device) for key in ("input_ids", "labels"))
        with torch.no_grad(), autocast(model.device.type, params):
            loss, num = loss_of(model, {"input_ids": ids_BT}, labels_BT)
        total, num_labels = total + loss.item(), num_labels + num
    return total / num_labels


def autocast(device_type: str, params: TrainingParams) -> AbstractContextManager[Any]:
    """Compute in the recipe's dtype, as the trainer does."""
    dtype = getattr(torch, params.dtype)
    return torch.autocast(device_type, dtype=dtype, enabled=dtype != torch.float32)
