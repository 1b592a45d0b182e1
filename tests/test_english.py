"""Code, messages and pages use the field's words; docs/glossary.md says which private ones they replaced."""

import re
import subprocess
from pathlib import Path

import pytest

BANNED = {
    r"foret(?:ell|elling|ells|old)": "predict, estimate",
    r"oftener|seldomer": "more often, less often",
    r"wardens?": "worker",
    r"mends|mend (?:it|them|the|its|or)": "fix",
    r"parted (?:into|by|from)": "split, separated",
    r"(?:is|are|be|was) learned": "counts in the loss",
    r"stands? (?:in|under|beside|behind|below|above|before|here|there|at)": "is in, appears under, is next to",
    r"commonplaces?": "boilerplate",
    r"computed again": "recomputed",
    r"where there is room": "if memory allows",
    r"row of marks": "masked",
    r"what it comes to|what each came to": "total, result",
    r"remedy|remedies": "fix",
    r"brings? (?:back|them|it|the)": "download, fetch, return",
}
FILES = ("*.py", "*.md", "*.yaml", "*.toml", "*.html", "Makefile")
EXEMPT = (
    "docs/glossary.md",  # names them
    "tests/",  # among them this file; tests quote documents
    "pipeline/synthetic/",  # the prose of novels, papers and filings
    "pipeline/tasks/",  # the wordings of questions, which have versions
)


def tracked(root: Path) -> list[Path]:
    done = subprocess.run(["git", "ls-files", *FILES], cwd=root, capture_output=True, text=True, check=True)
    return [root / name for name in done.stdout.split("\n") if name and not name.startswith(EXEMPT)]


@pytest.mark.parametrize(("word", "instead"), BANNED.items())
def test_private_words_are_gone(root: Path, word: str, instead: str) -> None:
    pattern = re.compile(rf"\b(?:{word})\b", re.IGNORECASE)
    found = [
        f"{file.relative_to(root)}:{number}: {line.strip()[:120]}"
        for file in tracked(root)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]
    assert not found, f"say '{instead}':\n" + "\n".join(found)


def test_the_rule_finds_what_it_bans() -> None:
    line = "What stands in the table is parted into rows, oftener than foretold. Mend it."
    assert sum(bool(re.search(rf"\b(?:{word})\b", line, re.IGNORECASE)) for word in BANNED) == 5
