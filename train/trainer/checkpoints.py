"""Atomic checkpoints, and training that resumes from the newest one as if it had never stopped.

A checkpoint is written to a temporary folder, flushed, sealed by a manifest with the sha256 of each of its files, and
renamed. Training resumes from it only if every file matches the manifest and it belongs to the same run; which that is
says `train.trainer.run_identity`. Any other is skipped with a line that says why, and never changed or removed.

Checkpoints are beside the stage's output, in `OUT.checkpoints`, because DVC empties the output before it runs a stage.
Those of a run are removed when it has finished.
"""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import DistributedType
from peft import PeftModel
from safetensors import SafetensorError
from torch.distributed.tensor import DTensor
from transformers import Trainer

from pipeline.errors import InputError
from pipeline.files import hash_file, remove, replacing, sync_tree, write_json
from train.data.token_cache import discard_rows
from train.recipe import TrainingParams
from train.trainer.lora import save_adapter
from train.trainer.loss import LongTrainer
from train.trainer.run_identity import Run, check_shapes, describe_run, list_differences

MANIFEST = "manifest.json"
NAME = re.compile(r"checkpoint-(\d+)(-[0-9a-f]{8})?")  # with the start of its run's id, if another run has that name
TORCH_CANNOT_WRITE = ("inline_container", "iostream", "PytorchStreamWriter")  # torch.save has no error of its own

log = logging.getLogger(__name__)


class CheckpointTrainer(LongTrainer):
    """A trainer that writes checkpoints atomically and keeps the newest few of its own run."""

    run: Run = Run("", {}, {})  # what is trained on what, set before training starts
    resumed_run: Run = run  # whose checkpoint training started from; another one only with --resume-anyway
    num_kept: int = 1
    beside: Path | None = None  # where a checkpoint is being written

    def _get_output_dir(self, trial: Any) -> str:
        """Return the folder in which transformers makes the folder of a checkpoint."""
        return str(super()._get_output_dir(trial) if self.beside is None else self.beside)

    def _save_checkpoint(self, model: torch.nn.Module, trial: Any) -> None:
        """Write a checkpoint; every process does, and the first one seals it."""
        folder = Path(self.args.output_dir)
        with (
            explain_write_errors(folder, self.state.global_step),
            self.writing_beside(folder / f".{self.state.global_step}-{self.run.short_id}.tmp"),
        ):
            Trainer._save_checkpoint(self, model, trial)  # TRL's own adds a card to each
            self.accelerator.wait_for_everyone()
            if self.accelerator.is_main_process and self.beside is not None:
                seal(self.beside / f"checkpoint-{self.state.global_step}", folder, self.run)
                remove_old_checkpoints(folder, self.run, self.num_kept)
            self.accelerator.wait_for_everyone()

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write what is trained and nothing else, gathered from all processes; the first one writes.

        PEFT would add whole embeddings beside low-rank updates of them.
        """
        folder = Path(output_dir or self.args.output_dir)
        model = self.accelerator.unwrap_model(self.model)
        state = gather_weights(self)
        if self.args.should_save:
            folder.mkdir(parents=True, exist_ok=True)
            if isinstance(model, PeftModel):
                save_adapter(model, folder, state)
            else:
                model.save_pretrained(folder, state_dict=state)

    @contextmanager
    def writing_beside(self, folder: Path) -> Iterator[None]:
        """Write to a folder that is empty at first and gone at the end."""
        if self.accelerator.is_main_process:
            remove(folder)
        self.accelerator.wait_for_everyone()
        self.beside = folder
        try:
            yield
        finally:
            self.beside = None
            if self.accelerator.is_main_process:
                remove(folder)


def gather_weights(trainer: Trainer) -> dict[str, Any] | None:
    """Return the full weights on the first process. If every process has them anyway, return None."""
    kind, is_main = trainer.accelerator.distributed_type, trainer.accelerator.is_main_process
    if kind == DistributedType.DEEPSPEED:
        state: dict[str, Any] = trainer.accelerator.get_state_dict(trainer.model_wrapped)
        return state
    if kind != DistributedType.FSDP:
        return None
    whole = {}
    for name, value in trainer.model.state_dict().items():
        content = value.full_tensor() if isinstance(value, DTensor) else value  # every process takes part
        if is_main:
            whole[name] = content.cpu()
    return whole


@contextmanager
def explain_write_errors(folder: Path, step: int) -> Iterator[None]:
    """Turn a failed write into an InputError.

    Raises:
        InputError: The checkpoint cannot be written; earlier ones are as they were.
    """
    try:
        yield
    except (OSError, SafetensorError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(word in str(error) for word in TORCH_CANNOT_WRITE):
            raise
        before = [path.name for path in list_checkpoints(folder)]
        raise InputError(
            folder,
            found=f"no way to write the checkpoint of step {step} ({' '.join(str(error).split())[:200]})",
            expected="room for it",
            fix=f"Make room and run the stage again: it goes on from {before[0] if before else 'the start'}.",
        ) from error


def seal(checkpoint: Path, folder: Path, run: Run) -> None:
    """Write the manifest of a complete checkpoint, then rename the checkpoint into place."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(checkpoint)): hash_file(path) for path in files}
    sync_tree(checkpoint)
    write_json(
        checkpoint / MANIFEST, {"files": hashes, "identity": run.identity, "run": run.id, "setting": run.setting}
    )
    place = folder / checkpoint.name
    if place.exists() and not belongs_to(place, run):
        place = folder / f"{checkpoint.name}-{run.short_id}"
    with replacing(place) as beside:
        checkpoint.rename(beside)


def remove_old_checkpoints(folder: Path, run: Run, num_kept: int) -> None:
    """Remove all but the newest checkpoints of a run."""
    own = [checkpoint for checkpoint in list_checkpoints(folder) if belongs_to(checkpoint, run)]
    for checkpoint in own[num_kept:]:
        remove(checkpoint)


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, complete or not, of any run, the newest first."""
    found = [path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: (int(path.name.split("-")[1]), path.name), reverse=True)


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint says about itself."""

    files: dict[str, str]  # the sha256 of each
    run: Run


def read_manifest(checkpoint: Path) -> Manifest | str:
    """Return the manifest of a checkpoint, or why it cannot be read."""
    try:
        content = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        run = Run(content["run"], dict(content.get("identity") or {}), dict(content.get("setting") or {}))
        return Manifest(dict(content["files"]), run)
    except FileNotFoundError:
        return f"it has no {MANIFEST}, so it is not whole"
    except (OSError, ValueError, TypeError, KeyError) as error:
        return f"its {MANIFEST} cannot be read ({error})"


def belongs_to(checkpoint: Path, run: Run) -> bool:
    """Tell whether a checkpoint is of this run; one without a manifest belongs to nobody who can be named."""
    manifest = read_manifest(checkpoint)
    return isinstance(manifest, Manifest) and manifest.run.id == run.id


def find_newest_whole(folder: Path, run: Run, *, of_any_run: bool = False) -> Path | None:
    """Return the newest complete checkpoint of this run, or of any; log why each newer one is skipped."""
    for checkpoint in list_checkpoints(folder):
        reason = explain_refusal(checkpoint, run, of_any_run=of_any_run)
        if not reason:
            return checkpoint
        log.warning("%s is skipped: %s", checkpoint, reason)
    return None


def explain_refusal(checkpoint: Path, run: Run, *, of_any_run: bool = False) -> str:
    """Return why training cannot resume from a checkpoint; '' if it can."""
    manifest = read_manifest(checkpoint)
    if isinstance(manifest, str):
        return manifest
    if manifest.run.id != run.id and not of_any_run:
        differing = ", ".join(list_differences(manifest.run.identity, run.identity))
        return f"it is of another run: {differing}. --resume-anyway takes it, and it stays where it is otherwise"
    for name, expected in sorted(manifest.files.items()):
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
        if hash_file(checkpoint / name) != expected:
            return f"{name} is not what was written"
    return ""


def train_or_resume(
    trainer: CheckpointTrainer, recipe: TrainingParams, model: Path, *, resume_anyway: bool = False
) -> None:
    """Train to the end, starting from the newest complete checkpoint of this run if one exists.

    `recipe` is what the user asked for; what the machine made of it, like its dtype, is part of the setting. With
    `resume_anyway` the newest complete checkpoint is taken whichever run it is of, and what differs is named.
    """
    folder = Path(trainer.args.output_dir)
    trainer.num_kept = recipe.num_checkpoints
    trainer.run = describe_run(
        recipe, model, trainer.train_dataset, trainer.accelerator.num_processes, trainer.params.dtype
    )
    newest = find_newest_whole(folder, trainer.run, of_any_run=resume_anyway)
    trainer.resumed_run = trainer.run if newest is None else tell_differences(newest, trainer.run)
    if newest is not None:
        log.info("goes on from %s", newest)
    trainer.train(resume_from_checkpoint=None if newest is None else str(newest))


def tell_differences(checkpoint: Path, run: Run) -> Run:
    """Log what differs between a checkpoint and the run that goes on from it; return the checkpoint's run.

    Raises:
        InputError: Weights of other shapes are trained.
    """
    manifest = read_manifest(checkpoint)
    assert isinstance(manifest, Manifest), manifest
    differing = list_differences(manifest.run.identity, run.identity)
    check_shapes(checkpoint, manifest.run.identity, run.identity)
    if differing and manifest.run.id != run.id:
        log.warning("--resume-anyway: %s is of a run that differs: %s", checkpoint, ", ".join(differing))
    if elsewhere := list_differences(manifest.run.setting, run.setting):
        log.warning(
            "%s was written with another %s: the result is as good, but not equal to the byte",
            checkpoint,
            ", ".join(elsewhere),
        )
    return manifest.run


def remove_intermediate_files(trainer: CheckpointTrainer) -> None:
    """Remove this run's checkpoints and rows once its output is written; every process calls this."""
    folder = Path(trainer.args.output_dir)
    discard_rows(folder)
    trainer.accelerator.wait_for_everyone()
    if trainer.accelerator.is_main_process and folder.is_dir():
        remove_old_checkpoints(folder, trainer.run, 0)
        remove(folder / f"before-{trainer.run.short_id}.json")
        if others := list_checkpoints(folder):
            log.info("%s keeps %d checkpoints of other runs", folder, len(others))
            return
        for beside in folder.glob(".*.tmp"):
            remove(beside)
        with suppress(OSError):  # something else is in it, which is not ours to remove
            folder.rmdir()


def checkpoint_folder(out: Path) -> Path:
    """Return the folder of checkpoints of the stage that writes OUT."""
    return out.with_name(f"{out.name}.checkpoints")
