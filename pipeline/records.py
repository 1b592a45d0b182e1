"""The records that all stages pass on: `Document`, `Example`, and their parts.

docs/data-format.md describes every column; `pipeline.storage.parquet` stores them. No library is imported here, since
the sandboxed readers import this module.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Category = Literal["book", "paper", "report", "statement", "review"]  # a review is never material of a prompt
Split = Literal["train", "test"]
CharRange = tuple[int, int]  # characters of a text, the end excluded
CATEGORIES: tuple[Category, ...] = get_args(Category)


@dataclass(frozen=True)
class Section:
    """A heading and the range of text that it covers, up to the next heading of its own or a higher level."""

    path: tuple[str, ...]  # the headings above it and its own, outermost first
    start: int  # characters of `Document.text`, from the heading on
    end: int


@dataclass(frozen=True)
class Fact:
    """A figure that the document itself tags with its meaning (inline XBRL), and its place in the text."""

    concept: str  # qualified name, like 'us-gaap:Revenues'
    value: str  # in whole units, sign and scale applied: '-1250000'
    unit: str  # 'USD', 'USD/shares', 'shares', 'pure'
    period: str  # ISO 8601: '2023-12-31', or 'start/end', both included
    dimensions: tuple[str, ...]  # 'axis=member' each, sorted; empty for the whole company
    scale: int  # power of ten by which the printed figure is multiplied
    start: int  # characters of `Document.text`: the printed figure
    end: int


@dataclass(frozen=True)
class Document:
    """One source file, or the reason why it could not be read."""

    doc_id: str  # sha256 of the file's bytes, hex
    category: Category
    source: str  # the path or URL that it came from
    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""  # ISO 8601, as exact as it is known: '2019', '2019-04', '2019-04-30'
    language: str = ""  # ISO 639-1
    licence: str = ""  # SPDX identifier where there is one, '' when unknown
    media_type: str = ""
    num_pages: int | None = None  # None where the format has no pages
    num_tokens: int = 0
    text: str = ""  # Markdown, NFC, valid UTF-8
    page_offsets: tuple[int, ...] = ()  # where each page starts in `text`, in characters
    sections: tuple[Section, ...] = ()
    facts: tuple[Fact, ...] = ()  # in the order of the text
    reader: str = ""
    warnings: tuple[str, ...] = ()
    error: str = ""  # why there is no text; '' when there is
    group: str = ""  # documents of one group stay on one side of the split: a paper and its reviews; '' for none
    split: Split | Literal[""] = ""  # set by `curate`; a document is never on both sides


@dataclass(frozen=True)
class Evidence:
    """The words of a document that carry an answer: `text[start:end] == quote`."""

    doc_id: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True)
class Turn:
    """What one side says in a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class Statement:
    """A part of an answer, and the evidence it rests on: the answer contains its words."""

    text: str
    quotes: tuple[int, ...]  # indices into `Example.evidence`


@dataclass(frozen=True)
class Example:
    """A question about documents, its answer, and where they say so. It names documents and does not hold them."""

    example_id: str  # see `make_example_id`
    task: str
    question: str
    answer: str
    doc_ids: tuple[str, ...] = ()  # in the order in which the prompt shows them; none for a short example
    evidence: tuple[Evidence, ...] = ()
    teacher: str = ""  # a model, 'extractive', or 'human' with its venue
    prompt_version: str = ""
    licence: str = ""
    earlier: tuple[Turn, ...] = ()  # the questions and answers before it, in a conversation that goes on with it
    statements: tuple[Statement, ...] = ()  # in the order of the answer; none where a teacher did not split it
    checks: tuple[str, ...] = ()  # the names of the checks that it passed
    doubts: tuple[str, ...] = ()  # what the checks could neither confirm nor refuse, and a judge decided
    reason: str = ""  # why it was refused; '' when it was not


@dataclass(frozen=True)
class Material:
    """The part of a document that an instruction shows.

    `document.text[start:end] == instruction[offset:offset + end - start]`.
    """

    doc_id: str
    start: int
    end: int
    offset: int


@dataclass(frozen=True)
class MixedExample:
    """A row of the dataset: an example with its documents written into the instruction."""

    instruction: str  # wrapper + material + question
    output: str  # the answer
    num_tokens: int  # of instruction and output together, without any chat template
    material: tuple[Material, ...]  # in the order of `example.doc_ids`; none for a short example
    example: Example
    turns: tuple[Turn, ...] = ()  # of a conversation, the last one is `output`; none for a single question


def make_example_id(task: str, question: str, answer: str, doc_ids: Iterable[str]) -> str:
    """Return the first 16 hex digits of the sha256 of what makes an example this example."""
    return hashlib.sha256("\0".join((task, question, answer, *doc_ids)).encode()).hexdigest()[:16]
