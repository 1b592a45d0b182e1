"""Short tasks are asked by lm-eval, of both models on the same documents, without the network by default."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from eval.lm_eval_runs import build_command, read_scores
from eval.short_ability import OWN_TASK, ShortAbilityParams, compare, make_questions, run, write_task
from pipeline.errors import InputError
from pipeline.records import Example, MixedExample
from pipeline.storage.parquet import write_examples, write_mixed

PARAMS = ShortAbilityParams(
    tasks=[OWN_TASK], num_examples=10, limit=None, batch_size=4, num_resamples=100, dtype="float32", seed=1
)
SETTINGS = {"dtype": "float32", "batch_size": 4, "limit": None, "max_length": None, "lengths": [], "seed": 1}


def make_example(number: int) -> Example:
    return Example(
        example_id=f"{number:016x}", task="short", question=f"What is {number} and 1?", answer=f"It is {number + 1}.",
        doc_ids=(), evidence=(), teacher="human", licence="CC0-1.0",
    )  # fmt: skip


EXAMPLES = [make_example(number) for number in range(12)]


def test_each_question_has_its_own_answer_among_three_others() -> None:
    questions = make_questions(EXAMPLES, 10, 1)
    assert len(questions) == 10
    answers = {example.example_id: example.answer for example in EXAMPLES}
    for question in questions:
        assert question["choices"][question["gold"]] == answers[question["id"]]
        assert len(set(question["choices"])) == 4
    assert len({question["gold"] for question in questions}) > 1
    assert make_questions(EXAMPLES[::-1], 10, 1) == questions


def test_too_few_examples_are_refused() -> None:
    with pytest.raises(InputError, match="found 3 short examples that were not trained on"):
        make_questions(EXAMPLES[:3], 10, 1)


def test_the_task_is_one_that_lm_eval_reads(tmp_path: Path) -> None:
    write_task(tmp_path / "tasks", make_questions(EXAMPLES, 10, 1))
    task = yaml.safe_load((tmp_path / "tasks" / f"{OWN_TASK}.yaml").read_text())
    rows = [json.loads(line) for line in Path(task["dataset_kwargs"]["data_files"]["test"]).read_text().splitlines()]
    assert len(rows) == 10
    assert {"question", "choices", "gold"} <= set(rows[0])


def test_the_command_has_what_was_asked_for(tmp_path: Path) -> None:
    own = build_command("base", [OWN_TASK], tmp_path, include=tmp_path / "tasks", settings=SETTINGS)
    assert own[1:4] == ["-m", "eval.lm_eval_own_tasks", "run"]
    assert own[own.index("--model_args") + 1] == "pretrained=base,dtype=float32"
    assert own[own.index("--include_path") + 1] == str(tmp_path / "tasks")
    assert "--limit" not in own
    assert "--metadata" not in own
    settings = {**SETTINGS, "limit": 5, "max_length": 8_192, "lengths": [4_096, 8_192]}
    online = build_command("org/model", ["ruler", "longbench2"], tmp_path, include=None, settings=settings)
    assert online[1:4] == ["-m", "lm_eval", "run"]
    assert online[online.index("--tasks") + 1] == "ruler,longbench2"
    assert online[online.index("--model_args") + 1] == "pretrained=org/model,dtype=float32,max_length=8192"
    assert json.loads(online[online.index("--metadata") + 1]) == {
        "pretrained": "org/model", "max_seq_lengths": [4_096, 8_192]
    }  # fmt: skip
    assert online[online.index("--limit") + 1] == "5"


def test_lm_eval_parses_the_commands(tmp_path: Path) -> None:
    parser = pytest.importorskip("lm_eval._cli.harness", reason="the extra eval is not installed").HarnessCLI()._parser
    settings = {**SETTINGS, "limit": 5, "max_length": 8_192, "lengths": [4_096]}
    command = build_command("org/model", ["ruler"], tmp_path, include=tmp_path, settings=settings)
    parsed = parser.parse_args(command[3:])
    assert parsed.limit == 5
    assert parsed.metadata["max_seq_lengths"] == [4_096]


def test_scores_are_paired_by_document() -> None:
    base = pd.DataFrame([{"task": "t", "doc_id": number, "score": float(number < 5)} for number in range(10)])
    tuned = pd.DataFrame(
        [{"task": "t", "doc_id": number, "score": float(number < 8)} for number in reversed(range(10))]
    )
    found = compare({"base": base, "tuned": tuned}, 100, 1)
    assert found["tasks"]["t"]["base"]["value"] == 0.5
    assert found["differences"]["t"]["value"] == pytest.approx(0.3)
    assert found["differences"]["t"]["p"] == pytest.approx(0.25)  # McNemar: three changed, all one way
    part = found["differences"]["t"]
    assert part["low"] < 0.3 < part["high"]


def test_a_folder_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no samples with a score"):
        read_scores(tmp_path)


def write_inputs(folder: Path) -> dict[str, Path]:
    write_examples(folder / "short" / "examples-00000.parquet", EXAMPLES)
    rows = [MixedExample("Q", "A", 2, (), example) for example in EXAMPLES[:2]]
    write_mixed(folder / "mix" / "train-00000.parquet", rows)
    return {"examples": folder / "short", "dataset": folder / "mix"}


@pytest.mark.long
def test_lm_eval_measures_both_models(tmp_path: Path, tiny_model: Path) -> None:
    pytest.importorskip("lm_eval", reason="the extra eval is not installed")
    inputs = write_inputs(tmp_path)
    run(PARAMS, base=str(tiny_model), tuned=str(tiny_model), **inputs, out=tmp_path / "out")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    cell = metrics["tasks"][OWN_TASK]
    assert cell["base"]["n"] == 10  # of twelve examples two were trained on
    assert cell["base"] == cell["tuned"]
    assert metrics["differences"][OWN_TASK]["value"] == 0
    assert list((tmp_path / "out" / "base").rglob("results_*.json"))


def test_our_task_is_measured_alone() -> None:
    with pytest.raises(ValidationError, match="short_answers alone"):
        ShortAbilityParams.model_validate({**dict(PARAMS), "tasks": [OWN_TASK, "arc_challenge"]})
