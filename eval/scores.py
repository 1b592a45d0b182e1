"""Score released predictions of LongBench's 16 English tasks, as LongBench scores them.

Reads   PREDICTIONS/TASK.jsonl  one object a sample: pred, answers, all_classes (as LongBench's pred.py writes them)
Writes  OUT/metrics.json        each task's score with its interval over samples, the mean over LongBench's categories,
                                and the tasks that are not there
        OUT/scores.md           the same as a table
Source  LongBench (arXiv 2308.14508), eval.py; LongAlpaca-7B-16k's mean over the categories is 36.84
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from eval.longbench_scores import Metric, classify, compare_code, count, qa_f1, retrieve, rouge_l
from eval.stats import bootstrap_mean
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.tables import Table, to_markdown_table

CATEGORIES: dict[str, dict[str, Metric]] = {
    "single-document QA": {"narrativeqa": qa_f1, "qasper": qa_f1, "multifieldqa_en": qa_f1},
    "multi-document QA": {"hotpotqa": qa_f1, "2wikimqa": qa_f1, "musique": qa_f1},
    "summaries": {"gov_report": rouge_l, "qmsum": rouge_l, "multi_news": rouge_l},
    "few-shot": {"trec": classify, "triviaqa": qa_f1, "samsum": rouge_l},
    "synthetic": {"passage_count": count, "passage_retrieval_en": retrieve},
    "code": {"lcc": compare_code, "repobench-p": compare_code},
}
METRICS = {task: metric for tasks in CATEGORIES.values() for task, metric in tasks.items()}
FIRST_LINE_ALONE = ("trec", "triviaqa", "samsum")  # few-shot tasks, after whose answer models go on with the next
Scores = np.ndarray[Any, np.dtype[np.float64]]  # of a task's samples
log = logging.getLogger(__name__)


class ScoresParams(Params):
    """Section `scores` of params.yaml."""

    num_resamples: int = Field(ge=1)  # of the bootstrap over samples
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Prediction:
    """What a model answered, and what would have been right."""

    text: str
    answers: tuple[str, ...]
    classes: tuple[str, ...]


def read_predictions(path: Path) -> list[Prediction]:
    """Return the predictions in a file.

    Raises:
        InputError: A line is no object with a prediction and answers.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        prediction = parse_prediction(line)
        if prediction is None:
            raise InputError(
                f"{path}:{number}",
                found=repr(line[:80]),
                expected="an object with pred (a text) and answers (a list of texts)",
                fix="Name the folder that LongBench's pred.py wrote.",
            )
        found.append(prediction)
    return found


def parse_prediction(line: str) -> Prediction | None:
    """Return the prediction of a line, None if it has none."""
    try:
        row = json.loads(line)
        answers = tuple(str(answer) for answer in row["answers"])
        prediction = Prediction(row["pred"], answers, tuple(row.get("all_classes") or ()))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return prediction if isinstance(prediction.text, str) and answers else None


def score_prediction(task: str, prediction: Prediction) -> float:
    """Return the best score over the answers."""
    text = prediction.text
    if task in FIRST_LINE_ALONE:
        text = text.lstrip("\n").split("\n")[0]
    return max(METRICS[task](text, answer, prediction.classes) for answer in prediction.answers)


def average_categories(tasks: Mapping[str, Scores], num_resamples: int, seed: int) -> dict[str, Any]:
    """Return the mean over the categories in per cent, of each the mean over its tasks, with its interval.

    Of the categories that are there: only a mean over all six is comparable with published ones. The interval is a
    bootstrap over the samples within each task.
    """
    draw = np.random.default_rng(seed)
    resampled = {
        task: np.array([scores[draw.integers(0, len(scores), len(scores))].mean() for _ in range(num_resamples)])
        for task, scores in tasks.items()
    }
    groups = [[task for task in category if task in tasks] for category in CATEGORIES.values()]
    groups = [group for group in groups if group]
    value = np.mean([np.mean([tasks[task].mean() for task in group]) for group in groups])
    means = np.mean([np.mean([resampled[task] for task in group], axis=0) for group in groups], axis=0)
    low, high = np.quantile(100 * means, (0.025, 0.975))
    num = sum(map(len, tasks.values()))
    return {
        "value": 100 * float(value),
        "low": float(low),
        "high": float(high),
        "n": num,
        "num_categories": len(groups),
    }


def run(params: ScoresParams, *, predictions: Path, out: Path) -> None:
    """Score the predictions of every task that is there.

    Raises:
        InputError: None is.
    """
    found = {task: predictions / f"{task}.jsonl" for task in METRICS if (predictions / f"{task}.jsonl").is_file()}
    if not found:
        raise InputError(
            predictions,
            found="no file of a task",
            expected="files such as narrativeqa.jsonl, as LongBench's pred.py writes them",
            fix="Name the folder of one model's predictions.",
        )
    read = {task: read_predictions(path) for task, path in found.items()}
    empty = [task for task, own in read.items() if not own]
    scores = {task: np.array([score_prediction(task, one) for one in own]) for task, own in read.items() if own}
    tasks = {
        task: {key: value if key == "n" or value is None else 100 * value for key, value in asdict(interval).items()}
        for task, own in scores.items()
        for interval in [bootstrap_mean(list(own), params.num_resamples, params.seed)]
    }
    missing = sorted(set(METRICS) - set(scores))
    mean = average_categories(scores, params.num_resamples, params.seed)
    with replacing(out) as beside:
        beside.mkdir()
        metrics = {"tasks": tasks, "mean": mean, "num_tasks": len(scores), "missing": missing, "empty": empty}
        write_json(beside / "metrics.json", metrics)
        rows = tuple((task, one["value"], one["low"], one["high"], one["n"]) for task, one in sorted(tasks.items()))
        table = Table("LongBench, in per cent", ("task", "score", "low", "high", "samples"), rows)
        (beside / "scores.md").write_text(to_markdown_table(table) + "\n", encoding="utf-8")
    log.info("scores: %d of 16 tasks in %s; mean over their categories %.2f", len(scores), out, mean["value"])


if __name__ == "__main__":
    run_stage(run)
