"""Records come back from Parquet as they went in."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.records import (
    Document,
    Evidence,
    Example,
    Material,
    MixedExample,
    Section,
    Statement,
    Turn,
    make_example_id,
)
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import (
    ROWS_PER_GROUP,
    read_documents,
    read_examples,
    read_mixed,
    write_documents,
    write_examples,
    write_mixed,
)

DOCUMENT = Document(
    doc_id="ab" * 32,
    category="book",
    source="books/a.txt",
    authors=("A. Author", "B. Author"),
    num_pages=2,
    text="# One\n\nText.\n\n# Two\n\nMore.",
    page_offsets=(0, 14),
    sections=(Section(("One",), 0, 14), Section(("Two",), 14, 25)),
    warnings=("a warning",),
    split="train",
)
EXAMPLE = Example(
    example_id="0" * 16,
    task="speech",
    question="Who?",
    answer="She.",
    doc_ids=(DOCUMENT.doc_id,),
    evidence=(Evidence(DOCUMENT.doc_id, 7, 12, "Text."),),
    earlier=(Turn("user", "What is it?"), Turn("assistant", "A text.")),
    statements=(Statement("She.", (0,)),),
    checks=("evidence_is_verbatim",),
    doubts=("who 'she' is",),
)


def test_documents_come_back_as_they_were(tmp_path: Path) -> None:
    failed = Document("cd" * 32, "report", "b.pdf", error="encrypted")
    assert write_documents(tmp_path / "documents-00000.parquet", [DOCUMENT, failed]) == 2
    assert list(read_documents(tmp_path)) == [DOCUMENT, failed]


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 2**40))
def test_any_text_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, text: str, place: int) -> None:
    folder = tmp_path_factory.mktemp("examples")
    example = Example("1" * 16, "task", text, text, evidence=(Evidence("d", place, place + len(text), text),))
    write_examples(folder / "examples-00000.parquet", [example])
    assert list(read_examples(folder)) == [example]


def test_dataset_rows_come_back_with_their_examples(tmp_path: Path) -> None:
    row = MixedExample("Text. Who?", "She.", 5, (Material(DOCUMENT.doc_id, 7, 12, 0),), EXAMPLE)
    write_mixed(tmp_path / "train-00000.parquet", [row])
    assert list(read_mixed(tmp_path, "train*.parquet")) == [row]


def test_shards_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for number in (2, 0, 1):
        write_documents(tmp_path / f"documents-0000{number}.parquet", [Document(str(number), "book", "")])
    assert [document.doc_id for document in read_documents(tmp_path)] == ["0", "1", "2"]


def test_a_store_finds_documents_beyond_the_groups_it_keeps(tmp_path: Path) -> None:
    documents = [Document(str(number), "book", "", text="x" * number) for number in range(3 * ROWS_PER_GROUP)]
    write_documents(tmp_path / "documents-00000.parquet", documents)
    store = DocumentStore(tmp_path, num_groups_kept=1)
    order = [0, 3 * ROWS_PER_GROUP - 1, 1, 2 * ROWS_PER_GROUP]
    assert [store[str(number)] for number in order] == [documents[number] for number in order]
    assert "none" not in store


def test_long_texts_end_a_row_group_before_its_rows_are_many(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("pipeline.storage.parquet.CHARACTERS_PER_GROUP", 1_000)
    documents = [Document(str(number), "book", "", text="x" * size) for number, size in enumerate([600, 600, 5, 2_000])]
    path = tmp_path / "documents-00000.parquet"

    assert write_documents(path, documents) == 4

    with pq.ParquetFile(path) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
    assert sizes == [2, 2, 0]
    assert list(read_documents(tmp_path)) == documents


def test_an_empty_folder_says_which_stage_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file that matches \*\.parquet.*dvc repro"):
        list(read_documents(tmp_path))
    with pytest.raises(InputError, match="no such folder"):
        list(read_documents(tmp_path / "none"))


def test_parquet_of_another_kind_and_broken_parquet_are_named(tmp_path: Path) -> None:
    write_examples(tmp_path / "examples.parquet", [EXAMPLE])
    with pytest.raises(InputError, match=r"docs/data-format\.md"):
        list(read_documents(tmp_path))
    (tmp_path / "examples.parquet").write_bytes((tmp_path / "examples.parquet").read_bytes()[:100])
    with pytest.raises(InputError, match="a broken file"):
        list(read_examples(tmp_path))


def test_an_example_id_depends_on_all_that_makes_the_example() -> None:
    parts = [("a", "b", "c", ("d",)), ("a", "b", "c", ("e",)), ("ab", "", "c", ("d",)), ("a", "b", "c", ())]
    assert len({make_example_id(*part) for part in parts}) == len(parts)
