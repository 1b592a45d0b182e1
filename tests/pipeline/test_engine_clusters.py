"""The same work on a Ray cluster of two nodes, and under Slurm's commands: the bytes are those of the local run."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

from pipeline.engine import Shard, run_shards
from pipeline.extract import ExtractParams, run
from pipeline.fetch import run as fetch
from tests.pipeline.fetching import fetch_params

ROOT = Path(__file__).parents[2]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())["extract"]

RAY = '''
"""Start a cluster of two nodes, see that both of them work, and run the stage on it."""
import os, sys, time
from dataclasses import dataclass
from pathlib import Path

import ray
from ray.cluster_utils import Cluster

from pipeline.engine import Shard, run_shards
from pipeline.extract import ExtractParams, run

settings, documents, out = (Path(argument) for argument in sys.argv[1:])


@dataclass(frozen=True)
class Meet:
    """Writes the name of the node, once the other shard has begun as well."""

    folder: Path

    def __call__(self, index):
        (self.folder / f"began-{index}").touch()
        deadline = time.monotonic() + 120
        while not (self.folder / f"began-{1 - index}").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        (self.folder / f"{index}.node").write_text(os.environ["NODE"])


if __name__ == "__main__":
    sizes = {"num_cpus": 1, "memory": 3 << 30, "object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={**sizes, "env_vars": {"NODE": "head"}})
    cluster.add_node(**sizes, env_vars={"NODE": "second"})
    os.environ["RAY_ADDRESS"] = cluster.address
    nodes = out.parent / "nodes"
    nodes.mkdir()
    shards = [Shard(nodes / f"{index}.node", "i", "p") for index in range(2)]
    try:
        run_shards(Meet(nodes), shards, folder=nodes, executor="ray", num_workers=2)
        run(ExtractParams.load(settings), documents=documents, out=out)
    finally:
        ray.shutdown()
        cluster.shutdown()
'''

SLURM = '''#!{python}
"""Slurm's commands, as far as they are used: jobs run on this machine, all at once."""
import os, re, subprocess, sys
from pathlib import Path

jobs = Path({jobs!r})
command, arguments = Path(sys.argv[0]).name, sys.argv[1:]
if command == "sbatch":
    script = Path(arguments[-1]).read_text()
    options = dict(re.findall("^#SBATCH --([a-z-]+)(?:=(.*))?$", script, re.MULTILINE))
    empty = [name for name, value in options.items() if not value and name != "requeue"]
    if empty:
        sys.exit(f"sbatch: error: option '--{{empty[0]}}' requires an argument")
    first, last = map(int, re.match(r"(\\d+)-(\\d+)", options["array"]).groups())
    exported = dict(pair.split("=") for pair in arguments[0].removeprefix("--export=ALL,").split(","))
    for index in range(first, last + 1):
        extra = {{"SLURM_ARRAY_TASK_ID": str(index), "SLURM_JOB_ID": "7", "SLURM_NODELIST": "here"}}
        log = open(options["output"].replace("%A", "7").replace("%a", str(index)), "wb")
        job = subprocess.Popen(["bash", "-c", script], env=os.environ | exported | extra, stdout=log, stderr=log)
        (jobs / str(job.pid)).write_text(options["job-name"])
    print("Submitted batch job 7")
elif command == "squeue":
    (name,) = [argument.removeprefix("--name=") for argument in arguments if argument.startswith("--name=")]
    for job in jobs.iterdir():
        stat = Path("/proc", job.name, "stat")
        if job.read_text() == name and stat.exists() and stat.read_text().rsplit(")")[1].split()[0] != "Z":
            print(job.name, "RUNNING")
elif command == "scontrol":
    print(arguments[-1])
elif command == "srun":
    words = [word for word in arguments if not word.startswith("-") and not word.isdigit()]
    os.execvp(words[0], words)
'''


@pytest.fixture
def fetched(tmp_path):
    """Six texts and a file that is none, as `fetch` leaves them."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"CHAPTER {number}\n\nSome words in a row.")
    (folder / "x.epub").write_bytes(b"PK\x03\x04")
    sources = tmp_path / "sources.yaml"
    sources.write_text("- {glob: 'corpus/*', category: book, licence: CC0-1.0, language: en}\n")
    fetch(fetch_params(max_bytes=10**6), sources=sources, out=tmp_path / "fetch")
    return tmp_path / "fetch"


def params(tokenizer, executor):
    changes = {"tokenizer": str(tokenizer), "executor": executor, "num_workers": 2, "documents_per_shard": 2}
    return ExtractParams(**PARAMS | changes)


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.long
def test_a_ray_cluster_of_two_nodes_writes_the_same_bytes(fetched, word_tokenizer, tmp_path):
    pytest.importorskip("ray")
    run(params(word_tokenizer, "local"), documents=fetched, out=tmp_path / "local")
    (tmp_path / "program.py").write_text(RAY)
    (tmp_path / "params.yaml").write_text(json.dumps({"extract": params(word_tokenizer, "ray").model_dump()}))
    environment = os.environ | {"PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}

    done = subprocess.run(
        [sys.executable, "program.py", "params.yaml", str(fetched), str(tmp_path / "ray")],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-5_000:]
    assert {path.read_text() for path in (tmp_path / "nodes").glob("*.node")} == {"head", "second"}
    assert digests(tmp_path / "ray") == digests(tmp_path / "local")


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Slurm's commands on the path."""
    commands, jobs = tmp_path / "bin", tmp_path / "jobs"
    commands.mkdir()
    jobs.mkdir()
    for name in ("sbatch", "squeue", "scontrol", "srun", "scancel"):
        (commands / name).write_text(SLURM.format(python=sys.executable, jobs=str(jobs)))
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]]))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr("pipeline.engine.SLURM_POLL_SECONDS", 0.1)


@pytest.mark.slow
def test_jobs_of_slurm_write_the_same_bytes(slurm, fetched, word_tokenizer, tmp_path):
    run(params(word_tokenizer, "local"), documents=fetched, out=tmp_path / "local")

    run(params(word_tokenizer, "slurm"), documents=fetched, out=tmp_path / "slurm")

    assert digests(tmp_path / "slurm") == digests(tmp_path / "local")


@pytest.mark.slow
def test_a_job_of_slurm_that_fails_says_why(slurm, tmp_path):
    shards = [Shard(tmp_path / "out" / "0.parquet", "i", "p")]
    (tmp_path / "out").mkdir()

    with pytest.raises(RuntimeError, match=r"1 shards were not made(.|\n)*ZeroDivisionError"):
        run_shards(partial(divmod, 1), shards, folder=tmp_path / "out", executor="slurm", num_workers=2)


def test_slurm_is_asked_again_when_it_does_not_answer(tmp_path, monkeypatch):
    from pipeline.engine import slurm_knows

    answers = {"down": "exit 1", "running": "echo 7", "done": "exit 0"}
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path), os.environ["PATH"]]))
    found = {}
    for name, body in answers.items():
        (tmp_path / "squeue").write_text(f"#!{shutil.which('bash')}\n{body}\n")
        (tmp_path / "squeue").chmod(0o755)
        found[name] = slurm_knows("job")

    assert found == {"down": True, "running": True, "done": False}
