"""The haystack is prose that training never saw, and needles are where they should be."""

import random
from itertools import islice
from pathlib import Path

import pytest

from eval.haystack import FILLER, fill, hide, read_haystack, repeat_filler
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import write_documents

PROSE = " ".join(f"The clerk of the harbour counted {number} barrels." for number in range(40))


def make_document(doc_id: str, split: str, text: str, category: str = "book") -> Document:
    return Document(doc_id=doc_id * 64, category=category, source=f"{doc_id}.txt", text=text, split=split)


def write_folder(folder: Path, *documents: Document) -> Path:
    write_documents(folder / "documents-00000.parquet", documents)
    return folder


def test_only_held_out_prose_is_used_and_books_come_first(tmp_path: Path) -> None:
    blocks = ("# A heading that is long enough", "| a table | is no prose |", "The report says that trade grew.")
    report = "\n\n".join([*blocks, "- a list item that is long"])
    folder = write_folder(
        tmp_path,
        make_document("a", "test", report, "report"),
        make_document("b", "train", "The documents of training are never used here."),
        make_document("c", "test", PROSE),
    )
    haystack = read_haystack(folder, 1)
    assert haystack.sentences[0] == "The clerk of the harbour counted 0 barrels."
    assert haystack.sentences[-1] == "The report says that trade grew."
    assert len(haystack.sentences) == 41
    assert "barrels" in haystack.words
    assert read_haystack(folder, 1) == haystack
    assert haystack.take(40, 3) == [haystack.sentences[40], *haystack.sentences[:2]]


def test_too_little_prose_says_how_much_is_needed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, make_document("a", "test", "The report says that trade grew."))
    with pytest.raises(InputError, match="found 1 sentences of prose in 1 documents of the test split"):
        read_haystack(folder, 1)


def test_needles_are_at_their_depths() -> None:
    lines = [str(number) for number in range(10)]
    assert hide(["x"], [0.0], lines).split() == ["x", *lines]
    assert hide(["x"], [1.0], lines).split() == [*lines, "x"]
    assert hide(["y", "x"], [0.8, 0.2], lines).split() == [*lines[:2], "x", *lines[2:8], "y", *lines[8:]]


def test_a_text_is_filled_to_its_room_and_no_further() -> None:
    lines = fill(50, repeat_filler(random.Random(1)), lambda text: len(text.split()))
    num_words = sum(len(line.split()) for line in lines)
    assert 50 - max(len(line.split()) for line in FILLER) < num_words <= 50
    assert lines == list(islice(repeat_filler(random.Random(1)), len(lines)))
