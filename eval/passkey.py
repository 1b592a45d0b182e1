"""Hide a pass key in idle text and see whether the base and the tuned model find it.

All trials of a length have one text, and differ in the key and in its depth. In the order of their depths they share
what is before the key, which is read once.

Reads   BASE, TUNED         models
Writes  OUT/trials.jsonl    one object a model, length and trial: depth, key, found, nll of the key's digits
        OUT/metrics.json    share of keys found with Wilson's interval, and the mean nll of a digit, by length; the
                            share by depth too; the paired differences over trials, tuned minus base; effective lengths
Source  Mohtashami and Jaggi, Landmark Attention (arXiv 2305.16300), section 4.2; the wording is our own
"""

import logging
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import torch
from pydantic import Field
from tqdm import tqdm

from eval.effective_length import find_effective_lengths
from eval.haystack import fill, hide, repeat_filler
from eval.prefix_scoring import PrefixScorer, join_answer
from eval.scoring import load_model, load_tokenizer
from eval.stats import Difference, bootstrap_mean, compare_means, compare_shares, correct_family, wilson
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from train.recipe import Dtype

MODELS = ("base", "tuned")
OPENING = "Somewhere in the pages below a pass key is written. Read on and keep it in mind.\n\n"
NEEDLE = "The pass key is {key}. Remember it: {key} is the pass key."
QUESTION = "\n\nWhat is the pass key that was written in the pages above? The pass key is"
NUM_DIGITS = 5
NUM_DEPTHS = 5  # parts of a text that shares are given for
log = logging.getLogger(__name__)


class PasskeyParams(Params):
    """Section `passkey` of params.yaml."""

    lengths: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)  # tokens of the whole prompt, at most
    num_trials: int = Field(ge=1)  # per length, with the key at evenly spaced depths
    num_resamples: int = Field(ge=1)  # of the bootstrap over trials
    dtype: Dtype
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Trial:
    """A prompt, the key hidden in it, and how deep: 0 at the start, 1 at the end."""

    length: int
    depth: float
    key: str
    prompt: str


def make_trials(params: PasskeyParams, tokenizer: Any) -> Iterator[Trial]:
    """Yield the trials of every length by depth, the same ones for every model with the same tokenizer."""
    for length in params.lengths:
        lines = fill_length(length, params.seed, tokenizer)
        for number in range(params.num_trials):
            key = draw_key(params.seed, length, number)
            depth = (number + 0.5) / params.num_trials
            text = hide([NEEDLE.format(key=key)], [depth], lines)
            yield Trial(length, depth, key, f"{OPENING}{text}{QUESTION}")


def draw_key(seed: int, length: int, number: int) -> str:
    """Return the digits of a trial's key."""
    return "".join(random.Random(f"{seed}:{length}:{number}").choices("123456789", k=NUM_DIGITS))  # noqa: S311


def fill_length(length: int, seed: int, tokenizer: Any) -> list[str]:
    """Return the idle sentences of a length's prompts, with room left for a key, the question and the answer.

    Raises:
        InputError: The question alone is longer than `length`.
    """

    def count_tokens(text: str) -> int:
        return len(tokenizer(text)["input_ids"])

    key = max("123456789", key=count_tokens) * NUM_DIGITS
    spare = 2 * NUM_DIGITS  # a key may have some tokens more than another, and a needle between two sentences too
    room = length - count_tokens(f"{OPENING}{NEEDLE.format(key=key)}{QUESTION} {key}") - spare
    if room < 0:
        raise InputError(
            "section 'passkey', key 'lengths'",
            found=f"{length}",
            expected=f"at least {length - room} tokens, which the question alone takes",
            fix="Raise it.",
        )
    return fill(room, repeat_filler(random.Random(f"{seed}:{length}")), count_tokens)  # noqa: S311 - no secret


def score_trial(scorer: PrefixScorer, tokenizer: Any, trial: Trial) -> dict[str, Any]:
    """Score the key after the prompt in one forward pass.

    Greedy decoding finds the key exactly if each of its tokens is the most likely one after the tokens before it, so
    nothing needs to be generated.
    """
    ids, num_key_tokens = join_answer(tokenizer, trial.prompt, f" {trial.key}")
    losses, hits = scorer.score_last(ids, num_key_tokens)
    return {
        "length": trial.length,
        "depth": trial.depth,
        "key": trial.key,
        "num_tokens": len(ids),
        "found": bool(hits.all()),
        "nll": float(losses.mean()),
    }


def summarise(trials: pd.DataFrame, params: PasskeyParams) -> dict[str, Any]:
    """Return the share of keys found and the mean loss with their intervals, by length and model."""
    metrics: dict[str, Any] = {}
    for (length, model), group in trials.groupby(["length", "model"]):
        metrics.setdefault(str(length), {})[model] = {
            "found": asdict(wilson(int(group["found"].sum()), len(group))),
            "nll": asdict(bootstrap_mean(list(group["nll"]), params.num_resamples, params.seed)),
            "num_trials": len(group),
            "depths": share_by_depth(group),
        }
    return metrics


def share_by_depth(trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the share of keys found in each fifth of the text, from its start."""
    fifths = trials.groupby((trials["depth"] * NUM_DEPTHS).astype(int).clip(upper=NUM_DEPTHS - 1))["found"]
    return [{"depth": int(depth), **asdict(wilson(int(found.sum()), len(found)))} for depth, found in fifths]


def list_shares(lengths: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Return the share found by model and length."""
    return {name: {int(length): cell[name]["found"]["value"] for length, cell in lengths.items()} for name in MODELS}


def compare(trials: pd.DataFrame, params: PasskeyParams) -> dict[str, Any]:
    """Return the paired differences of share and loss, tuned minus base, by length; each is a family of its own."""
    families: dict[str, dict[str, Difference]] = {"found": {}, "nll": {}}
    for length, group in trials.groupby("length"):
        base, tuned = (group[group["model"] == name].sort_values("depth") for name in MODELS)
        families["found"][str(length)] = compare_shares(list(tuned["found"]), list(base["found"]))
        losses = list(tuned["nll"]), list(base["nll"])
        families["nll"][str(length)] = compare_means(*losses, params.num_resamples, params.seed)
    corrected: Mapping[str, Any] = {name: correct_family(family) for name, family in families.items()}
    return {length: {name: corrected[name][length] for name in corrected} for length in corrected["found"]}


def run(params: PasskeyParams, *, base: Path, tuned: Path, out: Path) -> None:
    """Give the same prompts to both models and count the keys found."""
    torch.manual_seed(params.seed)
    rows: list[dict[str, Any]] = []
    for name, folder in zip(MODELS, (base, tuned), strict=True):
        scorer, tokenizer = PrefixScorer(load_model(folder, params.dtype)), load_tokenizer(folder)
        trials = tqdm(list(make_trials(params, tokenizer)), desc=f"passkey {name}", unit=" trials", disable=None)
        rows += [{"model": name, **score_trial(scorer, tokenizer, trial)} for trial in trials]
    frame = pd.DataFrame(rows)
    lengths = summarise(frame, params)
    metrics = {
        "lengths": lengths,
        "differences": compare(frame, params),
        "effective_lengths": find_effective_lengths(list_shares(lengths)),
    }
    with replacing(out) as beside:
        beside.mkdir()
        frame.to_json(beside / "trials.jsonl", orient="records", lines=True, double_precision=6)
        write_json(beside / "metrics.json", metrics)
    found = ", ".join(f"{name} {int(group['found'].sum())}/{len(group)}" for name, group in frame.groupby("model"))
    log.info("passkey: %d trials in %s; found: %s", len(frame), out, found)


if __name__ == "__main__":
    run_stage(run)
