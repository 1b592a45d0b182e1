"""Related documents around the right one: which they are, where it is among them, and that nothing else changes."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dataset.distractors import Distractors
from pipeline.dataset.prompt import write_instruction
from pipeline.readers.common.sections import find_sections
from pipeline.records import Document, Evidence, Example
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import write_documents

SUBJECTS = ("lighthouse keepers", "lighthouse lamps", "harbour fees", "sorting shelves", "lighthouse lenses", "gulls")


@pytest.fixture
def store(tmp_path: Path) -> DocumentStore:
    """Six papers of the training split about different matters, one like the first of the test split, and a book."""
    rows = []
    for number, subject in enumerate((*SUBJECTS, "lighthouse keepers at night", "lighthouse keepers of old"), 1):
        text = f"# On {subject}\n\nThis is said about {subject} in document {number}.\n"
        rows.append(
            Document(
                f"{number}" * 64, "book" if number == 8 else "paper", f"{number}.txt", f"On {subject}", text=text,
                sections=find_sections(text), num_tokens=100, licence="CC0-1.0" if number % 2 else "MIT",
                split="test" if number == 7 else "train",
            )
        )  # fmt: skip
    write_documents(tmp_path / "documents-00000.parquet", rows)
    return DocumentStore(tmp_path)


def ask(store: DocumentStore, number: int, name: str = "a") -> Example:
    document = store[f"{number}" * 64]
    start = document.text.index("This")
    span = Evidence(document.doc_id, start, start + 20, document.text[start : start + 20])
    return Example(name * 16, "lookup", "What is said?", "This is.", (document.doc_id,), (span,), licence="CC0-1.0")


def test_the_closest_documents_of_the_same_kind_and_split_are_put_around_the_right_one(store) -> None:
    example = Distractors(store, 2, 10_000, seed=1).add(ask(store, 1))
    assert {doc_id[0] for doc_id in example.doc_ids} == {"1", "2", "5"}  # the lighthouses; 7 is of the test split
    assert example.question == "About “On lighthouse keepers”: What is said?"
    assert example.licence == "CC0-1.0 AND MIT"
    documents = [store[doc_id] for doc_id in example.doc_ids]
    instruction, material = write_instruction(example, [(one, (0, len(one.text))) for one in documents])
    (span,) = example.evidence
    part = next(part for part in material if part.doc_id == span.doc_id)
    assert instruction[part.offset + span.start :].startswith(span.quote)


def test_the_right_document_is_at_every_place_and_the_same_seed_draws_the_same(store) -> None:
    def places(seed: int) -> list[int]:
        related = Distractors(store, 2, 10_000, seed)
        return [related.add(ask(store, 1, f"{n:02d}")).doc_ids.index("1" * 64) for n in range(60)]

    assert min(Counter(places(1)).values()) > 10
    assert set(places(1)) == {0, 1, 2}
    assert places(1) == places(1) != places(2)


def test_what_does_not_fit_or_cannot_be_named_stays_as_it_is(store) -> None:
    example = ask(store, 1)
    assert Distractors(store, 0, 10_000, 1).add(example) == example
    assert Distractors(store, 2, 150, 1).add(example) == example  # no room
    assert len(Distractors(store, 2, 250, 1).add(example).doc_ids) == 2  # room for one
    pair = replace(example, doc_ids=(*example.doc_ids, "2" * 64))
    assert Distractors(store, 2, 10_000, 1).add(pair) == pair
    alone = ask(store, 8)
    assert Distractors(store, 2, 10_000, 1).add(alone) == alone  # no other book
