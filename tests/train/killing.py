"""Run a stage again and again, each time killed at a random moment, until it ends; and again, until enough kills hit.

    python -m tests.train.killing STAGE PARAMS OUT NUM_KILLS SEED NAME=PATH...

Each run is a fork of this process, so that it starts at once, with everything imported. Prints how many kills hit a
running stage, in how many of them training had begun, and the digest of each finished output, as JSON.
"""

import hashlib
import importlib
import json
import logging
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import torch

MIN_RESUMED = 5  # kills that leave a checkpoint: on a machine that gets busier, more hit before there is one
STAGES = {"extend": "ExtendParams", "sft": "SftParams"}


def start(module, params, paths, out):
    """Fork a process that runs the stage; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        module.run(params, **paths, out=out)
        os._exit(0)
    finally:
        os._exit(1)


def ends_within(child, seconds):
    """Wait for a process to end by itself; return whether it did, and fail where it failed."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0, f"the stage failed with {status}"
            return True
        time.sleep(0.005)
    return False


def hash_folder(folder):
    """Return the digest of every file of a folder, names included."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()


def main(stage, params_file, out, num_kills, seed, *paths):
    """Run the stage to its end once, then with kills."""
    torch.set_num_threads(1)
    logging.disable(logging.INFO)
    module = importlib.import_module(f"train.{stage}")
    params = getattr(module, STAGES[stage]).load(Path(params_file))
    arguments = (module, params, {name: Path(path) for name, path in (pair.split("=") for pair in paths)})
    whole, killed = Path(out) / "whole", Path(out) / "killed"
    begun = time.monotonic()
    assert ends_within(start(*arguments, whole), 600)
    duration = time.monotonic() - begun
    rng = random.Random(int(seed))
    num_hits, num_resumed, digests = 0, 0, []
    checkpoints = killed.with_name(f"{killed.name}.checkpoints")
    while not digests or num_hits < int(num_kills) or num_resumed < MIN_RESUMED:
        has_ended = False
        while not has_ended:
            child = start(*arguments, killed)
            is_last = num_hits >= int(num_kills) and num_resumed >= MIN_RESUMED
            has_ended = ends_within(child, 600 if is_last else rng.uniform(0.02, 1.0) * duration)
            if not has_ended:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
                num_hits += 1
                num_resumed += any(checkpoints.glob("checkpoint-*"))
        digests.append(hash_folder(killed))
        shutil.rmtree(killed)
    json.dump(
        {"kills": num_hits, "with_checkpoint": num_resumed, "whole": hash_folder(whole), "killed": digests}, sys.stdout
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
