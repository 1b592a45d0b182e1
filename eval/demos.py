"""Show what the original's announcement showed, with public documents, and check every reply.

Reads   BASE, TUNED    models: folders, names on the Hub, or addresses of endpoints
        DOCUMENTS      what `curate` kept; held-out ones are shown where there is a choice
        EXAMPLES       what `verify` accepted, for questions with known answers
Writes  OUT/transcripts.jsonl   one object a model, case and sample: prompt, reply, and what the checks found
        OUT/metrics.json        the share of checks passed, by demonstration, variant and model
Source  https://github.com/dvlab-research/LongLoRA: five demonstrations, sampled without a seed, of documents not given
"""

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from eval.demonstrations.case import Case, Demonstration, Library, find_demonstrations
from eval.models.open import open_model
from eval.models.records import ChatModel, ModelParams, Sampling
from eval.stats import wilson
from pipeline.cli import run_stage
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.passages.document_groups import read_cards
from pipeline.stable_order import stable_shuffle
from pipeline.storage.parquet import read_documents, read_examples

MODELS = ("base", "tuned")
log = logging.getLogger(__name__)


class DemosParams(Params):
    """Section `demos` of params.yaml."""

    max_tokens: int = Field(ge=256)  # of the documents in a prompt
    num_samples: int = Field(ge=0)  # drawn beside the greedy reply, each with a seed of its own
    sampling: Sampling  # of these samples; the greedy reply has its limit
    model: ModelParams
    endpoint: EndpointParams
    seed: int = Field(ge=0)


def run(params: DemosParams, *, base: str, tuned: str, documents: Path, examples: Path, out: Path) -> None:
    """Give every case to both models, and check what they reply."""
    demonstrations = find_demonstrations()
    cases: list[Case] = []  # by the tokenizer of the first model: both get the same
    rows: list[dict[str, Any]] = []
    for name, reference in zip(MODELS, (base, tuned), strict=True):
        model = open_model(reference, params.model, params.endpoint, store=out.with_name(f"{out.name}-replies"))
        cases = cases or make_cases(demonstrations, read_library(params, documents, examples, model))
        for number, sampling in enumerate(list_samplings(params)):
            rows += [
                {"model": name, "sample": number, **row} for row in reply_all(model, cases, sampling, demonstrations)
            ]
    with replacing(out) as beside:
        beside.mkdir()
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (beside / "transcripts.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
        write_json(beside / "metrics.json", summarise(rows))
    log.info("demos: %d replies in %s; checks passed: %s", len(rows), out, ", ".join(count_passed(rows)))


def count_passed(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield each model with how many checks its replies passed, of how many."""
    for name in MODELS:
        passed = [one["passed"] for row in rows if row["model"] == name for one in row["findings"]]
        yield f"{name} {sum(passed)}/{len(passed)}"


def read_library(params: DemosParams, documents: Path, examples: Path, model: ChatModel) -> Library:
    """Return the documents, held-out ones first, and the questions about them."""
    cards = stable_shuffle(read_cards(documents), params.seed, key=lambda card: card.doc_id)
    return Library(
        {document.doc_id: document for document in read_documents(documents)},
        sorted(cards, key=lambda card: card.split != "test"),
        [one for one in read_examples(examples, "examples*.parquet") if not one.reason],
        model.count_tokens,
        params.max_tokens,
        params.seed,
    )


def make_cases(demonstrations: dict[str, Demonstration], library: Library) -> list[Case]:
    """Return the cases of all demonstrations that the documents are enough for; the others are logged.

    Raises:
        InputError: They are enough for none.
    """
    found: list[Case] = []
    for name, demonstration in demonstrations.items():
        own = list(demonstration.make_cases(library))
        if not own:
            log.warning("demos: the documents are not enough for '%s'", name)
        found += own
    if not found:
        raise InputError(
            "the documents of 'demos'",
            found="none that a demonstration can show",
            expected="a paper, two papers, a series of yearly reports, or a book with questions",
            fix="Add some; 'dvc repro sample' writes a corpus with all of them.",
        )
    return found


def list_samplings(params: DemosParams) -> Iterator[Sampling]:
    """Yield how replies are drawn: greedily, and then with one seed after another."""
    yield params.sampling.model_copy(update={"temperature": 0.0, "top_p": 1.0})
    for number in range(params.num_samples):
        yield params.sampling.model_copy(update={"seed": params.sampling.seed + number})


def reply_all(
    model: ChatModel, cases: Sequence[Case], sampling: Sampling, demonstrations: dict[str, Demonstration]
) -> Iterator[dict[str, Any]]:
    """Yield what a model replies to each case, with what the checks find."""
    replies = model.respond([case.prompt for case in cases], sampling)
    for case, reply in zip(cases, replies, strict=True):
        yield {
            "demonstration": case.demonstration,
            "variant": case.variant,
            "doc_ids": case.doc_ids,
            "prompt": f"{case.prompt.document}{case.prompt.question}",
            "reply": reply.text,
            "is_complete": reply.is_complete,
            **({"reason": reply.refused} if reply.refused else {}),
            "findings": [asdict(one) for one in demonstrations[case.demonstration].check(case, reply.text)],
        }


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the share of replies that pass each check, by demonstration, variant and model, with Wilson's interval."""
    flat = pd.DataFrame(
        [
            {**{key: row[key] for key in ("demonstration", "variant", "model")}, **one}
            for row in rows
            for one in row["findings"]
        ]
    )
    found: dict[str, Any] = {}
    for keys, group in flat.groupby(["demonstration", "variant", "check", "model"], sort=False):
        demonstration, variant, check, model = map(str, keys if isinstance(keys, tuple) else (keys,))
        cell = found.setdefault(demonstration, {}).setdefault(variant, {}).setdefault(check, {})
        cell[model] = asdict(wilson(int(group["passed"].sum()), len(group)))
    return found


if __name__ == "__main__":
    run_stage(run)
