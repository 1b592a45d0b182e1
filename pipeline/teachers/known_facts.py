"""Read what documents are known to say.

A file of JSON lines: `path` as the sources file has it, `question`, `answer`, `quote` or a list of `quotes`. A question
that is no look-up has a `task`; an answer that is split has `statements`, each a `text` and the numbers of its
`quotes`, from 0.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.passages.document_groups import DocumentCard
from pipeline.records import Statement
from pipeline.tasks.task import KnownFact

TASK = "known"


def read_known_facts(file: Path, cards: Iterable[DocumentCard]) -> dict[str, tuple[KnownFact, ...]]:
    """Return the known facts by doc_id; lines about other documents are ignored.

    Raises:
        InputError: The file is missing, or a line of it is broken.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", expected="JSON lines", fix="Name an empty file to know nothing.")
    ids = {card.source: card.doc_id for card in cards}
    found: dict[str, list[KnownFact]] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
                source, fact = str(row["path"]), parse_fact(row)
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(
                    f"{file}, line {number}",
                    found=str(error) or "no object",
                    expected="path, question, answer, and quote or quotes",
                    fix="Correct or remove the line.",
                ) from error
            if source in ids:
                found.setdefault(ids[source], []).append(fact)
    return {doc_id: tuple(facts) for doc_id, facts in found.items()}


def parse_fact(row: dict[str, Any]) -> KnownFact:
    """Return the fact of a line.

    Raises:
        KeyError: The line lacks a key.
        TypeError: Its quotes are no list of strings, or there is none.
        ValueError: A statement is not one of the answer.
    """
    quotes = row["quotes"] if "quotes" in row else [row["quote"]]
    if not isinstance(quotes, list) or not quotes or not all(isinstance(quote, str) for quote in quotes):
        raise TypeError(f"quotes {quotes!r}")
    statements = tuple(parse_statement(one, str(row["answer"]), len(quotes)) for one in row.get("statements", []))
    return KnownFact(str(row["question"]), str(row["answer"]), tuple(quotes), str(row.get("task", TASK)), statements)


def parse_statement(row: dict[str, Any], answer: str, num_quotes: int) -> Statement:
    """Return a statement of a line.

    Raises:
        KeyError: It lacks a key.
        ValueError: Its text is no part of the answer, or a quote that it names does not exist.
    """
    statement = Statement(str(row["text"]), tuple(row["quotes"]))
    if statement.text not in answer or not set(statement.quotes) <= set(range(num_quotes)):
        raise ValueError(f"statement {statement.text[:40]!r} with quotes {row['quotes']}")
    return statement
