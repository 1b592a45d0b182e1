"""LongBench's metrics on cases counted by hand, and the mean over tasks of released predictions."""

import json
from pathlib import Path

import pytest

from eval.longbench_scores import classify, compare_code, count, qa_f1, retrieve, rouge_l
from eval.scores import METRICS, Prediction, ScoresParams, run, score_prediction
from pipeline.errors import InputError

PARAMS = ScoresParams(num_resamples=200, seed=1)
LONGALPACA = {  # LongAlpaca-7B-16k by task, as LongBench's README has them
    "narrativeqa": 19.80, "qasper": 29.10, "multifieldqa_en": 37.15, "hotpotqa": 37.01, "2wikimqa": 30.26,
    "musique": 17.14, "gov_report": 31.53, "qmsum": 24.13, "multi_news": 27.74, "trec": 63.5, "triviaqa": 85.69,
    "samsum": 41.88, "passage_count": 3.61, "passage_retrieval_en": 29.75, "lcc": 57.61, "repobench-p": 54.45,
}  # fmt: skip


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("The Fox, on the wall!", "a fox on the wall", 1.0),
        ("fox wall", "fox on wall hound", 2 * 1.0 * 0.5 / 1.5),
        ("fox fox", "fox", 2 * 0.5 * 1.0 / 1.5),
        ("", "fox", 0.0),
        ("the", "fox", 0.0),
    ],
)
def test_f1_counts_common_words_without_articles(prediction: str, reference: str, expected: float) -> None:
    assert qa_f1(prediction, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("the fox sat", "the fox sat", 1.0),
        ("the fox sat", "the hound sat", 2 / 3),
        ("w1 w2 w6 w7 w8. w1 w3 w8 w9 w5", "w1 w2 w3 w4 w5", 2 * (4 / 5) * (4 / 8) / (4 / 5 + 4 / 8)),  # Lin 2004
        ("sat fox the", "the fox sat", 1 / 3),
        ("", "the fox", 0.0),
        ("...", "the fox", 0.0),
        ("the fox. ", "the fox", 2 * (2 / 3) * 1 / (2 / 3 + 1)),  # the empty end is a word in LongBench's package
    ],
)
def test_rouge_is_the_union_of_common_subsequences(prediction: str, reference: str, expected: float) -> None:
    assert rouge_l(prediction, reference) == pytest.approx(expected, abs=1e-6)


CLASSES = ("Date", "Other number", "Number", "Other")


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("Type: Date", "Date", 1.0),
        ("Date or Number", "Date", 0.5),
        ("Other number", "Other number", 1.0),
        ("x", "Date", 0),
    ],
)
def test_classes_share_the_score_unless_one_is_part_of_the_right_one(prediction, reference, expected) -> None:
    assert classify(prediction, reference, CLASSES) == expected


def test_numbers_share_the_score() -> None:
    assert retrieve("Paragraph 12, or 3", "Paragraph 12") == 0.5
    assert retrieve("no idea", "Paragraph 12") == 0
    assert count("There are 7 of 10.", "7") == 0.5
    assert count("seven", "7") == 0


def test_of_code_the_first_line_that_is_no_comment_is_compared() -> None:
    assert compare_code("\n# a comment\nx = 1\ny = 2", "x = 1") == 1
    assert compare_code("abcd", "abxy") == 0.5
    assert compare_code("```python", "x") == 0


def test_the_best_answer_counts_and_few_shot_tasks_end_with_their_line() -> None:
    prediction = Prediction("\nParis\nQuestion: next", ("London", "Paris"), ())
    assert score_prediction("triviaqa", prediction) == 1
    assert score_prediction("hotpotqa", prediction) == pytest.approx(2 * (1 / 3) / (4 / 3))


def write_task(folder: Path, task: str, percent: float) -> None:
    """Write 10,000 predictions of which so many per cent are right."""
    answers = {"passage_retrieval_en": "Paragraph 7", "passage_count": "7", "trec": "Date"}
    answer = answers.get(task, "fox")
    row = {"answers": [answer], "all_classes": ["Date"] if task == "trec" else None, "length": 1}
    right, wrong = json.dumps({**row, "pred": answer}), json.dumps({**row, "pred": "zzz" if task != "lcc" else "q"})
    num_right = round(percent * 100)
    (folder / f"{task}.jsonl").write_text("\n".join([right] * num_right + [wrong] * (10_000 - num_right)))


def test_scores_of_each_task_as_published_give_the_published_mean_over_categories(tmp_path: Path) -> None:
    folder = tmp_path / "pred"
    folder.mkdir()
    for task, percent in LONGALPACA.items():
        write_task(folder, task, percent)
    run(PARAMS.model_copy(update={"num_resamples": 20}), predictions=folder, out=tmp_path / "out")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["num_tasks"] == len(METRICS) == 16
    assert {task: round(found["value"], 2) for task, found in metrics["tasks"].items()} == LONGALPACA
    assert round(metrics["mean"]["value"], 2) == 36.84  # over six categories; over the 16 tasks it would be 36.90
    assert metrics["missing"] == []


def test_tasks_that_are_not_there_are_named(tmp_path: Path) -> None:
    write_task(tmp_path, "qasper", 50)
    run(PARAMS, predictions=tmp_path, out=tmp_path / "out")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["num_tasks"] == 1
    assert "narrativeqa" in metrics["missing"]
    assert metrics["mean"]["low"] < 50 < metrics["mean"]["high"]


def test_a_folder_or_a_line_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file of a task"):
        run(PARAMS, predictions=tmp_path, out=tmp_path / "out")
    (tmp_path / "qasper.jsonl").write_text('{"pred": "x"}')
    with pytest.raises(InputError, match=r"qasper\.jsonl:1: found"):
        run(PARAMS, predictions=tmp_path, out=tmp_path / "out")
