"""Ask base and tuned model about held-out documents: with the text, without it, and with passages found in it.

Reads   BASE, TUNED    models: folders, names on the Hub, or addresses of endpoints
        EXAMPLES       what `verify` accepted
        DOCUMENTS      what `curate` kept; those of the test split are asked about
Writes  OUT/replies.jsonl    one object a cell and question: the reply, its scores, and where the evidence is
        OUT/metrics.json     scores with intervals by cell, and by task, category, position and places of evidence
Source  the five cells replace the comparison of LongAlpaca's announcement, tuned with the text against base without,
        which is one of them; whether a question needs the whole text or a part follows LongBench Pro (arXiv 2601.02872)
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field

from eval.models.open import open_model
from eval.models.records import ChatModel, ModelParams, Prompt, Reply, Sampling
from eval.qa.questions import HeldOutQuestion, choose_questions
from eval.qa.scores import score_reply
from eval.qa.summary import summarise
from pipeline.checks.citations import without_citations
from pipeline.cli import run_stage
from pipeline.dataset.prompt import CLOSING, OPENINGS
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.passages.passage_search import search_passages
from pipeline.records import Document
from pipeline.storage.parquet import read_documents, read_examples
from pipeline.tasks.task import get_task

BETWEEN_PASSAGES = "\n\n[…]\n\n"
WAYS = {"base": ("with the text", "without it", "with passages"), "tuned": ("with the text", "without it")}
log = logging.getLogger(__name__)


class LongqaParams(Params):
    """Section `longqa` of params.yaml."""

    lengths: list[Annotated[int, Field(ge=64)]] = Field(min_length=1)  # tokens of the text that is shown, at most
    questions_per_document: int = Field(ge=1)
    num_passages: int = Field(ge=1)  # of about 600 characters, that BM25 finds
    tolerance: float = Field(ge=0)  # relative, of figures
    sampling: Sampling
    model: ModelParams
    endpoint: EndpointParams
    num_resamples: int = Field(ge=1)  # of the bootstrap over documents
    seed: int = Field(ge=0)


def run(params: LongqaParams, *, base: str, tuned: str, examples: Path, documents: Path, out: Path) -> None:
    """Ask both models, score what they reply, and compare."""
    held_out = {one.doc_id: one for one in read_documents(documents) if one.split == "test"}
    rows: list[dict[str, Any]] = []
    questions: list[HeldOutQuestion] = []  # by the tokenizer of the first model: both are asked the same
    for name, reference in (("base", base), ("tuned", tuned)):
        model = open_model(reference, params.model, params.endpoint, store=out.parent / f"{out.name}-{name}-replies")
        questions = questions or list(list_questions(params, model, examples, held_out))
        for way in WAYS[name]:
            rows += ask(model, questions, f"{name} {way}", params, held_out)
    with replacing(out) as beside:
        beside.mkdir()
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        (beside / "replies.jsonl").write_text("\n".join([*lines, ""]), encoding="utf-8")
        write_json(beside / "metrics.json", summarise(pd.DataFrame(rows), params.num_resamples, params.seed))
    means = pd.DataFrame(rows).groupby("cell", sort=False)["score"].mean()
    scores = ", ".join(f"{cell} {mean:.2f}" for cell, mean in means.items())
    log.info("longqa: %d replies in %s; score: %s", len(rows), out, scores)


def list_questions(
    params: LongqaParams, model: ChatModel, examples: Path, held_out: Mapping[str, Document]
) -> Iterator[HeldOutQuestion]:
    """Yield the questions of every length.

    Raises:
        InputError: There are none.
    """
    verified = [one for one in read_examples(examples, "examples*.parquet") if not one.reason]
    num_found = 0
    for length in params.lengths:
        found = choose_questions(
            verified,
            held_out,
            length,
            lambda texts: [model.count_tokens(text) for text in texts],
            num_per_document=params.questions_per_document,
            seed=params.seed,
        )
        num_found += len(found)
        yield from found
    if not num_found:
        raise InputError(
            examples,
            found=f"no question whose evidence is in {max(params.lengths)} tokens of a held-out document",
            expected="examples about documents of the test split",
            fix="Raise curate.test_fraction, ask.num_per_document or longqa.lengths.",
        )


def ask(
    model: ChatModel,
    questions: Sequence[HeldOutQuestion],
    cell: str,
    params: LongqaParams,
    documents: Mapping[str, Document],
) -> Iterator[dict[str, Any]]:
    """Yield what a model replies in a cell, with its scores."""
    prompts = [write_prompt(one, cell, documents[one.example.doc_ids[0]], params.num_passages) for one in questions]
    replies = model.respond(prompts, params.sampling)
    for question, reply in zip(questions, replies, strict=True):
        yield make_row(question, cell, reply, params.tolerance)


def write_prompt(question: HeldOutQuestion, cell: str, document: Document, num_passages: int) -> Prompt:
    """Return what is asked: in the words of the dataset, with the text, nothing, or the passages of the document."""
    asked, opening = question.example.question, OPENINGS[question.category]
    if cell.endswith("with the text"):
        return Prompt(f"{opening}{question.text}{CLOSING}", asked)
    if cell.endswith("without it"):
        return Prompt("", asked)
    found = sorted(search_passages(document.text, asked, num_passages), key=lambda passage: passage.start)
    shown = BETWEEN_PASSAGES.join(passage.text for passage in found)
    return Prompt("", f"{opening}{shown}{CLOSING}{asked}")


def make_row(question: HeldOutQuestion, cell: str, reply: Reply, tolerance: float) -> dict[str, Any]:
    """Return the record of a reply."""
    example = question.example
    is_unanswerable = get_task(example.task).expects_no_answer
    scores = score_reply(
        without_citations(reply.text),
        without_citations(example.answer),
        example.question,
        [] if is_unanswerable else [span.quote for span in example.evidence],
        is_unanswerable=is_unanswerable,
        tolerance=tolerance,
    )
    return {
        "cell": cell,
        "length": question.length,
        "example_id": example.example_id,
        "doc_id": example.doc_ids[0],
        "task": example.task,
        "category": question.category,
        "position": round(question.position, 4),
        "places": question.places,
        "needs": question.needs,
        "is_unanswerable": is_unanswerable,
        "question": example.question,
        "answer": example.answer,
        **{name: getattr(reply, name) for name in ("text", "num_prompt_tokens", "num_reply_tokens", "is_complete")},
        **({"reason": reply.refused} if reply.refused else {}),
        **asdict(scores),
    }


if __name__ == "__main__":
    run_stage(run)
