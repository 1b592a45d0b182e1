"""Ask the base and the tuned model RULER's tasks, LongChat's and MRCR's, at several lengths.

The samples are generated here, for any length and tokenizer, and kept with their hashes. Scores are RULER's, but its
question answering is about texts of our own and its essays are held-out documents, so figures are comparable with each
other, and with published ones only roughly.

Reads   BASE, TUNED              models: a folder, the name of one on the Hub, or the address of an endpoint
        DOCUMENTS/*.parquet      curated documents, of which those of the test split are the haystack
Writes  OUT/samples-LENGTH.jsonl the prompts and references of a length
        OUT/replies.jsonl        one object a model and sample: reply and score
        OUT/metrics.json         the mean over RULER's tasks by length, each task's score, paired differences, effective
                                 lengths, the hashes of the samples, and what was left out, by reason
Source  RULER (arXiv 2404.06654); see eval/ruler_tasks for the others
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, field_validator
from tqdm import tqdm

from eval.effective_length import find_effective_lengths
from eval.haystack import read_haystack
from eval.model_pair import MODELS, compare_scores, measure_both, require_scores
from eval.models.records import ChatModel, ModelParams, Prompt, Reply, Sampling
from eval.ruler_tasks.samples import RULER_TASKS, TASKS, make_samples, write_samples
from eval.ruler_tasks.task import Sample
from eval.stats import bound_score
from pipeline.cli import run_stage
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.errors import InputError
from pipeline.files import hash_file, replacing, write_json
from pipeline.params import Params
from pipeline.rejections import Reason, count_reasons, list_rejections

TOO_LONG = "longer than the model's context"
SPARE_TOKENS = 64  # of a chat template
log = logging.getLogger(__name__)


class RulerParams(Params):
    """Section `ruler` of params.yaml."""

    lengths: list[Annotated[int, Field(ge=1)]] = Field(min_length=1)  # tokens of prompt and reply, at most
    tasks: list[str] = Field(min_length=1)  # the score of a length is the mean over those that are RULER's
    num_samples: int = Field(ge=1)  # of each task and length
    max_reply_tokens: int | None = Field(ge=1)  # at most, to save time; null for each task's own, which is RULER's
    num_resamples: int = Field(ge=1)  # of the bootstrap over samples
    model: ModelParams
    endpoint: EndpointParams
    seed: int = Field(ge=0)

    @field_validator("tasks")
    @classmethod
    def check_tasks(cls, names: list[str]) -> list[str]:
        """Refuse a name that is no task's."""
        if unknown := sorted(set(names) - set(TASKS)):
            raise ValueError(f"among {', '.join(TASKS)}, not {', '.join(unknown)}")
        return names


def answer_samples(model: ChatModel, samples: Sequence[Sample], params: RulerParams) -> list[dict[str, Any]]:
    """Return a record of each sample with the reply and its score, or the reason why there is none."""
    rows: list[dict[str, Any]] = []
    progress = tqdm(total=len(samples), desc="ruler", unit=" samples", disable=None)
    for max_tokens, group in groupby(samples, key=lambda sample: limit_reply(sample, params)):
        asked = list(group)
        rows += answer_group(model, asked, max_tokens, params.seed)
        progress.update(len(asked))
    progress.close()
    return rows


def answer_group(model: ChatModel, samples: Sequence[Sample], max_tokens: int, seed: int) -> list[dict[str, Any]]:
    """Return the records of samples whose replies may have equally many tokens."""
    sampling = Sampling(max_tokens=max_tokens, temperature=0.0, top_p=1.0, seed=seed)
    fitting = [one for one in samples if one.num_prompt_tokens + max_tokens + SPARE_TOKENS <= model.max_context_tokens]
    prompts = [Prompt(one.document, one.question, one.answer_start) for one in fitting]
    replies = dict(zip(fitting, model.respond(prompts, sampling), strict=True)) if prompts else {}
    return [make_row(sample, replies.get(sample)) for sample in samples]


def make_row(sample: Sample, reply: Reply | None) -> dict[str, Any]:
    """Return the record of a sample; what the model's context has no room for has no reply."""
    row = {"task": sample.task, "length": sample.length, "number": sample.number}
    if reply is None or reply.refused:
        return {**row, "reply": None, "score": None, "reason": reply.refused if reply else TOO_LONG}
    return {
        **row,
        "reply": reply.text,
        "score": TASKS[sample.task].score(reply.text, sample.references),
        "reason": "",
    }


def limit_reply(sample: Sample, params: RulerParams) -> int:
    """Return how many tokens a reply may have."""
    return min(sample.max_reply_tokens, params.max_reply_tokens or sample.max_reply_tokens)


def summarise(rows: pd.DataFrame) -> dict[str, Any]:
    """Return, by length and model, each task's score, and the mean over RULER's tasks with the interval."""
    metrics: dict[str, Any] = {}
    for (length, model), group in rows.dropna(subset=["score"]).groupby(["length", "model"]):
        tasks = {
            str(task): asdict(bound_score(float(own.mean()), len(own))) for task, own in group.groupby("task")["score"]
        }
        cell: dict[str, Any] = {"tasks": tasks}
        if own := [found for task, found in tasks.items() if task in RULER_TASKS]:
            mean = sum(found["value"] for found in own) / len(own)
            cell["score"] = asdict(bound_score(mean, sum(found["n"] for found in own)))
            cell["num_tasks"] = len(own)
        metrics.setdefault(str(length), {})[model] = cell
    return metrics


def list_means(lengths: Mapping[str, Any]) -> dict[str, dict[int, float]]:
    """Return the mean over RULER's tasks by model and length."""
    return {
        name: {
            int(length): cell[name]["score"]["value"]
            for length, cell in lengths.items()
            if "score" in cell.get(name, {})
        }
        for name in MODELS
    }


def keep_samples(made: Iterator[Sample | Reason], params: RulerParams) -> tuple[list[Sample], list[str]]:
    """Return the samples, and the reasons of those that could not be made.

    Raises:
        InputError: None could.
    """
    samples: list[Sample] = []
    reasons: list[str] = []
    for one in made:
        if isinstance(one, Sample):
            samples.append(one)
        else:
            reasons.append(str(one))
    if not samples:
        raise InputError(
            "section 'ruler', key 'lengths'",
            found=f"{params.lengths}, in which no task has room",
            expected="a length that holds a prompt and its reply",
            fix="Raise it.",
        )
    return samples, reasons


def write_by_length(folder: Path, samples: Sequence[Sample]) -> dict[str, str]:
    """Write the samples of each length to a file of their own, and return the sha256 of each."""
    hashes = {}
    for length, group in groupby(samples, key=lambda sample: sample.length):
        path = folder / f"samples-{length}.jsonl"
        write_samples(path, list(group))
        hashes[path.name] = hash_file(path)
    return hashes


def run(params: RulerParams, *, base: str, tuned: str, documents: Path, out: Path) -> None:
    """Ask both models for the same samples."""
    haystack = read_haystack(documents, params.seed)
    samples: list[Sample] = []
    refused: list[str] = []

    def measure(model: ChatModel) -> list[dict[str, Any]]:
        if not samples:
            settings = params.tasks, params.lengths, params.num_samples, haystack, model.count_tokens, params.seed
            kept, reasons = keep_samples(make_samples(*settings), params)
            samples.extend(kept)
            refused.extend(reasons)
        return answer_samples(model, samples, params)

    found = measure_both((base, tuned), params, out.with_name(f"{out.name}-replies"), measure)
    frame = pd.DataFrame([{"model": name, **row} for name, rows in found.items() for row in rows])
    require_scores(frame)
    refused += [reason for reason in frame["reason"] if reason]
    lengths = summarise(frame)
    with replacing(out) as beside:
        beside.mkdir()
        frame.to_json(beside / "replies.jsonl", orient="records", lines=True, double_precision=6, force_ascii=False)
        scored = frame[frame["task"].isin(RULER_TASKS)]
        metrics = {
            "lengths": lengths,
            "differences": compare_scores(scored, "length", ["task", "number"], params.num_resamples, params.seed),
            "effective_lengths": find_effective_lengths(list_means(lengths)),
            "sha256": write_by_length(beside, samples),
            "max_reply_tokens": params.max_reply_tokens,
            "refused": count_reasons(refused),
            "haystack": list(haystack.doc_ids),
        }
        write_json(beside / "metrics.json", metrics)
    log.info("ruler: %d samples in %s; %s", len(samples), out, list_rejections(count_reasons(refused)))


if __name__ == "__main__":
    run_stage(run)
