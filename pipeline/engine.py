"""Run shards of work on this machine, on a Ray cluster, or under Slurm, and skip finished ones.

The executors are datatrove's. What is finished is not theirs to say: they leave an empty mark that knows neither what
went in nor what came out. Here a shard is finished when its marker names the hashes of its inputs, of the parameters
and of the output, and the marker is written last.
"""

import json
import multiprocessing
import shutil
import subprocess
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from datatrove.executor import LocalPipelineExecutor, SlurmPipelineExecutor
from loguru import logger as datatrove_logger
from tqdm import tqdm

from pipeline.errors import InputError
from pipeline.files import hash_file, remove, write_json
from pipeline.processes import die_with_parent

ExecutorName = Literal["local", "ray", "slurm"]
MARKERS = ".markers"
RUN_PREFIX = ".run-"
SLURM_TIME = "24:00:00"  # a shard; SBATCH_TIMELIMIT in the environment overrides it
SLURM_POLL_SECONDS = 15


@dataclass(frozen=True)
class Shard:
    """A file to write, and the hashes of everything that determines its bytes."""

    output: Path
    inputs: str
    parameters: str  # and the code and libraries that they go to


@dataclass(frozen=True, repr=False)  # datatrove logs it for every shard, and it knows all of them
class Task:
    """What an executor runs for each unfinished shard; it is pickled to other processes and machines."""

    work: Callable[[int], None]
    shards: Sequence[Shard]
    pending: Sequence[int]
    faults: Path  # a folder for the tracebacks of shards that fail: Ray and Slurm do not return them

    def __call__(self, data: None, rank: int, world_size: int) -> None:
        """Write the shard of a rank, then its marker."""
        del data, world_size
        index = self.pending[rank]
        try:
            self.work(index)
        except BaseException:
            (self.faults / f"{index:05d}.txt").write_text(traceback.format_exc(), encoding="utf-8")
            raise
        shard = self.shards[index]
        write_json(marker_path(shard), marker_content(shard))


class Local(LocalPipelineExecutor):  # type: ignore[misc]
    """Runs the shards in processes of this machine.

    datatrove's own loop waits for ever for a worker that was killed, and leaves a helper behind when it is killed
    itself; this one does neither.
    """

    here: ClassVar["Local"]  # in a worker, what it works for: sent once, and not again for every rank

    def run(self) -> None:
        """Run every rank; the first that fails stops the run."""
        context = multiprocessing.get_context("spawn")  # a fork server would outlive a parent that is killed
        num_workers = min(self.workers, self.tasks)
        with ProcessPoolExecutor(num_workers, context, begin_worker, (self,)) as pool:
            futures = [pool.submit(run_rank, rank) for rank in range(self.tasks)]
            try:
                for future in tqdm(as_completed(futures), total=len(futures), unit="shard", disable=None):
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def begin_worker(executor: Local) -> None:
    """End the worker with its parent, and silence datatrove's log."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    assert parent.pid is not None
    die_with_parent(parent.pid)
    datatrove_logger.disable("datatrove")
    Local.here = executor


def run_rank(rank: int) -> None:
    """Run a rank in a worker."""
    Local.here._run_for_rank(rank, rank)


class Slurm(SlurmPipelineExecutor):  # type: ignore[misc]
    """Submits the shards as an array of jobs; partition, account and the like are Slurm's own SBATCH_ variables."""

    def get_sbatch_args(self, max_array: int = 1) -> dict[str, Any]:
        """Return the directives without the partition: datatrove writes an empty one, which Slurm refuses."""
        return {name: value for name, value in super().get_sbatch_args(max_array).items() if name != "partition"}

    def launch_merge_stats(self) -> None:
        """Submit nothing more: datatrove's last job would wait for ever after a failure."""


def run_shards(
    work: Callable[[int], None], shards: Sequence[Shard], *, folder: Path, executor: ExecutorName, num_workers: int
) -> int:
    """Write every unfinished shard, and return their number.

    Args:
        work: Writes the output of the shard with an index, whole or not at all. It is pickled, so it is a function or
            an instance of a class at the top of a module.
        shards: The files to make, all in `folder`.
        folder: Files that look like outputs or markers of an earlier run and are neither any more are removed from it.
        executor: Where the work runs.
        num_workers: How many shards are made at a time; it does not change their bytes.

    Raises:
        InputError: The executor is not installed.
        RuntimeError: A shard was not made.
    """
    remove_stale(folder, shards)
    pending = [index for index, shard in enumerate(shards) if not is_finished(shard)]
    if not pending:
        return 0
    run_folder = folder / f"{RUN_PREFIX}{uuid.uuid4().hex}"
    faults = run_folder / "faults"
    faults.mkdir(parents=True)
    try:
        task = Task(work, shards, pending, faults)
        execute(task, executor=executor, num_workers=num_workers, logs=run_folder / "logs")
        check_finished(shards, faults)
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)
    return len(pending)


def execute(task: Task, *, executor: ExecutorName, num_workers: int, logs: Path) -> None:
    """Run a task for every pending shard and wait until none is running any more."""
    options: dict[str, Any] = {
        "pipeline": [task],
        "tasks": len(task.pending),
        "workers": num_workers,
        "logging_dir": str(logs),
        "skip_completed": False,
    }
    if executor == "local":
        datatrove_logger.disable("datatrove")
        Local(**options).run()
    elif executor == "ray":
        execute_on_ray(options)
    else:
        execute_under_slurm(options)


def execute_on_ray(options: dict[str, Any]) -> None:
    """Run on the Ray cluster that RAY_ADDRESS names, or on one of this machine's own; all share the file system."""
    try:
        import ray  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise InputError(
            "executor: ray", found="no ray", expected="the extra 'ray'", fix="Run pip install 'longalpaca[ray]'."
        ) from error
    from datatrove.executor.ray import RayPipelineExecutor

    ray.init(ignore_reinit_error=True, log_to_driver=False)
    RayPipelineExecutor(**options).run()


def execute_under_slurm(options: dict[str, Any]) -> None:
    """Submit the shards to Slurm and wait until none of them is waiting or running any more."""
    if shutil.which("sbatch") is None:
        raise InputError(
            "executor: slurm", found="no sbatch", expected="a machine of a Slurm cluster", fix="Use executor: local."
        )
    name = f"longalpaca-{uuid.uuid4().hex}"
    try:
        Slurm(**options, job_name=name, time=SLURM_TIME, partition="", qos="", mail_type="NONE").run()
        while slurm_knows(name):
            time.sleep(SLURM_POLL_SECONDS)
    except BaseException:
        subprocess.run(["scancel", f"--name={name}"], check=False)  # noqa: S607 (wherever the cluster has it)
        raise


def slurm_knows(name: str) -> bool:
    """Tell whether jobs of a name are waiting or running; no answer from the controller counts as yes."""
    command = ["squeue", "--noheader", f"--name={name}"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.returncode != 0 or bool(answer.stdout.strip())


def marker_path(shard: Shard) -> Path:
    """Return the path of a shard's marker."""
    return shard.output.parent / MARKERS / f"{shard.output.name}.json"


def is_finished(shard: Shard) -> bool:
    """Tell whether a shard is finished: its marker has the hashes of these inputs and of the file that is there."""
    try:
        marker = json.loads(marker_path(shard).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return shard.output.is_file() and bool(marker == marker_content(shard))


def marker_content(shard: Shard) -> dict[str, str]:
    """Return the content of a shard's marker: the hashes of its inputs and of its output."""
    return {"inputs": shard.inputs, "parameters": shard.parameters, "output": hash_file(shard.output)}


def check_finished(shards: Sequence[Shard], faults: Path) -> None:
    """Check that every shard is finished, whatever the executor reports."""
    missing = [shard.output.name for shard in shards if not is_finished(shard)]
    if missing:
        texts = [path.read_text(encoding="utf-8") for path in sorted(faults.iterdir())]
        raise RuntimeError(f"{len(missing)} shards were not made, {missing[0]} first\n{''.join(texts[:1])}")


def remove_stale(folder: Path, shards: Sequence[Shard]) -> None:
    """Delete what earlier runs left in a folder: shards and markers that are not expected, and unfinished files."""
    expected = {shard.output for shard in shards} | {marker_path(shard) for shard in shards}
    suffixes = {shard.output.suffix for shard in shards}
    for path in [*folder.glob("*"), *folder.glob(f"{MARKERS}/*")]:
        is_output = path.parent.name == MARKERS or path.suffix in suffixes or path.suffix == ".tmp"
        if path.name.startswith(RUN_PREFIX) or (path.is_file() and is_output and path not in expected):
            remove(path)
