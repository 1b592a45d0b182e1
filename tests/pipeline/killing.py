"""Run a fetch that is killed again and again."""

import os
import random
import signal
import subprocess
import sys
import time

KILLED_FETCH = """
import sys
from pathlib import Path
from pipeline.fetch import run
from tests.pipeline.fetching import fetch_params
allowed = [f"127.0.0.{n}" for n in range(1, 5)]
params = fetch_params(allow_private=allowed, num_attempts=3, contact="Ann Example ann@example.org")
run(params, sources=Path(sys.argv[1]), out=Path(sys.argv[2]))
"""


def start(root, folder):
    """Start a fetch of FOLDER/sources.yaml into FOLDER/out in a process of its own."""
    command = [sys.executable, "-c", KILLED_FETCH, str(folder / "sources.yaml"), str(folder / "out")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.Popen(command, cwd=root, env=environment, stderr=subprocess.DEVNULL)


def kill_at(root, folder, points, seed):
    """Kill a fetch soon after it has brought so many documents, for each of the points; return how many kills hit."""
    num_kills = 0
    journal, chance = folder / "out" / "journal.jsonl", random.Random(seed)
    for point in sorted(points):
        process = start(root, folder)
        while (len(journal.read_bytes().splitlines()) if journal.exists() else 0) < point:
            if process.poll() is not None:
                break  # it was done before
            time.sleep(0.001)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        assert process.wait() in (0, -signal.SIGKILL)
        num_kills += process.returncode == -signal.SIGKILL
    return num_kills


def tree(folder):
    """Every file below a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
