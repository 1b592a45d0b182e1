"""Ask questions about documents, and answer them from their own words.

Reads   DOCUMENTS/*.parquet   documents
        KNOWN                 what some of them are known to say, as pipeline/teachers/known_facts.py describes it
Writes  OUT/examples-00000.parquet   examples with their evidence; one that a teacher got wrong has a `reason`
        OUT/report.json              examples by category and task, unfilled quotas, in how many places evidence is
        OUT/replies.sqlite           the replies of an endpoint by the hash of the request; the next run replays them
        OUT/preview.html             with --preview N: so many examples of an endpoint, and nothing else
        FOLDER/requests-*.jsonl      with --batch FOLDER: the requests that come next, and nothing else
        OUT/candidates/              the examples of each shard, with markers, so that an interrupted run can continue
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from pipeline.checks.citations import is_citable, is_in_fraction, with_citations
from pipeline.cli import run_stage
from pipeline.code_digest import digest_code
from pipeline.dataset.evidence_page import write_preview
from pipeline.endpoint.budget import Spending
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.engine import ExecutorName, Shard, run_shards
from pipeline.errors import InputError
from pipeline.files import hash_file, hash_json, write_json
from pipeline.params import Params
from pipeline.passages.document_groups import DocumentCard, Relation, group_documents, read_cards, with_reviews
from pipeline.passages.evidence_places import Bucket, Buckets, count_by_bucket, find_buckets
from pipeline.passages.peer_reviews import ReviewRules
from pipeline.records import Example
from pipeline.rejections import count_reasons, list_rejections
from pipeline.stable_order import stable_shuffle
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import parquet_files, read_documents, read_examples, write_examples
from pipeline.tasks.task import KnownFact, Supplied, all_tasks
from pipeline.teachers.batch_rounds import exchange_files
from pipeline.teachers.cost_estimate import estimate
from pipeline.teachers.failures import check_replies
from pipeline.teachers.generate import generate
from pipeline.teachers.known_answers import choose_known, compare_with_known, describe_comparisons
from pipeline.teachers.known_facts import read_known_facts
from pipeline.teachers.quotas import Quota, choose_within, describe_example, limit_shares, list_unfilled
from pipeline.teachers.rule_based import DocumentGroup, GroupShard, ShardAsker
from pipeline.teachers.slots import Steps, TeachingPlan

log = logging.getLogger(__name__)

NUM_BINS = 10  # of the histogram of where evidence is


class AskParams(Params):
    """Section `ask` of params.yaml."""

    teacher: Literal["extractive", "endpoint"]
    executor: ExecutorName  # where the extractive teacher runs
    num_workers: int = Field(ge=1)
    units_per_shard: int = Field(ge=1)  # a unit is a document, or a group of documents that belong together
    num_per_document: int = Field(ge=1)  # examples asked of each document, and of each group, at most
    steps: Steps  # of an endpoint: questions are written and judged before they are answered, or all is written at once
    questions_per_request: int = Field(ge=1)  # where they are written first
    evidence_places: dict[Bucket, float]  # shares of an endpoint's examples by the places their evidence is from
    cited_fraction: float = Field(ge=0, le=1)  # of the answers that cite their evidence
    endpoint: EndpointParams  # of the teacher `endpoint`
    num_known: int = Field(ge=0)  # questions that an endpoint is asked as well, to compare its answers with the known
    max_failed_fraction: float = Field(ge=0, le=1)  # of its examples; with more, all is written and the run fails
    human: ReviewRules  # which reviews are good enough to be answers, whoever the teacher is
    quotas: list[Quota]  # how many examples of a kind there may be; kinds without a quota are not limited
    max_shares: dict[str, float]  # the greatest fraction of the examples that a task may have; others are not limited
    seed: int


def split_into_shards(groups: Sequence[DocumentGroup], groups_per_shard: int, folder: Path) -> tuple[GroupShard, ...]:
    """Split groups of documents into shards, each with its file in a folder."""
    starts = range(0, len(groups), groups_per_shard)
    return tuple(
        GroupShard(tuple(groups[start : start + groups_per_shard]), folder / f"examples-{index:05d}.parquet")
        for index, start in enumerate(starts)
    )


def ask_by_rules(
    params: AskParams,
    *,
    documents: Path,
    cards: Sequence[DocumentCard],
    relations: Sequence[Relation],
    supplied: Supplied,
    folder: Path,
) -> list[Example]:
    """Return the candidates of the extractive teacher; they are written to a folder shard by shard."""
    groups = [
        DocumentGroup(relation, tuple(card.doc_id for card in group))
        for relation, group in group_documents(cards, relations)
    ]
    shards = split_into_shards(groups, params.units_per_shard, folder)
    folder.mkdir(parents=True, exist_ok=True)
    inputs = [
        hash_json(
            [(group.relation.__name__, group.doc_ids) for group in shard.groups],
            [
                [asdict(fact) for fact in supplied.facts.get(doc_id, ())]
                for group in shard.groups
                for doc_id in group.doc_ids
            ],
            params.num_per_document,
            params.max_shares,
            params.seed,
            params.human.model_dump(),
        )
        for shard in shards
    ]
    parameters = hash_json(
        digest_code("pipeline.ask"), [hash_file(path) for path in parquet_files(documents, "*.parquet")]
    )
    run_shards(
        ShardAsker(documents, shards, supplied, params.num_per_document, params.max_shares, params.seed),
        [Shard(shard.output, key, parameters) for shard, key in zip(shards, inputs, strict=True)],
        folder=folder,
        executor=params.executor,
        num_workers=params.num_workers,
    )
    return list(read_examples(folder))


def select(
    examples: Iterable[Example], cards: Iterable[DocumentCard], buckets: Buckets, params: AskParams
) -> tuple[list[Example], list[dict[str, object]]]:
    """Return the examples within quotas and shares, a fraction of them with citations, and the status of each quota."""
    categories = {card.doc_id: card.category for card in cards}
    num_tokens = {card.doc_id: card.num_tokens for card in cards}
    once = {example.example_id: example for example in examples}
    accepted = (example for example in once.values() if not example.reason)
    sound = stable_shuffle(accepted, params.seed, key=lambda example: example.example_id)
    kept, statuses = choose_within(
        [(e, describe_example(e, categories, num_tokens, buckets[e.evidence])) for e in sound], params.quotas
    )
    cited = [
        with_citations(example)
        if is_citable(example) and is_in_fraction(example, params.cited_fraction, params.seed)
        else example
        for example in limit_shares(kept, params.max_shares)
    ]
    faulty = [example for example in once.values() if example.reason]
    return sorted([*cited, *faulty], key=lambda example: (example.doc_ids, example.task, example.example_id)), statuses


def count_by_position(examples: Iterable[Example], lengths: dict[str, int]) -> dict[str, list[int]]:
    """Return, by task, how many quotes are in each tenth of their document."""
    found: dict[str, list[int]] = {}
    for example in examples:
        bins = found.setdefault(example.task, [0] * NUM_BINS)
        for span in example.evidence:
            bins[min(NUM_BINS - 1, span.start * NUM_BINS // max(1, lengths[span.doc_id]))] += 1
    return found


def summarize(
    examples: Sequence[Example],
    cards: Sequence[DocumentCard],
    statuses: Sequence[dict[str, object]],
    buckets: Buckets,
    lengths: dict[str, int],
) -> dict[str, Any]:
    """Return the counts of a run, for its report."""
    categories = {card.doc_id: card.category for card in cards}
    sound = [example for example in examples if not example.reason]
    asked = {doc_id for example in sound for doc_id in example.doc_ids}
    return {
        "examples": Counter(f"{categories[example.doc_ids[0]]}/{example.task}" for example in sound),
        "faulty": count_reasons(example.reason for example in examples if example.reason),
        "documents_without_examples": [
            card.source for card in cards if card.doc_id not in asked and card.category != "review"
        ],
        "quotas": list(statuses),
        "places_of_evidence": count_by_bucket(sound, buckets),
        "evidence_by_tenth_of_the_document": count_by_position(sound, lengths),
    }


def check_task_names(params: AskParams) -> None:
    """Make sure that every quota and share names an existing task.

    Raises:
        InputError: One does not.
    """
    named = [("quotas", quota.task) for quota in params.quotas] + [("max_shares", task) for task in params.max_shares]
    for key, task in named:
        if task and task not in all_tasks():
            raise InputError(
                f"section 'ask', key '{key}'",
                found=f"the task {task!r}",
                expected=f"one of {', '.join(all_tasks())}",
                fix="Correct its name.",
            )


def ask(
    params: AskParams,
    *,
    documents: Path,
    facts: Mapping[str, tuple[KnownFact, ...]],
    cards: Sequence[DocumentCard],
    plan: TeachingPlan,
    out: Path,
) -> tuple[list[Example], Spending | None]:
    """Return the candidates of the teacher and what an endpoint cost; reviews are always asked about by rules."""
    tasks = all_tasks().values()
    relations: list[Relation] = sorted(
        {task.related for task in tasks if task.is_rule_based}, key=lambda relation: relation.__name__
    )
    found: list[Example] = []
    spending = None
    if params.teacher == "endpoint":
        found, spending = generate(plan, cards, out)
        relations = [with_reviews] if next(with_reviews(cards), None) else []
    if relations:
        supplied = Supplied(facts, params.human)
        found += ask_by_rules(
            params,
            documents=documents,
            cards=cards,
            relations=relations,
            supplied=supplied,
            folder=out / "candidates",
        )
    return found, spending


def make_plan(params: AskParams, documents: Path) -> TeachingPlan:
    """Return what an endpoint is asked."""
    return TeachingPlan(
        documents,
        params.num_per_document,
        params.seed,
        params.endpoint,
        steps=params.steps,
        questions_per_request=params.questions_per_request,
        max_shares=params.max_shares,
        evidence_places=params.evidence_places,
    )


def write_few(plan: TeachingPlan, cards: Sequence[DocumentCard], out: Path, num: int) -> None:
    """Write a page with `num` examples of an endpoint; they are charged, recorded, and replayed by the whole run."""
    examples, spending = generate(plan, cards, out, num=num)
    write_preview(out / "preview.html", examples, DocumentStore(plan.documents), num)
    counts = count_reasons(example.reason for example in examples if example.reason)
    log.info(
        "ask: %d examples in %s, %s; cost %.2f",
        len(examples) - sum(counts.values()), out / "preview.html", list_rejections(counts), spending.cost,
    )  # fmt: skip
    check_replies(examples, plan.endpoint, 1.0)


def run(
    params: AskParams, preview: int = 0, batch: str = "", *, documents: Path, known: Path, out: Path, dry_run: bool
) -> None:
    """Write the examples of all documents.

    With --dry-run only log what an endpoint would be asked and cost; with --preview N only let it write N examples, and
    show them on a page; with --batch FOLDER only read and write files of a batch API.
    """
    check_task_names(params)
    cards = read_cards(documents)
    facts = read_known_facts(known, cards)
    plan = make_plan(params, documents)
    if dry_run:
        log.info("ask: %s", estimate(plan, cards, choose_known(facts, params.num_known, params.seed)))
        return
    if preview:
        write_few(plan, cards, out, preview)
        return
    if batch:
        exchange_files(plan, cards, out, Path(batch))
        return
    found, spending = ask(params, documents=documents, facts=facts, cards=cards, plan=plan, out=out)
    buckets = find_buckets(found, read_documents(documents))
    examples, statuses = select(found, cards, buckets, params)
    if not spending and all(example.reason for example in examples):
        raise InputError(
            documents,
            found="no document that a question could be asked about",
            expected="prose or tables",
            fix="Read a few of the texts: extraction may have lost their structure.",
        )
    num_examples = write_examples(out / "examples-00000.parquet", examples)
    lengths = {document.doc_id: len(document.text) for document in read_documents(documents)}
    report = summarize(examples, cards, statuses, buckets, lengths)
    if spending and facts and params.num_known:
        report["known_answers"] = compare_with_known(plan, facts, params.num_known, out)
        log.info("ask: %s", describe_comparisons(report["known_answers"]))
    if spending:
        report["spending"] = spending.as_dict(num_sound=sum(report["examples"].values()))
    write_json(out / "report.json", report)
    without, faulty = len(report["documents_without_examples"]), sum(report["faulty"].values())
    refused = f", {list_rejections(report['faulty'])}" if faulty else ""
    log.info("ask: %d examples in %s%s; %d documents gave none", num_examples - faulty, out, refused, without)
    for line in list_unfilled(statuses):
        log.info("ask: quota not filled: %s", line)
    if spending:
        check_replies(found, params.endpoint, params.max_failed_fraction)


if __name__ == "__main__":
    run_stage(run)
