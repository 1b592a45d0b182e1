"""The demonstrations: which checks the replies of each pass."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from eval.report_parts.part import COMPARED, Folders, Part, format_share, read_json, require_file

ORDER = 92
SHOWN_CHARACTERS = 600  # of a reply


def make_part(folders: Folders) -> Part:
    """Show the checks that both models pass, and the first reply of each to every case."""
    measured = read_json(folders.data / "demos" / "metrics.json")
    return Part(
        "Demonstrations",
        "What LongAlpaca's announcement showed, with documents that anyone has: a review of a paper, two conferences' "
        "styles, a series of yearly outlooks, a novel. Each reply is checked by rule; a check says that something is "
        "there, not that it is well put. The share is of the replies that pass, greedy and sampled, with Wilson's 95 % "
        "interval; where there is one reply a case, that says little. Prompts and whole replies are in "
        "demos/transcripts.jsonl.",
        pd.DataFrame(list(list_checks(measured)), columns=["demonstration", "variant", "check", *COMPARED, "replies"]),
        details=(("Greedy replies", show_replies(folders)),),
        metrics={"demos": measured},
    )


def list_checks(measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each check of each case."""
    for demonstration, variants in measured.items():
        for variant, checks in variants.items():
            for check, by_model in checks.items():
                shares = (format_share(by_model[model]) for model in COMPARED)
                yield (demonstration, variant, check, *shares, by_model["base"]["n"])


def show_replies(folders: Folders) -> pd.DataFrame:
    """Return the beginning of each greedy reply."""
    path = require_file(folders.data / "demos" / "transcripts.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    greedy = [row for row in rows if row["sample"] == 0]
    shown = [
        (row["demonstration"], row["variant"], row["model"], " ".join(row["reply"].split())[:SHOWN_CHARACTERS])
        for row in greedy
    ]
    return pd.DataFrame(shown, columns=["demonstration", "variant", "model", "reply"])
