import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.engine import MARKERS, Shard, is_finished, run_shards
from pipeline.errors import InputError
from pipeline.files import hash_json


@dataclass(frozen=True)
class Writes:
    """Writes each shard's text, and notes that it did."""

    outputs: tuple[Path, ...]
    text: str = "text"
    fails: int = -1
    dies: int = -1

    def __call__(self, index):
        if index == self.fails:
            raise ValueError(f"shard {index} is cursed")
        if index == self.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        (self.outputs[index].parent / f"note-{index}").touch()
        self.outputs[index].write_text(f"{self.text} {index}")


def make(folder, *, num=3, key="k", num_workers=2, **how):
    outputs = tuple(folder / f"documents-{index:05d}.parquet" for index in range(num))
    shards = [Shard(output, hash_json(index), hash_json(key)) for index, output in enumerate(outputs)]
    for note in folder.glob("note-*"):
        note.unlink()
    return run_shards(Writes(outputs, **how), shards, folder=folder, executor="local", num_workers=num_workers)


def notes(folder):
    return sorted(path.name for path in folder.glob("note-*"))


def test_every_shard_is_made_and_marked(tmp_path):
    assert make(tmp_path) == 3
    assert [path.read_text() for path in sorted(tmp_path.glob("*.parquet"))] == ["text 0", "text 1", "text 2"]
    assert len(list((tmp_path / MARKERS).iterdir())) == 3


def test_a_second_run_has_nothing_to_do(tmp_path):
    make(tmp_path)

    assert make(tmp_path) == 0
    assert notes(tmp_path) == []


def test_another_key_makes_every_shard_again(tmp_path):
    make(tmp_path)

    assert make(tmp_path, key="other") == 3


def test_a_shard_with_other_bytes_than_its_marker_says_is_made_again(tmp_path):
    make(tmp_path)
    (tmp_path / "documents-00001.parquet").write_text("torn")

    assert make(tmp_path) == 1
    assert notes(tmp_path) == ["note-1"]


@pytest.mark.parametrize("marker", ["", "{", "[]", '{"inputs": 1}'])
def test_a_torn_marker_counts_as_none(tmp_path, marker):
    make(tmp_path, num=1)
    next((tmp_path / MARKERS).iterdir()).write_text(marker)

    assert make(tmp_path, num=1) == 1


def test_shards_of_a_larger_run_are_removed(tmp_path):
    make(tmp_path, num=3)
    (tmp_path / ".documents-00000.parquet.123.tmp").touch()
    (tmp_path / ".run-123").mkdir()

    make(tmp_path, num=1)

    assert sorted(path.name for path in tmp_path.iterdir()) == [MARKERS, "documents-00000.parquet"]
    assert len(list((tmp_path / MARKERS).iterdir())) == 1


def test_what_a_task_raises_comes_out_and_the_finished_shards_stay(tmp_path):
    with pytest.raises(ValueError, match="shard 1 is cursed"):
        make(tmp_path, num_workers=1, fails=1)

    assert make(tmp_path) == 2


def test_a_killed_worker_ends_the_run_and_does_not_hang_it(tmp_path):
    with pytest.raises(RuntimeError):
        make(tmp_path, dies=2)

    make(tmp_path)
    assert len(list(tmp_path.glob("*.parquet"))) == 3


def test_the_number_of_workers_does_not_change_the_bytes(tmp_path):
    for num_workers in (1, 3):
        (tmp_path / str(num_workers)).mkdir()
        make(tmp_path / str(num_workers), num=4, num_workers=num_workers)

    trees = [
        {
            path.relative_to(root): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file() and "note" not in path.name
        }
        for root in (tmp_path / "1", tmp_path / "3")
    ]
    assert trees[0] == trees[1]


def test_ray_that_is_not_installed_is_explained(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    shard = Shard(tmp_path / "documents-00000.parquet", "i", "p")

    with pytest.raises(InputError, match=r"found no ray; expected the extra 'ray'\. Run pip install"):
        run_shards(print, [shard], folder=tmp_path, executor="ray", num_workers=1)


def test_slurm_that_is_not_there_is_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    shard = Shard(tmp_path / "documents-00000.parquet", "i", "p")

    with pytest.raises(InputError, match=r"found no sbatch; expected a machine of a Slurm cluster"):
        run_shards(print, [shard], folder=tmp_path, executor="slurm", num_workers=1)


def test_a_marker_names_what_went_in_and_what_came_out(tmp_path):
    make(tmp_path, num=1)
    (marker,) = (tmp_path / MARKERS).iterdir()

    assert json.loads(marker.read_text()) == {
        "inputs": hash_json(0),
        "parameters": hash_json("k"),
        "output": hashlib.sha256(b"text 0").hexdigest(),
    }


PROGRAM = """
import sys, time
from pathlib import Path
from pipeline.engine import Shard, run_shards

def work(index):
    (Path(sys.argv[1]) / f"started-{index}").touch()
    time.sleep(60)

if __name__ == "__main__":
    out = Path(sys.argv[1])
    shards = [Shard(out / f"documents-{i}.parquet", "i", "p") for i in range(2)]
    run_shards(work, shards, folder=out, executor="local", num_workers=2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_no_process_outlives_a_killed_parent(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    parent = subprocess.Popen([sys.executable, str(program), str(tmp_path)], start_new_session=True)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("started-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.kill()
    parent.wait()

    while processes_of(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert processes_of(tmp_path) == []


def processes_of(folder):
    """The processes whose command line names a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if str(folder).encode() in command:
            found.append(command)
    return found


def test_a_marker_without_its_shard_finishes_nothing(tmp_path):
    make(tmp_path, num=1)
    output = tmp_path / "documents-00000.parquet"
    output.unlink()

    assert not is_finished(Shard(output, hash_json(0), hash_json("k")))
