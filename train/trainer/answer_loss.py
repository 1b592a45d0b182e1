"""The loss of the answers on held-out documents, before and after training, with full attention."""

import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from pipeline.files import write_json
from train.recipe import TrainingParams
from train.trainer.checkpoints import CheckpointTrainer
from train.trainer.loss import sum_token_losses


class AnswerLoss(TrainerCallback):  # type: ignore[misc]
    """Measures the mean negative log-likelihood of an answer token of the test rows, in nats.

    All processes take part, with the model sharded as it is in training. The measurement before the first step is kept
    on disk, so it survives an interruption.
    """

    def __init__(self, trainer: CheckpointTrainer, params: TrainingParams) -> None:
        """Keep the trainer and its recipe."""
        self.trainer = trainer
        self.params = params
        self.before: float | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002 - transformers names them
        """Measure before the first step; a resumed run reads what was measured then."""
        folder = Path(args.output_dir)
        if state.global_step == 0:
            self.before = self.measure()
        elif (file := folder / f"before-{self.trainer.resumed_run.short_id}.json").is_file():
            self.before = json.loads(file.read_text(encoding="utf-8"))["answer_nll"]
        if self.params.save_steps and state.is_world_process_zero:
            write_json(folder / f"before-{self.trainer.run.short_id}.json", {"answer_nll": self.before})

    def measure(self) -> float | None:
        """Return the mean over all test rows, None if there is none."""
        trainer = self.trainer
        if not trainer.eval_dataset:
            return None
        trainer.model_wrapped.eval()
        total, num_labels = 0.0, 0
        for row in trainer.eval_dataset:
            ids_BT, labels_BT = (
                torch.tensor([row[key]], device=trainer.accelerator.device) for key in ("input_ids", "labels")
            )
            with torch.no_grad(), autocast(ids_BT.device.type, self.params):
                loss, num = self.loss_of_row(ids_BT, labels_BT)
            total, num_labels = total + loss, num_labels + num
        return total / num_labels

    def loss_of_row(self, ids_BT: torch.Tensor, labels_BT: torch.Tensor) -> tuple[float, int]:
        """Return the summed loss of a row and the number of its tokens with a label."""
        if self.trainer.is_alone_on_cpu(ids_BT):
            loss, num = sum_token_losses(self.trainer.model, {"input_ids": ids_BT}, labels_BT)
            return loss.item(), num
        outputs = self.trainer.model_wrapped(input_ids=ids_BT, labels=labels_BT, use_cache=False, fused_lm_head=True)
        return -outputs.log_probs.sum().item(), int(outputs.label_mask.sum())


def autocast(device_type: str, params: TrainingParams) -> AbstractContextManager[Any]:
    """Compute in the recipe's dtype, as the trainer does."""
    dtype = getattr(torch, params.dtype)
    return torch.autocast(device_type, dtype=dtype, enabled=dtype != torch.float32)
