"""Written replies about excerpts of the sample corpus: good ones pass or are in doubt, subtly bad ones never pass."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from pipeline.checks.run import Bounds, list_checks, run_checks
from pipeline.passages.quote_alignment import locate
from pipeline.records import Document, Evidence, Example, Section

FOLDER = Path(__file__).parent
CATEGORIES = {"altel": "paper", "hollowgarth": "book", "outlook": "report", "ixoar": "statement", "verdim": "statement"}
REPLIES = [json.loads(line) for line in (FOLDER / "replies.jsonl").read_text(encoding="utf-8").splitlines()]
CHECKS = list_checks(Bounds(1_000, 12_000))
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


def sections_of(text: str) -> tuple[Section, ...]:
    found, path = [], []
    headings = list(HEADING.finditer(text))
    for number, heading in enumerate(headings):
        level = len(heading[1])
        path = [*(one for one in path if one[0] < level), (level, heading[2])]
        end = next((one.start() for one in headings[number + 1 :] if len(one[1]) <= level), len(text))
        found.append(Section(tuple(words for _, words in path), heading.start(), end))
    return tuple(found)


@cache
def excerpt(name: str) -> Document:
    text = (FOLDER / "excerpts" / f"{name}.md").read_text(encoding="utf-8")
    title = text.split("\n", 1)[0].strip("# ")
    authors = (title.split(":")[0],) if CATEGORIES[name] == "statement" else ()
    return Document(
        name.ljust(64, "0"), CATEGORIES[name], f"{name}.md", title=title, authors=authors, text=text, date="2023",
        sections=sections_of(text),
    )  # fmt: skip


def check_reply(reply: dict, library: Mapping[str, Document]) -> Example:
    documents = {path: library[path] for path in reply["documents"]}
    spans = [(documents[one["document"]], one["quote"]) for one in reply["evidence"]]
    found = [(document.doc_id, locate(document.text, quote)) for document, quote in spans]
    evidence = tuple(Evidence(doc_id, span.start, span.end, span.text) for doc_id, span in found)
    doc_ids = tuple(document.doc_id for document in documents.values())
    example = Example("e" * 16, reply["task"], reply["question"], reply["answer"], doc_ids, evidence, teacher="a model")
    return run_checks(example, {document.doc_id: document for document in documents.values()}, CHECKS)


def checked(reply: dict) -> Example:
    return check_reply(reply, {name: excerpt(name) for name in reply["documents"]})


@pytest.mark.parametrize("reply", [one for one in REPLIES if one["verdict"] == "sound"], ids=lambda one: one["id"])
def test_a_good_reply_is_not_refused(reply: dict) -> None:
    assert checked(reply).reason == ""


@pytest.mark.parametrize("reply", [one for one in REPLIES if one["verdict"] == "unsound"], ids=lambda one: one["id"])
def test_a_bad_reply_is_refused_or_in_doubt(reply: dict) -> None:
    example = checked(reply)
    assert example.reason or example.doubts, reply["note"]


def test_most_good_replies_need_no_judge() -> None:
    good = [checked(reply) for reply in REPLIES if reply["verdict"] == "sound"]
    assert sum(not example.doubts for example in good) >= 0.8 * len(good), [example.doubts for example in good]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("x1", "figure of another year"),
        ("x3", "direction against the quotes"),
        ("x5", "wrong unit"),
        ("x6", "figure of a part"),
        ("x8", "figure of another document"),
        ("x9", "denial that a search contradicts"),
        ("x10", "answer cut off"),
        ("x13", "figure of another year"),
        ("x15", "answer in the question"),
        ("x17", "bare evidence"),
        ("x19", "quotes overlap"),
        ("x21", "wrong language"),
    ],
)
def test_a_bad_reply_is_found_out_for_what_is_wrong_with_it(name: str, kind: str) -> None:
    example = checked(next(reply for reply in REPLIES if reply["id"] == name))
    assert any(found.startswith(kind) for found in (example.reason, *example.doubts)), (example.reason, example.doubts)
