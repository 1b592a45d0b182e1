"""Small documents with known content."""

import hashlib
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from pipeline.records import Document, Section
from pipeline.storage.parquet import write_documents

BOOK = """# The Mill

## Chapter One

Nobody had come down the valley road for eleven whole days. The miller counted them on the beam above his door.

“I will not sell the mill while I can stand,” said Torvin Hale. The notary folded his paper and looked at the river.

“Then you will lose it standing up, like your father,” replied Mrs. Quell. She put the lamp on the table between them.

## Chapter Two

In the morning the wheel was turning again by itself. Water ran over the sill and into the lower yard.
"""
REPORT = """# Outlook 2019

## Growth

Table 1. Growth of output in per cent

| Economy | 2017 | 2018 | 2019 forecast |
|---|---|---|---|
| Norvania | 2.1 | 2.4 | 3.0 |
| Estholm | (0.4) | 1.1 | 1.9 |

The council expects output to grow faster in most economies of the region next year.
"""
PAPER = """# On Slow Sorting

## 1 Introduction

Sorting by patience is older than the machines that do it today. We study how long it takes on real shelves.

## 2 Results

On the largest shelf the patient method needed 37.5 minutes in all of our trials. It never lost a single book at all.
"""
TEXTS = {"book": BOOK, "report": REPORT, "paper": PAPER}


def sections_of(text: str) -> tuple[Section, ...]:
    starts = [i for i in range(len(text)) if text.startswith("#", i) and (i == 0 or text[i - 1] == "\n")]
    found = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        found.append(Section((text[start:].splitlines()[0].lstrip("# "),), start, end))
    return tuple(found)


@pytest.fixture
def documents() -> dict[str, Document]:
    """A document of three categories, each with headings."""
    return {
        category: Document(
            doc_id=hashlib.sha256(text.encode()).hexdigest(),
            category=category,
            source=f"{category}.txt",
            licence="CC0-1.0",
            num_tokens=len(text) // 4,
            text=text,
            sections=sections_of(text),
            split="test" if category == "paper" else "train",
        )
        for category, text in TEXTS.items()
    }


@pytest.fixture
def curated(tmp_path: Path, documents: dict[str, Document]) -> Path:
    """A folder with these documents, as `curate` writes it."""
    write_documents(tmp_path / "curate" / "documents-00000.parquet", documents.values())
    return tmp_path / "curate"


@pytest.fixture(scope="session")
def word_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tokenizer for which every word and every sign is a token."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder
