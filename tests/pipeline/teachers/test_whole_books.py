"""A novel and an annual report through a model with 16k tokens: what it is told, and what a gap does to examples."""

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.benchmarks.scripted import scripted
from pipeline.endpoint.request_body import estimate_text_tokens
from pipeline.passages.document_groups import read_cards
from pipeline.readers.common.sections import find_sections
from pipeline.readers.sandbox import Sandbox
from pipeline.readers.worker import Limits
from pipeline.records import Document
from pipeline.storage.parquet import read_documents, write_documents
from pipeline.tasks.task import all_tasks
from pipeline.teachers.generate import generate
from pipeline.teachers.slots import TeachingPlan
from tests.pipeline import server_scripts as servers
from tests.pipeline import teacher_scripts as scripts
from tests.pipeline.endpoint.test_client import PARAMS

CONTEXT = 16_384
PLANTED = "The harbour wall broke because Torvald Quist had left the sluice open for nine days."
NOVEL, FILING = "1" * 64, "2" * 64
WHO = ("the notary", "Ada Quell", "the ferryman", "Captain Orr", "the miller", "Mrs. Hale")
DID = ("waited by", "asked about", "walked round", "paid for", "dreamt of", "quarrelled over")
WHAT = ("the lower mill", "the north dike", "a lamp in the yard", "the letter from Varn", "the old ledger")
LIMITS = Limits(240, 0, 300, 3_000_000_000, 50_000_000)
LINES = ("Net sales", "Cost of timber", "Freight", "Wages", "Interest", "Income taxes", "Deferred rent")


def write_novel(num_chapters: int) -> str:
    rng = random.Random(1)
    chapters = []
    for number in range(1, num_chapters + 1):
        paragraphs = [
            " ".join(
                f"On day {rng.randint(2, 28)} {rng.choice(WHO)} {rng.choice(DID)} {rng.choice(WHAT)}, and nobody spoke."
                for _ in range(6)
            )
            for _ in range(24)
        ]
        chapters.append("\n\n".join([f"## Chapter {number}", *paragraphs]))
    return "\n\n".join(["# The Mill on the Varn", *chapters])


def write_filing(num_notes: int) -> str:
    rng = random.Random(2)
    parts = ["# Ondal Timber, Form 10-K"]
    for number in range(1, num_notes + 1):
        rows = "\n".join(f"| {line} | {rng.randint(100, 999):,} | {rng.randint(100, 999):,} |" for line in LINES)
        prose = " ".join(
            f"In the {rng.choice(('first', 'second', 'third'))} quarter {rng.choice(LINES).lower()} changed by"
            f" {rng.randint(2, 40)} percent, as the yards reported to the board."
            for _ in range(30)
        )
        table = f"| (in millions) | 2023 | 2022 |\n|---|---|---|\n{rows}"
        parts += [f"## Note {number}", prose, table]
    return "\n\n".join(parts)


def make_document(doc_id: str, category: str, title: str, text: str) -> Document:
    return Document(
        doc_id, category, f"{category}.txt", title, text=text, sections=find_sections(text), num_tokens=len(text) // 4,
        split="train", date="2023-12-31", language="en",
    )  # fmt: skip


@pytest.fixture
def generated() -> list[Document]:
    """A novel and an annual report, several times as long as the context, written for this test."""
    novel, filing = write_novel(30), write_filing(75)
    return [
        make_document(NOVEL, "book", "The Mill on the Varn", novel),
        make_document(FILING, "statement", "Ondal Timber, Form 10-K", filing),
    ]


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """A novel and a 10-K that people wrote."""
    found = []
    lock = tmp_path_factory.mktemp("reading") / "lock"
    lock.touch()
    with Sandbox(LIMITS, lock) as box:
        for doc_id, category, name in (
            (NOVEL, "book", "books/news_from_nowhere_pg3261.txt"),
            (FILING, "statement", "statements/pg-10-k-2025-08-04.html"),
        ):
            reading = box.read(shared / "corpus" / name).reading
            assert reading is not None
            found.append(make_document(doc_id, category, reading.title or "A 10-K", reading.text))
    return found


def plant(document: Document, fraction: float) -> Document:
    at = document.text.index("\n\n", int(len(document.text) * fraction))
    text = f"{document.text[:at]}\n\n{PLANTED}{document.text[at:]}"
    return replace(document, text=text, sections=find_sections(text))


@pytest.fixture(params=["generated", "real"])
def shelf(request, tmp_path: Path, monkeypatch) -> Path:
    """A novel and an annual report, with a sentence planted into the second half of the novel."""
    monkeypatch.setattr("pipeline.endpoint.client.BACKOFF_SECONDS", (0.01,))
    monkeypatch.setenv(scripts.LOG, str(tmp_path / "log"))
    novel, filing = request.getfixturevalue(request.param)
    assert min(estimate_text_tokens(document.text) for document in (novel, filing)) > 3 * CONTEXT
    write_documents(tmp_path / "curate" / "documents-00000.parquet", [plant(novel, 0.7), filing])
    return tmp_path / "curate"


def teach(shelf: Path, url: str, steps: str, only: str = ""):
    params = PARAMS.model_copy(update={"base_url": url, "max_context_tokens": CONTEXT, "max_samples": 1})
    others = {name: 0.0 for name in all_tasks() if only not in ("", name)}
    plan = TeachingPlan(shelf, 3 if not only else 1, 1, params, steps, max_shares=others)
    return generate(plan, read_cards(shelf), shelf.parent / "ask")[0]


def logged(shelf: Path) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in (shelf.parent / "log").read_text().splitlines()]
    return [(name, messages[-1]["content"]) for name, messages in lines if name != "SchemaCheck"]


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["questions_first", "at_once"])
def test_every_prompt_about_a_whole_book_has_its_task_its_number_and_its_title(shelf, steps) -> None:
    with scripted(servers.logs) as url:
        examples = teach(shelf, url, steps)
    assert not [example.reason for example in examples if example.reason]
    titles = {document.title for document in read_documents(shelf)}
    prompts = [task.prompt for task in all_tasks().values() if task.prompt]
    last = "StatedAnswer" if steps == "questions_first" else "AnswerFromNotes"
    assert {name for name, _ in logged(shelf)} >= {"Note", last}
    for name, prompt in logged(shelf):
        assert any(title in prompt for title in titles), name
        assert "<document 1 " in prompt, name
        assert any(task in prompt for task in prompts), name
        assert estimate_text_tokens(prompt) <= CONTEXT - PARAMS.max_reply_tokens, name
    texts = {document.doc_id: document.text for document in read_documents(shelf)}
    spans = [span for example in examples for span in example.evidence]
    assert spans
    assert all(texts[span.doc_id][span.start : span.end] == span.quote for span in spans)


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["questions_first", "at_once"])
def test_no_example_rests_on_a_book_with_a_chunk_that_could_not_be_read(shelf, steps) -> None:
    with scripted(servers.cannot_read_the_harbour) as url:
        examples = teach(shelf, url, steps)
    about_the_novel = [example for example in examples if example.doc_ids == (NOVEL,)]
    assert len(about_the_novel) == 3
    assert all(example.reason.startswith("chunk not read: part ") for example in about_the_novel)
    assert not [example.reason for example in examples if example.doc_ids == (FILING,) and example.reason]


@pytest.mark.slow
@pytest.mark.parametrize("steps", ["questions_first", "at_once"])
def test_does_not_say_is_refused_where_a_chunk_of_the_book_has_the_words(shelf, steps, monkeypatch) -> None:
    monkeypatch.setenv("BY_SEARCH", "")
    with scripted(servers.overlooks) as url:
        examples = teach(shelf, url, steps, only="unanswerable")
    found = {example.doc_ids[0]: example for example in examples}
    assert found[NOVEL].reason.startswith("says that the document does not say, but a chunk does: part ")
    assert not found[FILING].reason
