"""RULER's tasks are asked of both models, scored, and kept with their hashes; what cannot be asked has a reason."""

import json
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from eval.haystack import read_haystack
from eval.models.records import Reply
from eval.report_parts.part import Folders
from eval.report_parts.ruler import make_part
from eval.ruler import TOO_LONG, RulerParams, answer_samples, keep_samples, run, summarise
from eval.ruler_tasks.samples import RULER_TASKS, TASKS, make_samples, read_samples
from pipeline.errors import InputError
from pipeline.files import hash_file
from tests.eval.prose import MODEL, write_prose
from tests.pipeline.endpoint.test_client import PARAMS as ENDPOINT

PARAMS = RulerParams(
    lengths=[1_500, 2_500],
    tasks=["niah_single_1", "vt", "qa_1", "lines"],
    num_samples=2,
    max_reply_tokens=8,
    num_resamples=200,
    model=MODEL,
    endpoint=ENDPOINT,
    seed=1,
)


class Oracle:
    """A model that knows the references of all samples, and refuses one task."""

    name = "oracle"
    max_context_tokens = 2_000

    def __init__(self, samples, refused: str = "") -> None:
        self.references = {sample.question + sample.document: sample for sample in samples}
        self.refused = refused
        self.limits: list[int] = []

    def respond(self, prompts, sampling) -> list[Reply]:
        self.limits += [sampling.max_tokens] * len(prompts)
        found = [self.references[prompt.question + prompt.document] for prompt in prompts]
        return [
            Reply(" ".join(one.references), 1, 1, True, refused="budget" if one.task == self.refused else "")
            for one in found
        ]


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_prose(tmp_path / "curate")


@pytest.fixture
def samples(documents: Path):
    made = make_samples(list(TASKS), [1_500, 2_500], 1, read_haystack(documents, 1), lambda text: len(text.split()), 1)
    return keep_samples(made, PARAMS)[0]


def test_an_oracle_gets_everything_and_what_is_too_long_or_refused_is_said(samples) -> None:
    params = PARAMS.model_copy(update={"max_reply_tokens": None})
    oracle = Oracle(samples, refused="cwe")
    rows = pd.DataFrame(answer_samples(oracle, samples, params))
    assert list(rows["task"]) == [sample.task for sample in samples]
    short = rows[(rows["length"] == 1_500) & ~rows["task"].isin(["cwe"])]
    plain = short[~short["task"].str.startswith("mrcr")]
    assert (plain["score"] == 1).all()
    assert set(rows[rows["length"] == 2_500]["reason"]) >= {TOO_LONG}
    assert set(rows[rows["task"] == "cwe"]["reason"]) == {"budget", TOO_LONG}
    assert set(oracle.limits) == {128, 120, 50, 32, 30, 16, 256}


def test_the_mean_is_over_rulers_tasks_alone() -> None:
    rows = [("vt", 1.0), ("vt", 0.5), ("qa_1", 0.0), ("qa_1", 0.0), ("lines", 1.0), ("fwe", None)]
    frame = pd.DataFrame([{"model": "base", "length": 10, "task": task, "score": score} for task, score in rows])
    cell = summarise(frame)["10"]["base"]
    assert cell["score"]["value"] == pytest.approx((0.75 + 0.0) / 2)
    assert cell["score"]["n"] == 4
    assert cell["num_tasks"] == 2
    assert cell["tasks"]["lines"]["value"] == 1
    assert set(cell["tasks"]) == {"vt", "qa_1", "lines"}


def test_both_models_are_asked_and_reported(tmp_path: Path, tiny_model: Path, documents: Path) -> None:
    run(PARAMS, base=str(tiny_model), tuned=str(tiny_model), documents=documents, out=tmp_path / "ruler")
    metrics = json.loads((tmp_path / "ruler" / "metrics.json").read_text())
    replies = pd.read_json(tmp_path / "ruler" / "replies.jsonl", lines=True)
    assert len(replies) == 2 * 2 * 4 * 2
    for length in PARAMS.lengths:
        path = tmp_path / "ruler" / f"samples-{length}.jsonl"
        assert metrics["sha256"][path.name] == hash_file(path)
        assert {sample.length for sample in read_samples(path)} == {length}
        assert metrics["lengths"][str(length)]["base"]["num_tasks"] == 3
    assert metrics["differences"]["1500"]["n"] == 6
    assert metrics["effective_lengths"] == {"base": None, "tuned": None}  # a random model scores nothing
    part = make_part(Folders(tmp_path, tmp_path))
    assert len(part.table) == 2 * (1 + 4)
    assert part.figure.count("<title>") == 2 * 2 + 1


def test_equal_inputs_give_equal_bytes(tmp_path: Path, tiny_model: Path, documents: Path) -> None:
    params = PARAMS.model_copy(update={"lengths": [1_500]})
    for name in ("one", "two"):
        run(params, base=str(tiny_model), tuned=str(tiny_model), documents=documents, out=tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_lengths_in_which_nothing_has_room_are_refused(tmp_path: Path, tiny_model: Path, documents: Path) -> None:
    params = PARAMS.model_copy(update={"lengths": [60]})
    with pytest.raises(InputError, match="in which no task has room"):
        run(params, base=str(tiny_model), tuned=str(tiny_model), documents=documents, out=tmp_path / "ruler")


def test_a_task_that_does_not_exist_is_named() -> None:
    with pytest.raises(ValidationError, match="not niah_single_4"):
        RulerParams.model_validate({**dict(PARAMS), "tasks": ["vt", "niah_single_4"]})


def test_the_default_asks_all_of_rulers_tasks(root: Path) -> None:
    assert RulerParams.load(root / "params.yaml").tasks == list(RULER_TASKS)
