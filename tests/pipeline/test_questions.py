"""Questions about whole corpora: how many, where, the same every time; and what becomes of planted faults."""

import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.benchmarks.evidence.tagged_facts import displayed_figure, key, table_facts
from pipeline.benchmarks.scripted import scripted
from pipeline.files import hash_file
from pipeline.judging.judge import JudgeParams
from pipeline.records import Example
from pipeline.sample import SampleParams
from pipeline.sample import run as sample
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_documents, read_examples, write_examples
from pipeline.verify import VerifyParams
from pipeline.verify import run as verify
from tests.pipeline import teacher_scripts as scripts
from tests.pipeline.endpoint.test_client import PARAMS as SCRIPTED
from tests.pipeline.test_ask import ENDPOINT

STAGES = """
import sys
from pathlib import Path
from pipeline import ask, curate, extract, fetch
folder, params, sources, known = map(Path, sys.argv[1:5])
for name in sys.argv[5:]:
    module = {"ask": ask, "curate": curate, "extract": extract, "fetch": fetch}[name]
    loaded = getattr(module, f"{name.title()}Params").load(params)
    paths = {
        "fetch": {"sources": sources},
        "extract": {"documents": folder / "fetch"},
        "curate": {"documents": folder / "extract"},
        "ask": {"documents": folder / "curate", "known": known, "dry_run": False},
    }[name]
    module.run(loaded, out=folder / name, **paths)
"""
NUM_FAULTS = 200
CARRIED = re.compile(r"\d(?:[\d,]*\d)?(?:\.\d+)?")


def run_stages(root: Path, folder: Path, sources: Path, known: Path, *names: str, hash_seed: str = "0", **ask) -> None:
    """Run stages in a process of their own, on the repository's parameters but for those of `ask`."""
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["ask"] |= ask
    params["curate"] |= {"min_tokens": 500}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    command = [sys.executable, "-c", STAGES, *map(str, (folder, folder / "params.yaml", sources, known)), *names]
    subprocess.run(command, check=True, cwd=root, env=os.environ | {"PYTHONHASHSEED": hash_seed})


def verified(curated: Path, examples: list[Example], out: Path, **changed) -> tuple[list[Example], list[Example]]:
    params = VerifyParams(
        max_question_characters=1_500, max_answer_characters=6_000, judge=JudgeParams(when="auto", votes=1, min_mark=3),
        probes=[], endpoint=ENDPOINT, num_previews=3,
    ).model_copy(update=changed)  # fmt: skip
    write_examples(out / "asked" / "examples-00000.parquet", examples)
    verify(params, documents=curated, examples=out / "asked", out=out / "verify")
    return tuple(list(read_examples(out / "verify", f"{name}*.parquet")) for name in ("examples", "rejected"))


@pytest.fixture(scope="module")
def curated_sample(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample corpus, read and curated, with questions about it."""
    folder = tmp_path_factory.mktemp("questions")
    sample(SampleParams(seed=2023), out=folder / "sample")
    known = folder / "sample" / "facts.jsonl"
    stages = ("fetch", "extract", "curate", "ask")
    run_stages(root, folder, folder / "sample" / "sources.yaml", known, *stages, num_per_document=80, num_workers=2)
    return folder


@pytest.fixture(scope="module")
def accepted(curated_sample: Path) -> list[Example]:
    asked = list(read_examples(curated_sample / "ask", "examples*.parquet"))
    accepted, rejected = verified(curated_sample / "curate", asked, curated_sample / "sound")
    assert len(rejected) <= 0.02 * len(asked), [example.reason for example in rejected]
    return accepted


def wrong_number(example: Example, other: Example, rng: random.Random) -> Example | None:
    found = [match for match in CARRIED.finditer(example.answer.split("\n\n[")[0]) if len(match[0]) > 1]
    if not found:
        return None
    match = rng.choice(found)
    changed = match[0][:-1] + str((int(match[0][-1]) + rng.randint(1, 9)) % 10)
    carried = " ".join([*(span.quote for span in example.evidence), example.question])
    if changed in CARRIED.findall(carried):
        return None  # it would be no fault that the evidence shows
    return replace(example, answer=example.answer[: match.start()] + changed + example.answer[match.end() :])


def swapped_name(example: Example, other: Example, rng: random.Random) -> Example | None:
    names = re.findall(r"\b[A-Z][a-z]{3,}\b", example.answer.split("\n\n[")[0])
    theirs = [name for span in other.evidence for name in re.findall(r"(?<=[a-z] )[A-Z][a-z]{3,}\b", span.quote)]
    carried = " ".join([*(span.quote for span in example.evidence), example.question]).lower()
    mine = [name for name in names if example.answer.count(name) == 1 and name in carried.title()]
    parts = {"Table", "Section", "Figure"}  # what reviews refer to is no name
    foreign = sorted({name for name in theirs if name.lower() not in carried} - parts)
    if example.task not in ("speech", "known", "mention", "continuation") or not mine or not foreign:
        return None
    return replace(example, answer=example.answer.replace(rng.choice(mine), rng.choice(foreign)))


def moved_quote(example: Example, other: Example, rng: random.Random) -> Example:
    first, *others = example.evidence
    return replace(example, evidence=(replace(first, start=first.start + 10, end=first.end + 10), *others))


def foreign_evidence(example: Example, other: Example, rng: random.Random) -> Example:
    return replace(example, evidence=other.evidence)


def duplicated(example: Example, other: Example, rng: random.Random) -> Example:
    changed = example.question.replace("Which", "which").replace("“", "“", 1)
    return replace(example, example_id=example.example_id[::-1], question=f"{changed} ")


FAULTS: dict[Callable, tuple[str, ...]] = {
    wrong_number: ("number not in evidence", "wrong arithmetic"),
    swapped_name: ("name not in evidence",),
    moved_quote: ("quote not in its place",),
    foreign_evidence: ("evidence from another document",),
    duplicated: ("question asked twice",),
}


def as_planted(example: Example) -> tuple:
    return example.example_id, example.question, example.answer, example.evidence


def planted(accepted: list[Example], num: int) -> list[tuple[Example, Callable]]:
    rng = random.Random(7)
    found: list[tuple[Example, Callable]] = []
    kinds = list(FAULTS)
    pool = rng.sample(accepted, len(accepted))
    while len(found) < num:
        fault = kinds[len(found) % len(kinds)]
        for _ in range(len(pool)):
            example = pool.pop()
            other = next(o for o in rng.sample(accepted, len(accepted)) if not set(o.doc_ids) & set(example.doc_ids))
            faulty = fault(example, other, rng)
            if faulty is not None:
                found.append((faulty, fault))
                break
            pool.insert(0, example)
        else:
            raise AssertionError(f"nothing to plant {fault.__name__} in")
    return found


@pytest.mark.slow
def test_planted_faults_are_refused_with_the_right_reason_and_sound_examples_are_not(
    curated_sample: Path, accepted: list[Example], tmp_path: Path
) -> None:
    num_closed = NUM_FAULTS // 6
    faults = planted(accepted, NUM_FAULTS - num_closed)
    examples = [*accepted, *(faulty for faulty, _ in faults)]
    passed, rejected = verified(curated_sample / "curate", examples, tmp_path)
    reasons = {as_planted(example): example.reason for example in rejected}
    right = sum(reasons.get(as_planted(faulty), "accepted").startswith(FAULTS[fault]) for faulty, fault in faults)
    right += num_closed_found(curated_sample / "curate", accepted[: num_closed + 1], tmp_path)
    given = [(fault, faulty, reasons.get(as_planted(faulty), "accepted")) for faulty, fault in faults]
    missed = [
        (fault.__name__, faulty.question, faulty.answer, reason)
        for fault, faulty, reason in given
        if not reason.startswith(FAULTS[fault])
    ]
    assert right >= 0.99 * NUM_FAULTS, (right, missed)
    sound = {example.example_id for example in accepted}
    assert len(sound & {example.example_id for example in passed}) >= 0.98 * len(sound)


def num_closed_found(curated: Path, examples: list[Example], out: Path) -> int:
    """Count which of some examples the probe refuses when the model knows their answers without any document."""
    (out / "known.json").write_text(json.dumps({example.question: example.answer for example in examples[1:]}))
    os.environ[scripts.KNOWN] = str(out / "known.json")
    with scripted(scripts.knows) as url:
        endpoint = SCRIPTED.model_copy(update={"base_url": url})
        passed, rejected = verified(curated, examples, out / "closed", probes=["closed_book"], endpoint=endpoint)
    assert [example.example_id for example in passed] == [examples[0].example_id]
    return sum(example.reason == "answerable without the document" for example in rejected)


@pytest.mark.slow
def test_the_known_facts_of_the_sample_are_asked(curated_sample: Path, accepted: list[Example]) -> None:
    kept = {document.source for document in read_documents(curated_sample / "curate")}
    facts = [json.loads(line) for line in (curated_sample / "sample" / "facts.jsonl").read_text().splitlines()]
    asked = {(example.task, example.question) for example in read_examples(curated_sample / "ask" / "candidates")}
    for task, least in (("known", 0.35), ("summary", 0.95), ("why", 0.95), ("multi_hop", 0.4)):
        known = {
            (task, fact["question"]) for fact in facts if fact["path"] in kept and fact.get("task", "known") == task
        }
        assert len(asked & known) >= least * len(known), task
    assert {"known", "summary", "why", "multi_hop", "chain"} <= {example.task for example in accepted}


@pytest.mark.slow
def test_where_something_is_and_what_no_text_says_are_asked_at_most_a_tenth_each(accepted: list[Example]) -> None:
    tasks = Counter(example.task for example in accepted)
    assert sum(tasks[task] for task in ("section", "mention", "order")) <= 0.1 * len(accepted)
    assert 0 < tasks["unanswerable"] <= 0.1 * len(accepted)
    assert tasks.keys() >= {"summary", "human_review", "human_strengths", "human_weaknesses", "human_decision", "why"}


@pytest.mark.slow
def test_the_real_corpus_gives_enough_and_the_same_whatever_the_workers_and_the_hash_seed(
    root: Path, shared: Path, tmp_path: Path
) -> None:
    kinds = ("book", "paper", "report", "statement")
    globs = [{"glob": f"{shared}/corpus/{k}s/*", "category": k, "licence": "unknown"} for k in kinds]
    (tmp_path / "sources.yaml").write_text(yaml.safe_dump(globs))
    (tmp_path / "known.jsonl").touch()
    inputs = tmp_path / "sources.yaml", tmp_path / "known.jsonl"
    run_stages(root, tmp_path / "a", *inputs, "fetch", "extract", "curate", "ask", num_per_document=150, num_workers=2)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "curate").symlink_to(tmp_path / "a" / "curate")
    other = {"num_workers": 1, "units_per_shard": 7, "hash_seed": "77"}
    run_stages(root, tmp_path / "b", *inputs, "ask", num_per_document=150, **other)
    asked = [tmp_path / name / "ask" / "examples-00000.parquet" for name in ("a", "b")]
    assert hash_file(asked[0]) == hash_file(asked[1])
    accepted, _ = verified(tmp_path / "a" / "curate", list(read_examples(asked[0].parent, "ex*.parquet")), tmp_path)
    again, _ = verified(tmp_path / "a" / "curate", list(read_examples(asked[1].parent, "ex*.parquet")), tmp_path / "2")
    assert accepted == again
    assert len(accepted) >= 900
    store = DocumentStore(tmp_path / "a" / "curate")
    assert all(store[s.doc_id].text[s.start : s.end] == s.quote for e in accepted for s in e.evidence)
    num_checked, wrong = against_xbrl(store, accepted, shared / "corpus" / "statements")
    assert num_checked >= 150
    assert len(wrong) <= 0.01 * num_checked, wrong[:5]


def against_xbrl(store: DocumentStore, accepted: list[Example], folder: Path) -> tuple[int, list[str]]:
    """Compare the answers about tables of the filings with what the filings tag, found without the reader."""
    num_checked, wrong = 0, []
    for path in sorted(folder.glob("*.html")):
        facts = table_facts(path)
        for example in accepted:
            is_of = store[example.doc_ids[0]].source.endswith(path.name) and len(example.doc_ids) == 1
            if not is_of or example.task not in ("fact", "cell", "change"):
                continue
            named = {key(words) for words in re.findall(r"“([^”]*)”", example.question)}
            rows = [fact for fact in facts if key(fact.label) in named]
            if not rows:
                continue
            num_checked += 1
            if not any(agrees(example, fact) for fact in rows):
                wrong.append(f"{example.task}: {example.question} {example.answer}")
    return num_checked, wrong


def agrees(example: Example, fact) -> bool:
    """Say whether an answer has a fact's figure, and its question or answer the year and the unit of it."""
    figures = {displayed_figure(words) for words in re.findall(r"\(?\$?\d[\d,.]*\d\)?|\(?\d\)?", example.answer)}
    if fact.figure.strip("()") not in {figure.strip("()").rstrip(".") for figure in figures}:
        return False
    words = f"{example.question} {example.answer}"
    scales = {3: "thousand", 6: "million", 9: "billion"}
    if example.task == "cell":
        return fact.period[:4] in words or key(fact.heading) in key(words)
    has_scale = fact.scale not in scales or scales[fact.scale] in example.answer
    day = f"{int(fact.period[8:])}, {fact.period[:4]}"
    return has_scale and day in words
