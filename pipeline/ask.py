"""Ask questions about documents, and answer them from their own words.

Reads   DOCUMENTS/*.parquet   documents
        KNOWN                 what is known to be in some of them: JSON lines of {path, question, answer, quote}
Writes  OUT/examples-00000.parquet   examples, each with its evidence; what a teacher got wrong has a `reason`
        OUT/report.json              examples by kind, quotas that were not filled, where in the documents evidence lies
        OUT/replies.sqlite           what an endpoint answered, by the hash of the request; replayed by the next run
        OUT/candidates/              what the shards found, with markers, so that an interrupted run goes on
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.checks.citations import is_citable, is_drawn, with_citations
from pipeline.cli import run_stage
from pipeline.code_digest import digest_code
from pipeline.engine import ExecutorName, Shard, run_shards
from pipeline.errors import InputError
from pipeline.files import hash_file, hash_json, write_json
from pipeline.params import Params
from pipeline.passages.document_groups import Card, read_cards, units_of, with_reviews
from pipeline.passages.passages import Known
from pipeline.passages.review_rules import ReviewRules
from pipeline.records import Example
from pipeline.rejections import Reason
from pipeline.stable_order import stable_shuffle
from pipeline.storage.parquet import parquet_files, read_documents, read_examples, write_examples
from pipeline.tasks.task import Task, all_tasks
from pipeline.teachers.client import EndpointParams, Spending
from pipeline.teachers.generate import Plan, estimate, generate
from pipeline.teachers.quotas import Kind, Quota, choose_within, kind_of, unfilled
from pipeline.teachers.rule_based import AskShard, Unit

log = logging.getLogger(__name__)

NUM_BINS = 10  # of the histogram of where evidence lies


class AskParams(Params):
    """Section `ask` of params.yaml."""

    teacher: Literal["extractive", "endpoint"]
    executor: ExecutorName  # where the extractive teacher runs
    num_workers: int = Field(ge=1)
    units_per_shard: int = Field(ge=1)  # documents, or documents that belong together
    num_per_document: int = Field(ge=1)  # examples asked of each document, and of each set of them, at most
    cited_fraction: float = Field(ge=0, le=1)  # of the answers, that cite their evidence
    endpoint: EndpointParams  # of the teacher `endpoint`
    human: ReviewRules  # which reviews are good enough to be answers, whoever the teacher is
    quotas: list[Quota]  # how many there may be of a kind; none where there is no line for it
    seed: int


def relations_of(tasks: Iterable[Task]) -> list[Any]:
    """Return the ways in which the tasks put documents together, each once, by name."""
    return sorted({task.related for task in tasks}, key=lambda relation: relation.__name__)


def shards_of(units: Sequence[Unit], units_per_shard: int) -> tuple[tuple[Unit, ...], ...]:
    """Part units into shards."""
    return tuple(tuple(units[start : start + units_per_shard]) for start in range(0, len(units), units_per_shard))


def read_known(file: Path, cards: Iterable[Card]) -> dict[str, tuple[Known, ...]]:
    """Return what is known of documents by their ids; lines about other documents are passed over.

    Raises:
        InputError: The file is missing, or a line of it is broken.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", expected="JSON lines", fix="Name an empty file to know nothing.")
    ids = {card.source: card.doc_id for card in cards}
    found: dict[str, list[Known]] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
                source, known = str(row["path"]), Known(row["question"], row["answer"], row["quote"])
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{file}, line {number}",
                    found=str(error) or "no object",
                    expected="path, question, answer and quote",
                    fix="Fix or remove the line.",
                ) from error
            if source in ids:
                found.setdefault(ids[source], []).append(known)
    return {doc_id: tuple(facts) for doc_id, facts in found.items()}


def ask_extractive(
    params: AskParams, documents: Path, known: Path, cards: list[Card], out: Path, relations: Sequence[Any]
) -> None:
    """Write the candidates of the extractive teacher, shard by shard."""
    units = [Unit(relation, tuple(card.doc_id for card in unit)) for relation, unit in units_of(cards, relations)]
    shards = shards_of(units, params.units_per_shard)
    facts = read_known(known, cards)
    folder = out / "candidates"
    folder.mkdir(parents=True, exist_ok=True)
    outputs = tuple(folder / f"examples-{index:05d}.parquet" for index in range(len(shards)))
    parameters = hash_json(
        digest_code("pipeline.ask"), [hash_file(path) for path in parquet_files(documents, "*.parquet")]
    )
    inputs = [
        hash_json(
            [(unit.relation.__name__, unit.doc_ids) for unit in shard],
            [[vars(fact) for fact in facts.get(doc_id, ())] for unit in shard for doc_id in unit.doc_ids],
            params.num_per_document,
            params.seed,
            params.human.model_dump(),
        )
        for shard in shards
    ]
    run_shards(
        AskShard(documents, shards, outputs, facts, params.num_per_document, params.seed, params.human),
        [Shard(output, key, parameters) for output, key in zip(outputs, inputs, strict=True)],
        folder=folder,
        executor=params.executor,
        num_workers=params.num_workers,
    )


def select(
    examples: Iterable[Example], cards: Iterable[Card], params: AskParams
) -> tuple[list[Example], list[dict[str, object]]]:
    """Return the examples that the quotas admit, some of them with citations, and what became of each quota."""
    categories = {card.doc_id: card.category for card in cards}
    num_tokens = {card.doc_id: card.num_tokens for card in cards}
    once = {example.example_id: example for example in examples}
    accepted = (example for example in once.values() if not example.reason)
    sound = stable_shuffle(accepted, params.seed, key=lambda example: example.example_id)
    kinds: list[tuple[Example, Kind]] = [(example, kind_of(example, categories, num_tokens)) for example in sound]
    kept, fates = choose_within(kinds, params.quotas)
    cited = [
        with_citations(example)
        if is_citable(example) and is_drawn(example, params.cited_fraction, params.seed)
        else example
        for example in kept
    ]
    faulty = [example for example in once.values() if example.reason]
    return sorted([*cited, *faulty], key=lambda example: (example.doc_ids, example.task, example.example_id)), fates


def positions(examples: Iterable[Example], lengths: dict[str, int]) -> dict[str, list[int]]:
    """Return, for each task, how many pieces of evidence lie in each tenth of their documents."""
    found: dict[str, list[int]] = {}
    for example in examples:
        bins = found.setdefault(example.task, [0] * NUM_BINS)
        for span in example.evidence:
            bins[min(NUM_BINS - 1, span.start * NUM_BINS // max(1, lengths[span.doc_id]))] += 1
    return found


def report_of(
    examples: Sequence[Example], cards: Sequence[Card], fates: Sequence[dict[str, object]], lengths: dict[str, int]
) -> dict[str, Any]:
    """Return the counts of a run."""
    categories = {card.doc_id: card.category for card in cards}
    sound = [example for example in examples if not example.reason]
    asked = {doc_id for example in sound for doc_id in example.doc_ids}
    return {
        "examples": Counter(f"{categories[example.doc_ids[0]]}/{example.task}" for example in sound),
        "faulty": Counter(Reason.parse(example.reason).kind for example in examples if example.reason),
        "documents_without_examples": [
            card.source for card in cards if card.doc_id not in asked and card.category != "review"
        ],
        "quotas": list(fates),
        "evidence_by_tenth_of_the_document": positions(sound, lengths),
    }


def check_tasks(quotas: Iterable[Quota]) -> None:
    """Make sure that every quota names a task that there is.

    Raises:
        InputError: One does not.
    """
    for quota in quotas:
        if quota.task and quota.task not in all_tasks():
            raise InputError(
                "section 'ask', key 'quotas'",
                found=f"the task {quota.task!r}",
                expected=f"one of {', '.join(all_tasks())}",
                fix="Fix its name.",
            )


def lengths_of(documents: Path) -> dict[str, int]:
    """Return how many characters each document has."""
    return {document.doc_id: len(document.text) for document in read_documents(documents)}


def run(params: AskParams, *, documents: Path, known: Path, out: Path, dry_run: bool) -> None:
    """Write the examples of all documents; with --dry-run only say what an endpoint would be asked and cost."""
    check_tasks(params.quotas)
    cards = read_cards(documents)
    plan = Plan(documents, params.num_per_document, params.seed, params.endpoint)
    if dry_run:
        log.info("ask: %s", estimate(plan, cards))
        return
    spending: Spending | None = None
    if params.teacher == "extractive":
        ask_extractive(params, documents, known, cards, out, relations_of(all_tasks().values()))
        found = list(read_examples(out / "candidates"))
    else:
        found, spending = generate(plan, cards, out)
        if next(with_reviews(cards), None):
            ask_extractive(params, documents, known, cards, out, [with_reviews])
            found += read_examples(out / "candidates")
    examples, fates = select(found, cards, params)
    if all(example.reason for example in examples):
        raise InputError(
            documents,
            found="no document that a question could be asked about",
            expected="prose or tables",
            fix="Read a few of the texts: extraction may have lost their structure.",
        )
    num_examples = write_examples(out / "examples-00000.parquet", examples)
    report = report_of(examples, cards, fates, lengths_of(documents))
    if spending:
        report["spending"] = spending.as_dict(num_sound=sum(report["examples"].values()))
    write_json(out / "report.json", report)
    without = len(report["documents_without_examples"])
    log.info("ask: %d examples in %s; %d documents gave none", num_examples, out, without)
    for line in unfilled(fates):
        log.info("ask: quota not filled: %s", line)


if __name__ == "__main__":
    run_stage(run)
