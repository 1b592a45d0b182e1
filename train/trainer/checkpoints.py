"""Atomic checkpoints, and training that resumes from the newest one as if it had never stopped.

A checkpoint is written to a temporary folder, flushed, sealed by a manifest with the sha256 of each of its files, and
renamed. Training resumes from it only if every file matches the manifest and it belongs to the same run: the same
parameters, rows, base weights, processes and versions. Any other is skipped with a line that says why.

Checkpoints are beside the stage's output, in `OUT.checkpoints`, because DVC empties the output before it runs a stage.
They are removed when the stage has finished.
"""

import hashlib
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import datasets
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

MANIFEST = "manifest.json"
NAME = re.compile(r"checkpoint-(\d+)")
WITHOUT_EFFECT = {"save_steps", "num_checkpoints", "report_to"}  # on the weights
LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate")
TORCH_CANNOT_WRITE = ("inline_container", "iostream", "PytorchStreamWriter")  # torch.save has no error of its own
EDGE_BYTES = 1 << 20  # of each end of a file of weights, which identify it

log = logging.getLogger(__name__)


class CheckpointTrainer(LongTrainer):
    """A trainer that writes checkpoints atomically and keeps the newest few."""

    run_id: str = ""  # of what is trained on what, set before training starts
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
            self.writing_beside(folder / f".{self.state.global_step}.tmp"),
        ):
            Trainer._save_checkpoint(self, model, trial)  # TRL's own adds a card to each
            self.accelerator.wait_for_everyone()
            if self.accelerator.is_main_process and self.beside is not None:
                seal(self.beside / f"checkpoint-{self.state.global_step}", folder, self.run_id)
                remove_old_checkpoints(folder, self.num_kept)
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


def seal(checkpoint: Path, folder: Path, run_id: str) -> None:
    """Write the manifest of a complete checkpoint, then rename the checkpoint into place."""
    files = sorted(path for path in checkpoint.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(checkpoint)): hash_file(path) for path in files}
    sync_tree(checkpoint)
    write_json(checkpoint / MANIFEST, {"files": hashes, "run": run_id})
    with replacing(folder / checkpoint.name) as beside:
        checkpoint.rename(beside)


def remove_old_checkpoints(folder: Path, num_kept: int) -> None:
    """Remove all but the newest checkpoints."""
    for checkpoint in list_checkpoints(folder)[num_kept:]:
        remove(checkpoint)


def list_checkpoints(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, complete or not, the newest first."""
    found = [path for path in folder.glob("checkpoint-*") if NAME.fullmatch(path.name)]
    return sorted(found, key=lambda path: int(path.name.split("-")[1]), reverse=True)


def find_newest_whole(folder: Path, run_id: str) -> Path | None:
    """Return the newest complete checkpoint of this run; log why each newer one is skipped."""
    for checkpoint in list_checkpoints(folder):
        reason = reason_not_to_resume(checkpoint, run_id)
        if not reason:
            return checkpoint
        log.warning("%s is not gone on from: %s", checkpoint, reason)
    return None


def reason_not_to_resume(checkpoint: Path, run_id: str) -> str:
    """Return why training cannot resume from a checkpoint; '' if it can."""
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text(encoding="utf-8"))
        run, files = manifest["run"], dict(manifest["files"])
    except FileNotFoundError:
        return f"it has no {MANIFEST}, so it is not whole"
    except (OSError, ValueError, TypeError, KeyError) as error:
        return f"its {MANIFEST} cannot be read ({error})"
    if run != run_id:
        return "it is of another run: other parameters, rows, base weights, processes or versions"
    for name, expected in sorted(files.items()):
        if not (checkpoint / name).is_file():
            return f"{name} is missing"
        if hash_file(checkpoint / name) != expected:
            return f"{name} is not what was written"
    return ""


def train_or_resume(trainer: CheckpointTrainer, params: TrainingParams, model: Path) -> None:
    """Train to the end, starting from the newest complete checkpoint of this run if one exists."""
    folder = Path(trainer.args.output_dir)
    trainer.num_kept = params.num_checkpoints
    trainer.run_id = hash_run(params, model, trainer.train_dataset, trainer.accelerator.num_processes)
    newest = find_newest_whole(folder, trainer.run_id)
    if newest is not None:
        log.info("goes on from %s", newest)
    trainer.train(resume_from_checkpoint=None if newest is None else str(newest))


def remove_intermediate_files(trainer: CheckpointTrainer) -> None:
    """Remove the checkpoints and cached rows of a stage that has written its output; every process calls this."""
    discard_rows(Path(trainer.args.output_dir))
    trainer.accelerator.wait_for_everyone()
    if trainer.accelerator.is_main_process:
        remove(Path(trainer.args.output_dir))


def checkpoint_folder(out: Path) -> Path:
    """Return the folder of checkpoints of the stage that writes OUT."""
    return out.with_name(f"{out.name}.checkpoints")


def hash_run(params: TrainingParams, model: Path, rows: datasets.Dataset, num_processes: int) -> str:
    """Return a hash that differs between runs whose checkpoints must not be mixed."""
    known = {
        "params": params.model_dump(mode="json", exclude=WITHOUT_EFFECT),
        "model": {path.name: hash_edges(path) for path in sorted(model.glob("*")) if path.is_file()},
        "rows": hash_rows(rows),
        "processes": num_processes,
        "versions": {name: version(name) for name in LIBRARIES},
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def hash_edges(path: Path) -> str:
    """Return a hash of a file's size and both its ends; weights are too large to be read for this alone."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(EDGE_BYTES)
        file.seek(max(0, size - EDGE_BYTES))
        return hashlib.sha256(start + file.read() + str(size).encode()).hexdigest()


def hash_rows(rows: datasets.Dataset) -> str:
    """Return a hash of every token and label of the rows, in their order."""
    digest = hashlib.sha256()
    for name in sorted(set(rows.column_names) & {"input_ids", "labels", "seq_lengths"}):
        for batch in rows.select_columns([name]).with_format("arrow").iter(batch_size=256):
            for chunk in batch[name].chunks:
                digest.update(chunk.value_lengths().to_numpy(zero_copy_only=False).tobytes())
                digest.update(chunk.flatten().to_numpy(zero_copy_only=False).tobytes())
    return digest.hexdigest()
