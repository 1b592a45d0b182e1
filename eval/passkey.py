"""Hide a pass key in idle text and see whether the base and the tuned model find it.

Reads   BASE, TUNED         models
Writes  OUT/trials.jsonl    one object a model, length and trial: depth, key, found, nll of the key's digits
        OUT/metrics.json    share of keys found with Wilson's interval, and the mean nll of a digit, by length, and the
                            paired differences over trials, tuned minus base
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

from eval.scoring import load_model, load_tokenizer, score_tokens
from eval.stats import Difference, bootstrap_mean, compare_means, compare_shares, correct_family, wilson
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from train.recipe import Dtype

MODELS = ("base", "tuned")
OPENING = "Somewhere in the pages below a pass key is written. Read on and keep it in mind.\n\n"
FILLER = (
    "Rain fell on the harbour all morning, and the boats stayed in.",
    "A clerk counted the barrels twice and wrote the number down.",
    "The road to the mill is long, but it is level and dry.",
    "Nobody had opened the windows of the upper room since spring.",
    "Two goats stood by the gate and waited for the evening.",
    "The baker sells his last loaf at noon and then closes the shop.",
    "Old maps show a second bridge where there is only water now.",
    "She mended the net with a knot that her father had taught her.",
)
NEEDLE = "The pass key is {key}. Remember it: {key} is the pass key."
QUESTION = "\n\nWhat is the pass key that was written in the pages above? The pass key is"
NUM_DIGITS = 5
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
    """Yield the trials of every length, the same ones for every model with the same tokenizer."""
    for length in params.lengths:
        for number in range(params.num_trials):
            random_number = random.Random(f"{params.seed}:{length}:{number}")  # noqa: S311 - no secret
            key = "".join(random_number.choices("123456789", k=NUM_DIGITS))
            depth = (number + 0.5) / params.num_trials
            yield Trial(length, depth, key, fill_prompt(length, depth, key, random_number, tokenizer))


def fill_prompt(length: int, depth: float, key: str, random_number: random.Random, tokenizer: Any) -> str:
    """Return a prompt of at most `length` tokens, with room for the answer and the key at the given depth.

    Raises:
        InputError: The question alone is longer than `length`.
    """
    needle = NEEDLE.format(key=key)
    room = length - count_tokens(tokenizer, f"{OPENING}{needle}{QUESTION} {key}")
    if room < 0:
        raise InputError(
            "section 'passkey', key 'lengths'",
            found=f"{length}",
            expected=f"at least {length - room} tokens, which the question alone takes",
            fix="Raise it.",
        )
    lines: list[str] = []
    while (line := random_number.choice(FILLER)) and (room := room - count_tokens(tokenizer, f" {line}")) >= 0:
        lines.append(line)
    lines.insert(round(depth * len(lines)), needle)
    return f"{OPENING}{' '.join(lines)}{QUESTION}"


def count_tokens(tokenizer: Any, text: str) -> int:
    """Return the number of tokens of a text."""
    return len(tokenizer(text)["input_ids"])


def score_trial(model: Any, tokenizer: Any, trial: Trial) -> dict[str, Any]:
    """Score the key after the prompt in one forward pass.

    Greedy decoding finds the key exactly if each of its tokens is the most likely one after the tokens before it, so
    nothing needs to be generated.
    """
    prompt_ids = tokenizer(trial.prompt, return_tensors="pt")["input_ids"]
    ids = tokenizer(f"{trial.prompt} {trial.key}", return_tensors="pt")["input_ids"]
    num_key_tokens = ids.shape[1] - prompt_ids.shape[1]
    assert torch.equal(ids[:, :-num_key_tokens], prompt_ids), "the key's first token has merged with the prompt"
    losses, hits = score_tokens(model, ids, num_key_tokens)
    return {
        "length": trial.length,
        "depth": trial.depth,
        "key": trial.key,
        "num_tokens": ids.shape[1],
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
        }
    return metrics


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
        model, tokenizer = load_model(folder, params.dtype), load_tokenizer(folder)
        trials = tqdm(list(make_trials(params, tokenizer)), desc=f"passkey {name}", unit=" trials", disable=None)
        rows += [{"model": name, **score_trial(model, tokenizer, trial)} for trial in trials]
    frame = pd.DataFrame(rows)
    metrics = {"lengths": summarise(frame, params), "differences": compare(frame, params)}
    with replacing(out) as beside:
        beside.mkdir()
        frame.to_json(beside / "trials.jsonl", orient="records", lines=True, double_precision=6)
        write_json(beside / "metrics.json", metrics)
    found = ", ".join(f"{name} {int(group['found'].sum())}/{len(group)}" for name, group in frame.groupby("model"))
    log.info("passkey: %d trials in %s; found: %s", len(frame), out, found)


if __name__ == "__main__":
    run_stage(run)
