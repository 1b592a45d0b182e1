"""Hide needles in the prose of held-out documents and see which of them the base and the tuned model find.

Each text has one needle at each depth, about different towns; each is asked for in turn, so that a text is read once
for all of them, and the others are there to mislead. A local model is scored on the number in one pass: it is found if
greedy decoding would write it. A model behind an endpoint writes a reply, in which the number is looked for.

Reads   BASE, TUNED         models: a folder, the name of one on the Hub, or the address of an endpoint
        DOCUMENTS/*.parquet curated documents, of which those of the test split are the haystack
Writes  OUT/trials.jsonl    one object a model, length, text and depth: place, number, score (1 if found), nll, reply
        OUT/metrics.json    the share found by length and depth, paired differences, and effective lengths
Source  github.com/gkamradt/LLMTest_NeedleInAHaystack for the grid; no judge, and no essays under copyright
"""

import logging
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field
from tqdm import tqdm

from eval.effective_length import find_effective_lengths
from eval.haystack import CountTokens, Haystack, fill, hide, read_haystack
from eval.model_pair import MODELS, compare_scores, measure_both, require_scores
from eval.models.local import LocalModel
from eval.models.records import ChatModel, ModelParams, Prompt, Sampling
from eval.prefix_scoring import PrefixScorer, join_answer
from eval.stats import bootstrap_mean, bound_score, count_independent, wilson
from pipeline.cli import run_stage
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.rejections import count_reasons

OPENING = "Remember the numbers above the gates that are named below; you are asked for one of them at the end.\n\n"
NEEDLE = "The number painted above the gate of {place} is {number}."
QUESTION = "\n\nWhich number is painted above the gate of {place}?"
ANSWER_START = " The number painted above the gate of {place} is"
PLACES = (
    "Ostrevik", "Callowmere", "Drunhallow", "Esterbrake", "Fennimoor", "Gallantry", "Hesperdon", "Inverlosh",
    "Jarrowick", "Kettlemarsh", "Lindisfold", "Morrowgate", "Netherwold", "Orrisham", "Pellandine", "Quillborough",
    "Rookhaven", "Sallowfield", "Tarnwater", "Underlyne", "Vexholme", "Withybrook", "Yarrowdale", "Zennorth",
)  # fmt: skip
SPARE_TOKENS = 16  # for sentences that have a token more between others than alone
log = logging.getLogger(__name__)


class NeedleParams(Params):
    """Section `needle` of params.yaml."""

    lengths: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)  # tokens of prompt and reply, at most
    num_depths: int = Field(ge=2, le=len(PLACES))  # evenly from the start of a text to its end
    num_haystacks: int = Field(ge=1)  # texts of each length
    max_reply_tokens: int = Field(ge=12)  # of a model behind an endpoint
    num_resamples: int = Field(ge=1)  # of the bootstrap over texts
    model: ModelParams
    endpoint: EndpointParams
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Trial:
    """A question about one of the needles in a text."""

    length: int
    haystack: int
    depth: float
    place: str
    number: str
    document: str

    @property
    def prompt(self) -> Prompt:
        """The prompt, whose document is equal for all needles in one text."""
        return Prompt(self.document, QUESTION.format(place=self.place), ANSWER_START.format(place=self.place).lstrip())


def make_trials(params: NeedleParams, haystack: Haystack, count_tokens: CountTokens) -> Iterator[Trial]:
    """Yield the trials by length and text, the same ones for every model with the same tokenizer."""
    depths = [number / (params.num_depths - 1) for number in range(params.num_depths)]
    for length in sorted(params.lengths):
        for number in range(params.num_haystacks):
            draw = random.Random(f"{params.seed}:{length}:{number}")  # noqa: S311 - no secret
            places = draw.sample(PLACES, params.num_depths)
            numbers = [str(drawn) for drawn in draw.sample(range(10**5, 10**6), params.num_depths)]
            needles = [NEEDLE.format(place=one, number=n) for one, n in zip(places, numbers, strict=True)]
            room = find_room(length, needles, params.max_reply_tokens, count_tokens)
            sentences = fill(room, haystack.iterate_from(draw.randrange(len(haystack.sentences))), count_tokens)
            document = OPENING + hide(needles, depths, sentences)
            for depth, place, own in zip(depths, places, numbers, strict=True):
                yield Trial(length, number, depth, place, own, document)


def find_room(length: int, needles: Sequence[str], max_reply_tokens: int, count_tokens: CountTokens) -> int:
    """Return how many tokens of prose fit beside the needles, the question and the reply.

    Raises:
        InputError: None do.
    """
    question = (QUESTION + ANSWER_START).format(place=max(PLACES, key=count_tokens))
    taken = count_tokens(OPENING + " ".join(needles) + question) + max_reply_tokens + SPARE_TOKENS
    if taken >= length:
        raise InputError(
            "section 'needle', key 'lengths'",
            found=f"{length}",
            expected=f"more than {taken} tokens, which the needles, the question and the reply take",
            fix="Raise it, or lower num_depths.",
        )
    return length - taken


def answer_trials(model: ChatModel, trials: Sequence[Trial], params: NeedleParams) -> list[dict[str, Any]]:
    """Return a record of each trial: whether the model finds the number, and its loss or its reply."""
    answer = score_numbers if isinstance(model, LocalModel) else read_replies
    found = answer(model, trials, params)
    fields = ("length", "haystack", "depth", "place", "number")
    return [{**{key: getattr(trial, key) for key in fields}, **row} for trial, row in zip(trials, found, strict=True)]


def score_numbers(model: Any, trials: Sequence[Trial], params: NeedleParams) -> Iterator[dict[str, Any]]:
    """Yield whether each number is what greedy decoding would write, and the mean loss of its tokens in nats."""
    del params
    scorer, tokenizer = PrefixScorer(model.model), model.writer.tokenizer
    for trial in tqdm(trials, desc="needle", unit=" trials", disable=None):
        text = f"{trial.document}{trial.prompt.question} {trial.prompt.answer_start}"
        losses, hits = scorer.score_last(*join_answer(tokenizer, text, f" {trial.number}"))
        yield {"score": float(hits.all()), "nll": float(losses.mean()), "reply": None, "reason": ""}


def read_replies(model: ChatModel, trials: Sequence[Trial], params: NeedleParams) -> Iterator[dict[str, Any]]:
    """Yield whether each number is in the model's reply."""
    sampling = Sampling(max_tokens=params.max_reply_tokens, temperature=0.0, top_p=1.0, seed=params.seed)
    replies = model.respond([trial.prompt for trial in trials], sampling)
    for trial, reply in zip(trials, replies, strict=True):
        score = None if reply.refused else float(trial.number in reply.text)
        yield {"score": score, "nll": None, "reply": reply.text, "reason": reply.refused}


def summarise(rows: pd.DataFrame, params: NeedleParams) -> dict[str, Any]:
    """Return the share found by length and model, and in each by depth."""
    metrics: dict[str, Any] = {}
    for (length, model), group in rows.dropna(subset=["score"]).groupby(["length", "model"]):
        texts = [list(own["score"]) for _, own in group.groupby("haystack")]
        losses = [float(own["nll"].mean()) for _, own in group.groupby("haystack") if own["nll"].notna().all()]
        metrics.setdefault(str(length), {})[model] = {
            "found": asdict(bound_score(float(group["score"].mean()), count_independent(texts))),
            "num_trials": len(group),
            "num_texts": len(texts),
            "nll": asdict(bootstrap_mean(losses, params.num_resamples, params.seed)) if losses else None,
            "depths": [
                {"depth": depth, **asdict(wilson(int(own["score"].sum()), len(own)))}
                for depth, own in group.groupby("depth")
            ],
        }
    return metrics


def list_shares(lengths: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Return the share found by model and length."""
    return {
        name: {int(length): cell[name]["found"]["value"] for length, cell in lengths.items() if name in cell}
        for name in MODELS
    }


def run(params: NeedleParams, *, base: str, tuned: str, documents: Path, out: Path) -> None:
    """Ask both models for the same needles in the same texts."""
    haystack = read_haystack(documents, params.seed)
    trials: list[Trial] = []

    def measure(model: ChatModel) -> list[dict[str, Any]]:
        trials.extend([] if trials else make_trials(params, haystack, model.count_tokens))
        return answer_trials(model, trials, params)

    found = measure_both((base, tuned), params, out.with_name(f"{out.name}-replies"), measure)
    frame = pd.DataFrame([{"model": name, **row} for name, rows in found.items() for row in rows])
    require_scores(frame)
    lengths = summarise(frame, params)
    metrics = {
        "lengths": lengths,
        "differences": compare_scores(frame, "length", "haystack", params.num_resamples, params.seed),
        "effective_lengths": find_effective_lengths(list_shares(lengths)),
        "refused": count_reasons(reason for reason in frame["reason"] if reason),
        "haystack": {"doc_ids": haystack.doc_ids, "num_sentences": len(haystack.sentences)},
    }
    with replacing(out) as beside:
        beside.mkdir()
        frame.to_json(beside / "trials.jsonl", orient="records", lines=True, double_precision=6, force_ascii=False)
        write_json(beside / "metrics.json", metrics)
    shares = ", ".join(f"{name} {int(group['score'].sum())}/{len(group)}" for name, group in frame.groupby("model"))
    log.info("needle: %d texts in %s; found: %s", len(trials) // params.num_depths, out, shares)


if __name__ == "__main__":
    run_stage(run)
