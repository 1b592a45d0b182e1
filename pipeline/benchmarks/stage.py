"""Run a stage in a process of its own and measure time, memory and what it leaves behind."""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.downloads.manifest import Entry, write_entries
from pipeline.errors import InputError
from pipeline.extract import ExtractParams
from pipeline.files import hash_file

POLL_SECONDS = 0.1
GRACE_SECONDS = 3.0  # for helpers that see the end of their pipe
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Run:
    """What a run of the stage took and left."""

    exit_code: int
    wall_seconds: float
    cpu_seconds: float  # of the stage and of all that it started
    resident: tuple[int, ...]  # bytes of the parent alone, over time
    num_left: int  # processes still there after its end
    log: str


def files_in(folder: Path, suffixes: Sequence[str] = ()) -> list[Path]:
    """Return the files of a folder at any depth, by name.

    Raises:
        InputError: There is none.
    """
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    found = [path for path in files if not suffixes or path.suffix.lower() in suffixes]
    if not found:
        what = " or ".join(suffixes) or "any"
        raise InputError(folder, found=f"no {what} file", expected="documents", fix="Name another --documents.")
    return found


def list_files(folder: Path, files: Iterable[Path]) -> None:
    """Write the list of a folder as `fetch` does, of files wherever they are."""
    entries = [
        Entry(hash_file(path), str(path.resolve()), f"{number}/{path.name}", "report", "")
        for number, path in enumerate(files)
    ]
    write_entries(folder, entries)


def run_stage_apart(params: ExtractParams, folder: Path, out: Path) -> Run:
    """Run `extract` on the list of a folder, in a session of its own.

    Raises:
        InputError: The system has no /proc to watch it by.
    """
    if not Path("/proc/self/stat").exists():
        raise InputError("/proc", found="no such folder", expected="Linux", fix="Run the benchmark there.")
    settings = folder / "params.yaml"
    settings.write_text(yaml.safe_dump({"extract": params.model_dump()}), encoding="utf-8")
    options = ["--documents", str(folder), "--out", str(out), "--params", str(settings)]
    log = folder / "log.txt"
    start, before = time.monotonic(), os.times()
    with log.open("wb") as sink:
        command = [sys.executable, "-m", "pipeline.extract", *options]
        stage = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
        resident = watch(stage)
    wall, after = time.monotonic() - start, os.times()
    cpu = after.children_user - before.children_user + after.children_system - before.children_system
    left = len(lingering_processes(stage.pid))
    return Run(stage.returncode, wall, cpu, resident, left, log.read_text(encoding="utf-8"))


def watch(process: "subprocess.Popen[bytes]") -> tuple[int, ...]:
    """Wait for a process, and return how much memory it held from time to time."""
    held = []
    while process.poll() is None:
        held.append(resident_bytes(process.pid))
        time.sleep(POLL_SECONDS)
    return tuple(number for number in held if number)


def resident_bytes(process: int) -> int:
    """Return how much memory a process holds; 0 if it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def lingering_processes(session: int) -> list[int]:
    """Return the processes of a session that do not end by themselves soon after the first of them."""
    deadline = time.monotonic() + GRACE_SECONDS
    while (left := session_processes(session)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return left


def session_processes(session: int) -> list[int]:
    """Return the processes of a session that are running."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, of = path.read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()[:4]
        except (OSError, ValueError):
            continue
        if int(of) == session and state != "Z":
            found.append(int(path.parent.name))
    return found
