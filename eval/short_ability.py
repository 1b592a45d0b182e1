"""Measure what the short examples are for: whether the tuned model still does short tasks as the base model does.

By default on a task of our own, which needs no network: which of four answers belongs to a question of EXAMPLES that
was not trained on. With `tasks` such as arc_challenge, hellaswag or mmlu, on lm-eval's.

Reads   BASE, TUNED         models: a folder, or the name of one on the Hub
        EXAMPLES            short examples
        DATASET             the dataset, whose training rows are left out
Writes  OUT/base, OUT/tuned lm-eval's own results and samples
        OUT/tasks           our task, as lm-eval reads it
        OUT/metrics.json    each task's share right with Wilson's interval, and the paired differences, tuned minus base
Source  github.com/EleutherAI/lm-evaluation-harness
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import Field, field_validator

from eval.lm_eval_runs import build_command, read_scores, run_lm_eval
from eval.stats import Difference, bound_score, compare_means, compare_shares, correct_family
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import remove, replacing, write_json
from pipeline.params import Params
from pipeline.records import Example
from pipeline.stable_order import hash_choice, stable_shuffle
from pipeline.storage.parquet import read_examples, read_mixed
from train.recipe import Dtype

MODELS = ("base", "tuned")
OWN_TASK = "short_answers"
NUM_CHOICES = 4
log = logging.getLogger(__name__)


class ShortAbilityParams(Params):
    """Section `short_ability` of params.yaml."""

    tasks: list[str] = Field(min_length=1)  # short_answers alone, which is our own, or lm-eval's, by the network
    num_examples: int = Field(ge=NUM_CHOICES)  # of our own task, at most
    limit: int | None = Field(ge=1)  # documents of each task; null for all
    batch_size: int = Field(ge=1)
    num_resamples: int = Field(ge=1)  # of the bootstrap over documents, where scores are not only 0 and 1
    dtype: Dtype
    seed: int = Field(ge=0)

    @field_validator("tasks")
    @classmethod
    def check_tasks(cls, names: list[str]) -> list[str]:
        """Refuse our task beside lm-eval's, which are not known where ours is."""
        if OWN_TASK in names and len(names) > 1:
            raise ValueError(f"{OWN_TASK} alone, or lm-eval's tasks")
        return names


def make_questions(examples: Sequence[Example], num: int, seed: int) -> list[dict[str, Any]]:
    """Return questions with four answers: their own, and those of three other examples.

    Raises:
        InputError: There are not enough examples with different answers.
    """
    own = {example.answer: example for example in sorted(examples, key=lambda one: one.example_id)}
    shuffled = stable_shuffle(own.values(), seed, key=lambda example: example.example_id)
    if len(shuffled) < NUM_CHOICES:
        raise InputError(
            "--examples",
            found=f"{len(shuffled)} short examples that were not trained on",
            expected=f"at least {NUM_CHOICES} with different answers",
            fix="Give more short examples (section short), or lower mix.num_short.",
        )
    return [make_question(example, shuffled, seed) for example in shuffled[:num]]


def make_question(example: Example, others: Sequence[Example], seed: int) -> dict[str, Any]:
    """Return one question; the wrong answers are those nearest in length among a few, so that length tells little."""
    drawn = stable_shuffle(
        (one for one in others if one.answer != example.answer),
        seed,
        example.example_id,
        key=lambda one: one.example_id,
    )
    near = sorted(drawn[: 4 * NUM_CHOICES], key=lambda one: abs(len(one.answer) - len(example.answer)))
    choices = [one.answer for one in near[: NUM_CHOICES - 1]]
    gold: int = hash_choice(range(NUM_CHOICES), seed, example.example_id)
    choices.insert(gold, example.answer)
    return {"id": example.example_id, "question": example.question, "choices": choices, "gold": gold}


def write_task(folder: Path, questions: Sequence[Mapping[str, Any]]) -> None:
    """Write our task as lm-eval reads it: its questions as JSON lines, and its YAML."""
    folder.mkdir(parents=True)
    lines = [json.dumps(question, ensure_ascii=False, sort_keys=True) for question in questions]
    data = folder / f"{OWN_TASK}.jsonl"
    data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    task = {
        "task": OWN_TASK,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data.absolute())}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "Question: {{question}}\nAnswer:",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "{{gold}}",
        "metric_list": [
            {"metric": name, "aggregation": "mean", "higher_is_better": True} for name in ("acc", "acc_norm")
        ],
        "metadata": {"version": 1.0},
    }
    (folder / f"{OWN_TASK}.yaml").write_text(yaml.safe_dump(task, sort_keys=True), encoding="utf-8")


def compare(scores: Mapping[str, pd.DataFrame], num_resamples: int, seed: int) -> dict[str, Any]:
    """Return each task's scores and the paired differences over documents, which are one family."""
    tasks: dict[str, Any] = {}
    differences: dict[str, Difference] = {}
    joined = scores["base"].merge(scores["tuned"], on=["task", "doc_id"], suffixes=("_base", "_tuned"))
    for task, rows in joined.groupby("task"):
        base, tuned = list(rows["score_base"]), list(rows["score_tuned"])
        named = dict(zip(MODELS, (base, tuned), strict=True))
        tasks[str(task)] = {name: asdict(bound_score(sum(own) / len(own), len(own))) for name, own in named.items()}
        if {*base, *tuned} <= {0.0, 1.0}:
            differences[str(task)] = compare_shares([bool(one) for one in tuned], [bool(one) for one in base])
        else:
            differences[str(task)] = compare_means(tuned, base, num_resamples, seed)
    return {"tasks": tasks, "differences": correct_family(differences)}


def choose_environment(cache: Path, *, is_own: bool) -> dict[str, str]:
    """Return the environment of lm-eval: without the network if the task is our own."""
    environment = {**os.environ, "HF_DATASETS_CACHE": str(cache)}
    if is_own:
        environment |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return environment


def run(params: ShortAbilityParams, *, base: str, tuned: str, examples: Path, dataset: Path, out: Path) -> None:
    """Let lm-eval measure both models, and compare them."""
    trained = {row.example.example_id for row in read_mixed(dataset, "train*.parquet")}
    untrained = [example for example in read_examples(examples) if example.example_id not in trained]
    with replacing(out) as beside:
        beside.mkdir()
        write_task(beside / "tasks", make_questions(untrained, params.num_examples, params.seed))
        settings = {**params.model_dump(), "max_length": None, "lengths": []}
        is_own = set(params.tasks) == {OWN_TASK}
        scores = {}
        for name, model in zip(MODELS, (base, tuned), strict=True):
            include = beside / "tasks" if is_own else None
            command = build_command(model, params.tasks, beside / name, include=include, settings=settings)
            run_lm_eval(command, choose_environment(beside / "cache", is_own=is_own))
            scores[name] = read_scores(beside / name)
        remove(beside / "cache")
        write_json(beside / "metrics.json", compare(scores, params.num_resamples, params.seed))
    log.info("short_ability: %d answers of %d tasks in %s", len(scores["base"]), len(params.tasks), out)


if __name__ == "__main__":
    run_stage(run)
