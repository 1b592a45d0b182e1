"""A checkpoint is whole or not used; training that was stopped ends with the bytes of training that was not."""

import json
import logging
import re
import resource
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

import train.extend
import train.sft
from pipeline.errors import InputError
from tests.conftest import CHAT_TEMPLATE
from tests.train.test_stages import dataset, documents, load_params, run  # noqa: F401
from train.trainer.checkpoints import (
    MANIFEST,
    CheckpointTrainer,
    explain_refusal,
    find_newest_whole,
    list_checkpoints,
    read_manifest,
    remove_old_checkpoints,
    seal,
)
from train.trainer.run_identity import Run

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")


class Killed(BaseException):
    """Stands for a signal: nothing in the code catches it."""


THIS = Run("0" * 64, {"sft.seed": 7}, {})
OTHER = Run("1" * 64, {"sft.seed": 8}, {})


def sealed(folder, step, run=THIS):
    """Write a whole checkpoint of two files."""
    beside = folder / f".{step}.tmp" / f"checkpoint-{step}"
    beside.mkdir(parents=True)
    (beside / "weights").write_bytes(b"w" * 1000)
    (beside / "state").write_text("s")
    seal(beside, folder, run)
    return folder / f"checkpoint-{step}"


def test_the_newest_whole_checkpoint_is_taken_and_a_whole_one_says_nothing(tmp_path, caplog):
    sealed(tmp_path, 9)
    newest = sealed(tmp_path, 10)
    assert find_newest_whole(tmp_path, THIS) == newest
    assert not caplog.records


def truncate(checkpoint):
    (checkpoint / "weights").write_bytes(b"w" * 999)


def flip(checkpoint):
    (checkpoint / "weights").write_bytes(b"w" * 999 + b"v")


def lose(checkpoint):
    (checkpoint / "state").unlink()


def empty(checkpoint):
    shutil.rmtree(checkpoint)
    checkpoint.mkdir()


def tear(checkpoint):
    (checkpoint / MANIFEST).write_text('{"files": {"weights"')


def misplace(checkpoint):
    (checkpoint / MANIFEST).write_text("[]")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (truncate, "weights is not what was written"),
        (flip, "weights is not what was written"),
        (lose, "state is missing"),
        (empty, "no manifest.json"),
        (tear, "manifest.json cannot be read"),
        (misplace, "manifest.json cannot be read"),
    ],
)
def test_a_harmed_checkpoint_is_passed_over_with_its_reason(tmp_path, caplog, harm, reason):
    older = sealed(tmp_path, 9)
    harm(sealed(tmp_path, 10))
    assert find_newest_whole(tmp_path, THIS) == older
    assert [reason in record.message and "checkpoint-10" in record.message for record in caplog.records] == [True]


def test_a_checkpoint_of_another_run_is_never_taken(tmp_path, caplog):
    sealed(tmp_path, 10, OTHER)
    assert find_newest_whole(tmp_path, THIS) is None
    assert "another run: sft.seed (8, now 7)" in caplog.text


def test_only_the_newest_are_kept(tmp_path):
    for step in (8, 9, 10, 100):
        sealed(tmp_path, step)
    remove_old_checkpoints(tmp_path, THIS, 2)
    assert [path.name for path in list_checkpoints(tmp_path)] == ["checkpoint-100", "checkpoint-10"]


@contextmanager
def killing_after(step):
    """Stop training as a signal would, after the checkpoint of a step has been written."""
    save = CheckpointTrainer._save_checkpoint

    def save_then_die(trainer, model, trial):
        save(trainer, model, trial)
        if trainer.state.global_step == step:
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CheckpointTrainer, "_save_checkpoint", save_then_die)
        with pytest.raises(Killed):
            yield


@pytest.fixture
def stopped(tmp_path, tiny_model, dataset):
    """Train until the third checkpoint has been written, then stop as a signal would."""
    with killing_after(3):
        run(train.sft, tmp_path, {"lora_dropout": 0.1}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    return tmp_path / "sft.checkpoints"


def read_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def resumed(tmp_path, tiny_model, dataset, changes=None):
    """Finish what was stopped, and do the same without a stop; return both outputs' bytes."""
    changes = {"lora_dropout": 0.1, **(changes or {})}
    run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "whole")
    return read_bytes(tmp_path / "sft"), read_bytes(tmp_path / "whole")


def test_training_goes_on_to_the_same_bytes(tmp_path, stopped, tiny_model, dataset, caplog):
    assert [path.name for path in list_checkpoints(stopped)] == ["checkpoint-3", "checkpoint-2"]
    with caplog.at_level(logging.INFO):
        found, wanted = resumed(tmp_path, tiny_model, dataset)
    assert "goes on from" in caplog.text
    assert "checkpoint-3" in caplog.text
    assert found == wanted
    assert not stopped.exists()


def test_training_goes_on_from_an_older_checkpoint_to_the_same_bytes(tmp_path, stopped, tiny_model, dataset, caplog):
    optimizer = stopped / "checkpoint-3/optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:-1])
    with caplog.at_level(logging.INFO):
        found, wanted = resumed(tmp_path, tiny_model, dataset)
    assert "optimizer.pt is not what was written" in caplog.text
    assert "goes on from" in caplog.text
    assert found == wanted


def test_other_parameters_start_anew(tmp_path, stopped, tiny_model, dataset, caplog):
    with caplog.at_level(logging.INFO):
        found, wanted = resumed(tmp_path, tiny_model, dataset, {"learning_rate": 2.0e-2})
    assert "goes on from" not in caplog.text
    assert found == wanted


def test_a_full_disk_is_one_line_and_leaves_the_last_checkpoint(tmp_path, stopped, tiny_model, dataset):
    before = read_bytes(stopped / "checkpoint-3")
    size = len(before["adapter_model.safetensors"])
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1_000, limits[1]))  # optimizer.pt is twice as large
    try:
        with pytest.raises(InputError, match=r"no way to write the checkpoint of step 4.*goes on from checkpoint-3\."):
            run(train.sft, tmp_path, {"lora_dropout": 0.1}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert read_bytes(stopped / "checkpoint-3") == before
    assert explain_refusal(stopped / "checkpoint-3", read_manifest(stopped / "checkpoint-3").run) == ""
    assert not (tmp_path / "sft").exists()
    found, wanted = resumed(tmp_path, tiny_model, dataset)
    assert found == wanted


def test_checkpoints_of_another_run_are_neither_counted_nor_changed(tmp_path):
    for step in (6, 7):
        sealed(tmp_path, step, OTHER)
    before = read_bytes(tmp_path)
    for step in (5, 6):
        sealed(tmp_path, step)
        remove_old_checkpoints(tmp_path, THIS, 1)
    newest = find_newest_whole(tmp_path, THIS)
    assert newest.name == "checkpoint-6-00000000"
    shutil.rmtree(newest)
    assert read_bytes(tmp_path) == before


LATER = {"learning_rate": 5.0e-3}


def test_a_run_beside_another_ones_checkpoints_is_killed_and_resumed(tmp_path, tiny_model, dataset, caplog):
    changes = {"lora_dropout": 0.1}
    with killing_after(4):
        run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    first = read_bytes(tmp_path / "sft.checkpoints")
    with killing_after(2):
        run(train.sft, tmp_path, changes | LATER, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    with caplog.at_level(logging.INFO):
        found, expected = resumed(tmp_path, tiny_model, dataset, LATER)
    assert f"goes on from {tmp_path}/sft.checkpoints/checkpoint-2" in caplog.text
    assert found == expected
    kept = read_bytes(tmp_path / "sft.checkpoints")
    assert kept == {name: content for name, content in first.items() if not name.startswith("rows-")}
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "again")
        (tmp_path / "sft.checkpoints").rename(tmp_path / "third.checkpoints")
        run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "third")
    assert "goes on from" in caplog.text
    assert read_bytes(tmp_path / "third") == read_bytes(tmp_path / "again")


def test_a_changed_library_version_and_number_of_processes_resume_with_a_warning(
    tmp_path, stopped, tiny_model, dataset, caplog, monkeypatch
):
    monkeypatch.setattr("train.trainer.run_identity.version", lambda name: "99.0")
    for manifest in stopped.glob("*/manifest.json"):
        content = json.loads(manifest.read_text())
        content["setting"]["number of processes"] = 2
        manifest.write_text(json.dumps(content))
    with caplog.at_level(logging.INFO):
        found, expected = resumed(tmp_path, tiny_model, dataset)
    assert re.search(
        r"checkpoint-3 was written with another .*number of processes \(2, now 1\).*torch \(.*, now 99", caplog.text
    )
    assert "checkpoint-3" in caplog.text.split("goes on from")[1]
    assert found == expected


def test_a_template_with_todays_date_resumes_on_the_next_day(tmp_path, tiny_model, dataset, caplog, monkeypatch):
    dated = "{{ strftime_now('%d %b %Y') }}\n" + CHAT_TEMPLATE
    (tiny_model / "chat_template.jinja").write_text(dated)
    with killing_after(3):
        run(train.sft, tmp_path, {"lora_dropout": 0.1}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")

    class Tomorrow(datetime):
        """A clock one day ahead."""

        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=1)

    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Tomorrow)
    with caplog.at_level(logging.INFO):
        found, expected = resumed(tmp_path, tiny_model, dataset)
    assert "checkpoint-3" in caplog.text.split("goes on from")[1]
    assert found == expected


def test_resume_anyway_names_what_differs_and_other_shapes_are_refused(tmp_path, stopped, tiny_model, dataset, caplog):
    params = load_params(train.sft.SftParams, tmp_path, lora_dropout=0.1, **LATER)
    paths = {"model": tiny_model, "dataset": dataset, "out": tmp_path / "sft"}
    with caplog.at_level(logging.INFO):
        train.sft.run(params, **paths, resume_anyway=True)
    assert "differs: sft.learning_rate (0.01, now 0.005)" in caplog.text
    assert "goes on from" in caplog.text
    metrics = json.loads((tmp_path / "sft/metrics.json").read_text())
    assert metrics["answer_nll"]["before"] > 0
    with pytest.raises(InputError, match=r"trained with another sft.lora_rank.*run the stage without"):
        train.sft.run(params.model_copy(update={"lora_rank": 3}), **paths, resume_anyway=True)


@pytest.mark.long
@pytest.mark.parametrize("stage", ["extend", "sft"])
def test_a_stage_killed_at_random_ends_with_the_same_bytes(tmp_path, root, tiny_model, documents, dataset, stage):
    changes = {"num_steps": 12} if stage == "extend" else {"num_epochs": 6, "lora_dropout": 0.1}
    load_params({"extend": train.extend.ExtendParams, "sft": train.sft.SftParams}[stage], tmp_path, **changes)
    rows = f"documents={documents}" if stage == "extend" else f"dataset={dataset}"
    arguments = [stage, tmp_path / "params.yaml", tmp_path / "out", 15, 7, f"model={tiny_model}", rows]
    (tmp_path / "out").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tests.train.killing", *map(str, arguments)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout)
    assert found["kills"] >= 15
    assert found["with_checkpoint"] >= 5
    assert set(found["killed"]) == {found["whole"]}
