"""Needles lie at their depths, are asked for one by one, and count as found when the model would write them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from eval.haystack import read_haystack
from eval.model_pair import compare_scores
from eval.models.local import LocalModel
from eval.models.records import Reply
from eval.needle import NeedleParams, answer_trials, make_trials, run
from eval.report_parts.needle import make_part
from eval.report_parts.part import Folders
from pipeline.errors import InputError
from tests.eval.prose import MODEL, write_prose
from tests.pipeline.endpoint.test_client import PARAMS as ENDPOINT

PARAMS = NeedleParams(
    lengths=[1_200, 1_600],
    num_depths=3,
    num_haystacks=2,
    max_reply_tokens=24,
    num_resamples=200,
    model=MODEL,
    endpoint=ENDPOINT,
    seed=1,
)


class Oracle:
    """A model that finds the needles of the first half of a text."""

    name = "oracle"
    max_context_tokens = 10_000

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def respond(self, prompts, sampling) -> list[Reply]:
        return [self.reply(prompt) for prompt in prompts]

    def reply(self, prompt) -> Reply:
        place = prompt.question.removesuffix("?").split()[-1]
        before, _, after = prompt.document.partition(f"the gate of {place} is ")
        is_found = len(before) < len(prompt.document) / 2
        return Reply(f"It is {after[:6]}." if is_found else "I do not know.", 1, 1, is_complete=True)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return write_prose(tmp_path / "curate")


def test_every_needle_of_a_text_is_asked_for_at_its_depth(documents: Path, tiny_model: Path) -> None:
    count = LocalModel(str(tiny_model), MODEL).count_tokens
    trials = list(make_trials(PARAMS, read_haystack(documents, 1), count))
    assert len(trials) == 2 * 2 * 3
    for trial in trials:
        prompt = trial.prompt
        assert count(f"{prompt.document}{prompt.question} {prompt.answer_start} {trial.number}") <= trial.length
        assert prompt.document.count(f"the gate of {trial.place} is {trial.number}.") == 1
        assert trial.number not in prompt.question + prompt.answer_start
    of_one = [trial for trial in trials if (trial.length, trial.haystack) == (1_600, 1)]
    assert len({trial.document for trial in of_one}) == 1
    places = [trial.document.index(trial.number) / len(trial.document) for trial in of_one]
    assert places[0] < 0.2 < 0.4 < places[1] < 0.7 < 0.9 < places[2]


def test_a_model_behind_an_endpoint_is_scored_by_its_reply(documents: Path) -> None:
    haystack = read_haystack(documents, 1)
    trials = list(make_trials(PARAMS, haystack, Oracle().count_tokens))
    rows = pd.DataFrame(answer_trials(Oracle(), trials, PARAMS))
    assert rows.groupby("depth")["score"].mean().round(3).to_dict() == {
        0.0: 1.0,
        0.5: pytest.approx(0.5, abs=0.5),
        1.0: 0.0,
    }


def test_both_models_are_measured_and_reported(tmp_path: Path, tiny_model: Path, documents: Path) -> None:
    run(PARAMS, base=str(tiny_model), tuned=str(tiny_model), documents=documents, out=tmp_path / "needle")
    rows = pd.read_json(tmp_path / "needle" / "trials.jsonl", lines=True)
    assert len(rows) == 2 * 12
    metrics = json.loads((tmp_path / "needle" / "metrics.json").read_text())
    cell = metrics["lengths"]["1600"]["tuned"]
    assert cell["found"]["n"] <= cell["num_trials"] == 6
    assert [depth["n"] for depth in cell["depths"]] == [2, 2, 2]
    assert cell["nll"]["value"] == pytest.approx(
        rows[(rows["length"] == 1600) & (rows["model"] == "base")]["nll"].mean(), abs=1e-5
    )
    assert metrics["differences"]["1600"]["value"] == 0
    part = make_part(Folders(tmp_path, tmp_path))
    assert list(part.table["texts"]) == [2, 2]
    assert part.figure.count("<title>") == 2 * 2 * 3


def test_a_length_without_room_says_what_would_be_enough(tmp_path: Path, tiny_model: Path, documents: Path) -> None:
    params = PARAMS.model_copy(update={"lengths": [50]})
    with pytest.raises(InputError, match="section 'needle', key 'lengths': found 50; expected more than"):
        run(params, base=str(tiny_model), tuned=str(tiny_model), documents=documents, out=tmp_path / "needle")


def test_differences_are_over_texts_not_over_the_needles_in_them() -> None:
    rows = [
        {"model": model, "length": 100, "haystack": text, "depth": depth, "score": float(model == "tuned" and text > 0)}
        for model in ("base", "tuned")
        for text in range(3)
        for depth in (0.0, 0.5, 1.0)
    ]
    found = compare_scores(pd.DataFrame(rows), "length", "haystack", 200, 1)["100"]
    assert found["n"] == 3
    assert found["value"] == pytest.approx(2 / 3)
