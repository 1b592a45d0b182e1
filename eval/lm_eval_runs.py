"""Run lm-eval in a process of its own, and read what it counted for each document of its tasks.

Its results stay in its own format, for tools that read that. It is the optional extra `eval`.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import InputError
from train.trainer.precision import choose_dtype

SCORES = ("acc", "exact_match", "qa_f1_score", "f1", "rouge_score", "score")  # of a document, the first that it has
MAX_SHOWN = 300  # characters of what a failed run said


def build_command(
    model: str, tasks: Sequence[str], out: Path, *, include: Path | None, settings: Mapping[str, Any]
) -> list[str]:
    """Return the command that measures a model.

    Args:
        model: A folder, or the name of a model on the Hub.
        tasks: lm-eval's names.
        out: The folder for its results.
        include: A folder with tasks of our own, beside which lm-eval's are not known.
        settings: `dtype`, `batch_size`, `limit` (documents of each task, None for all), `max_length` (tokens, None for
            the model's own) and `lengths` (of RULER's prompts, in tokens, empty for none).
    """
    dtype = choose_dtype(settings["dtype"])
    arguments = [f"pretrained={model}", f"dtype={dtype}"]
    arguments += [f"max_length={settings['max_length']}"] if settings["max_length"] else []
    program = "lm_eval" if include is None else "eval.lm_eval_own_tasks"
    command = [sys.executable, "-m", program, "run", "--model", "hf", "--model_args", ",".join(arguments)]
    command += ["--tasks", ",".join(tasks), "--batch_size", str(settings["batch_size"])]
    command += ["--output_path", str(out), "--log_samples", "--seed", str(settings["seed"])]
    if include is not None:
        command += ["--include_path", str(include)]
    if settings["limit"]:
        command += ["--limit", str(settings["limit"])]
    if settings["lengths"]:
        # RULER's samples are made for 4,096 tokens unless lengths are given, and for no tokenizer but this one.
        metadata = {"pretrained": model, "max_seq_lengths": list(settings["lengths"])}
        command += ["--metadata", json.dumps(metadata)]
    return command


def run_lm_eval(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run a command of lm-eval to its end.

    Raises:
        InputError: lm-eval is not installed, or fails.
    """
    if find_spec("lm_eval") is None:
        raise InputError(
            "lm-eval", found="not installed", expected="the extra 'eval'", fix="pip install 'longalpaca[eval]'"
        )
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())[-MAX_SHOWN:]
        raise InputError(
            "lm-eval",
            found=f"exit status {done.returncode}: …{said}",
            expected="results",
            fix="Check the names of the tasks; those that are not our own need the network.",
        )


def read_scores(folder: Path) -> pd.DataFrame:
    """Return what lm-eval counted: columns task, doc_id and score, of the last run in a folder.

    Raises:
        InputError: There are no samples with a score.
    """
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.rglob("samples_*.jsonl")):
        task = path.stem.removeprefix("samples_").rsplit("_", 1)[0]
        for line in path.read_text(encoding="utf-8").splitlines():
            sample = json.loads(line)
            name = next((one for one in SCORES if one in sample), None)
            if name is not None:
                rows.append({"task": task, "doc_id": sample["doc_id"], "score": float(sample[name])})
    if not rows:
        raise InputError(
            folder,
            found="no samples with a score",
            expected=f"one of {', '.join(SCORES)} in lm-eval's samples",
            fix="Read lm-eval's own results in this folder; these tasks are not compared.",
        )
    return pd.DataFrame(rows).drop_duplicates(["task", "doc_id"], keep="last")
