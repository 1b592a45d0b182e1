"""A pass key counts as found exactly when greedy decoding would write it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from eval.passkey import PasskeyParams, Trial, compare, make_trials, run, score_trial
from eval.prefix_scoring import PrefixScorer
from eval.report_parts.part import Folders
from eval.report_parts.passkey import make_part
from eval.scoring import load_model, load_tokenizer, score_tokens
from pipeline.errors import InputError

PARAMS = PasskeyParams(lengths=[250, 400], num_trials=4, num_resamples=200, dtype="float32", seed=1)


def test_prompts_keep_to_their_length_and_the_key_to_its_depth(tiny_tokenizer) -> None:
    trials = list(make_trials(PARAMS.model_copy(update={"lengths": [250, 2_500]}), tiny_tokenizer))
    assert len(trials) == 8
    for trial in trials:
        assert len(tiny_tokenizer(f"{trial.prompt} {trial.key}")["input_ids"]) <= trial.length
        assert trial.prompt.count(trial.key) == 2
    places = [trial.prompt.index(trial.key) / len(trial.prompt) for trial in trials if trial.length == 2_500]
    assert places == sorted(places)
    assert places[0] < 0.3
    assert places[-1] > 0.7
    assert len({trial.key for trial in trials}) == 8


def test_trials_are_the_same_for_the_same_seed_and_others_for_another(tiny_tokenizer) -> None:
    again = list(make_trials(PARAMS, tiny_tokenizer))
    assert list(make_trials(PARAMS, tiny_tokenizer)) == again
    other = PARAMS.model_copy(update={"seed": 2})
    assert not {t.key for t in make_trials(other, tiny_tokenizer)} & {t.key for t in again}


def test_the_likeliest_tokens_are_those_that_greedy_decoding_writes(tiny_model: Path) -> None:
    model, tokenizer = load_model(tiny_model, "float32"), load_tokenizer(tiny_model)
    prompt = tokenizer("The pass key is", return_tensors="pt")
    written = model.generate(**prompt, max_new_tokens=6, min_new_tokens=6, do_sample=False)
    assert score_tokens(model, written)[1][0, -6:].all()
    written[0, -1] = (written[0, -1] + 1) % 300
    assert not score_tokens(model, written)[1][0, -1]


def test_a_trial_is_scored_on_its_key_alone(tiny_model: Path) -> None:
    model, tokenizer = load_model(tiny_model, "float32"), load_tokenizer(tiny_model)
    scorer = PrefixScorer(model)
    trial = Trial(100, 0.5, "71", "The pass key is 71. The pass key is")
    answer = score_trial(scorer, tokenizer, trial)
    losses, hits = score_tokens(model, tokenizer(f"{trial.prompt} 71", return_tensors="pt")["input_ids"])
    num_key_tokens = answer["num_tokens"] - len(tokenizer(trial.prompt)["input_ids"])
    assert answer["nll"] == pytest.approx(float(losses[0, -num_key_tokens:].mean()))
    assert answer["found"] is bool(hits[0, -num_key_tokens:].all())


def test_every_trial_is_written_and_counted(tmp_path: Path, tiny_model: Path) -> None:
    run(PARAMS, base=tiny_model, tuned=tiny_model, out=tmp_path / "out")
    rows = pd.read_json(tmp_path / "out" / "trials.jsonl", lines=True)
    written = json.loads((tmp_path / "out" / "metrics.json").read_text())
    metrics = written["lengths"]
    assert len(rows) == 2 * 2 * 4
    cell = metrics["400"]["tuned"]
    assert cell["num_trials"] == 4
    assert 0 <= cell["found"]["low"] <= cell["found"]["value"] <= cell["found"]["high"] <= 1
    assert cell["nll"]["low"] <= cell["nll"]["value"] <= cell["nll"]["high"]
    assert cell["nll"]["value"] == pytest.approx(
        rows[(rows["length"] == 400) & (rows["model"] == "tuned")]["nll"].mean(), abs=1e-5
    )
    difference = written["differences"]["400"]
    assert difference["nll"]["value"] == difference["found"]["value"] == 0
    assert difference["found"]["low"] < 0 < difference["found"]["high"]


def test_shares_are_given_by_fifth_and_effective_lengths_by_model(tmp_path: Path, tiny_model: Path) -> None:
    params = PARAMS.model_copy(update={"num_trials": 10})
    run(params, base=tiny_model, tuned=tiny_model, out=tmp_path / "out")
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    depths = metrics["lengths"]["400"]["base"]["depths"]
    assert [(cell["depth"], cell["n"]) for cell in depths] == [(number, 2) for number in range(5)]
    assert metrics["effective_lengths"] == {"base": None, "tuned": None}  # a random model finds nothing


def test_the_report_reads_what_was_measured(tmp_path: Path, tiny_model: Path) -> None:
    run(PARAMS, base=tiny_model, tuned=tiny_model, out=tmp_path / "passkey")
    part = make_part(Folders(tmp_path, tmp_path))
    assert list(zip(part.table["length"], part.table["what"], strict=True)) == [
        (length, what) for length in ("250", "400") for what in ("found", "nats a digit")
    ]
    assert part.table["base"].str.contains(r"\d%? \[").all()
    assert set(part.table["trials"]) == {4}
    assert next(iter(part.table["detectable"])) == "none"  # four trials are too few for any
    assert part.figure.count("<title>") == 2 * 2 * 4
    assert part.overview[0][3].startswith("4 trials; +0% [")


def test_differences_pair_the_trials_of_both_models_by_depth() -> None:
    rows = [
        {"model": model, "length": 400, "depth": depth, "found": model == "tuned", "nll": nll + depth}
        for model, nll, depths in (("base", 2.0, (0.1, 0.5, 0.9)), ("tuned", 1.0, (0.9, 0.1, 0.5)))
        for depth in depths
    ]
    cell = compare(pd.DataFrame(rows), PARAMS)["400"]
    assert cell["found"]["value"] == 1.0
    assert cell["nll"]["value"] == pytest.approx(-1.0)
    assert cell["nll"]["high"] == pytest.approx(-1.0)  # unpaired losses would differ by depth too


def test_a_length_that_does_not_hold_the_question_says_what_would(tmp_path: Path, tiny_model: Path) -> None:
    with pytest.raises(InputError, match="key 'lengths': found 20; expected at least"):
        run(PARAMS.model_copy(update={"lengths": [20]}), base=tiny_model, tuned=tiny_model, out=tmp_path / "out")
