"""Read the discussion of a paper as OpenReview's API v2 serves it.

Who wrote a note is left out: reviewers are numbered in the order of their reviews, and no signature is kept. Notes that
are not for everyone are left out too.
Source  https://docs.openreview.net/reference/api-v2/entities/note
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.readers.common.clean import clean
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.formats.format import Format, Sample

REVIEW, META, DECISION, AUTHORS = "Review", "Meta-review", "Decision", "Author response"
KINDS = {"Official_Review": REVIEW, "Meta_Review": META, "Decision": DECISION, "Rebuttal": AUTHORS}
FORMAL = re.compile(
    r"code_of_conduct|ethics|first_time_reviewer|reciprocal|_?bibtex|pdf|supplementary|(?:author)?ids?|title$|paperhash"
    r"|llm_|acknowledg|venue|confirm",
    re.IGNORECASE,
)
SIGNATURE = re.compile(r"Reviewer_(\w+)$")
VENUE = re.compile(r"^(\w+)[^/]*/(\d{4})/")
HEADING = re.compile(r"^[ \t]*#+[ \t]*(\S.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Note:
    """A note as it is printed: what it is, whom it answers, and its fields in words."""

    id: str
    replyto: str
    kind: str
    signature: str
    fields: tuple[tuple[str, str], ...]


def is_discussion(sample: Sample) -> bool:
    """Say whether a file begins like a page of notes."""
    head = sample.head
    return head.lstrip().startswith(b"{") and b'"notes"' in head and b'"invitations"' in head and b'"forum"' in head


def read(path: Path, context: ReadContext) -> Reading:
    """Read a page of notes.

    Raises:
        UnreadableError: It is no such page, or nobody has reviewed the paper.
    """
    del context  # a discussion has no pages
    try:
        notes = json.loads(path.read_bytes())["notes"]
        paper = next(note for note in notes if note["id"] == note["forum"])
        replies = [
            parse_note(note)
            for note in sorted(notes, key=lambda note: (note.get("cdate") or 0, note["id"]))
            if note is not paper and is_public(note)
        ]
        title, venue = str(field_value(paper, "title") or ""), find_venue(paper)
    except (ValueError, TypeError, KeyError, AttributeError, StopIteration, RecursionError) as error:
        raise UnreadableError("broken", "no page of notes of OpenReview's API v2") from error
    reviews = [note for note in replies if note.kind == REVIEW]
    if not reviews:
        raise UnreadableError("empty", "no public review")
    text = "\n\n".join(format_page(title, venue, replies, reviews))
    return Reading(text=clean(number_reviewers(text, reviews)), reader="openreview", title=title)


def is_public(note: dict[str, Any]) -> bool:
    """Say whether everyone may read a note, which has not been taken back."""
    return "everyone" in note.get("readers", []) and not note.get("ddate")


def parse_note(note: dict[str, Any]) -> Note:
    """Return what is printed of a note."""
    invitation = str(next(iter(note.get("invitations") or [""]))).rsplit("/", 1)[-1]
    signature = str(next(iter(note.get("signatures") or [""])))
    kind = KINDS.get(invitation, AUTHORS if signature.endswith("/Authors") else "")
    fields = (
        (str(name), format_value(field_value(note, name)))
        for name in note.get("content") or {}
        if not FORMAL.match(name)
    )
    return Note(note["id"], note.get("replyto") or "", kind, signature, tuple(field for field in fields if field[1]))


def field_value(note: dict[str, Any], name: str) -> Any:
    """Return a field of a note: API v2 wraps each value."""
    field = (note.get("content") or {}).get(name)
    return field.get("value") if isinstance(field, dict) else field


def format_value(value: Any) -> str:
    """Return a value in words that cannot be taken for headings or fences of the page; '' for what has none."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(format_value, value)))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return HEADING.sub(lambda match: f"**{match[1].rstrip(' #')}**", str(value)).replace("```", "'''").strip()


def find_venue(paper: dict[str, Any]) -> str:
    """Return 'ICLR 2024' for a paper of ICLR.cc/2024/Conference."""
    found = VENUE.match(str(next(iter(paper.get("invitations") or [""]))))
    return f"{found[1]} {found[2]}" if found else ""


def format_page(title: str, venue: str, replies: Sequence[Note], reviews: Sequence[Note]) -> Iterator[str]:
    """Yield the blocks of the page: reviews with the authors' replies to them, then meta-review and decision."""
    yield f"# Reviews of {title}"
    if venue:
        yield f"Venue: {venue}"
    answered = {note.id: note for note in replies}
    for number, review in enumerate(reviews, 1):
        yield from format_note(f"Review {number}", review)
        for reply in replies:
            if reply.kind == AUTHORS and find_thread_root(reply, answered) == review.id:
                yield from format_note(f"{AUTHORS} to review {number}", reply)
    for kind in (META, DECISION):
        for note in replies:
            if note.kind == kind:
                yield from format_note(kind, note)


def find_thread_root(note: Note, notes: dict[str, Note]) -> str:
    """Return the id of the note below the paper that a reply goes back to."""
    visited = {note.id}
    while (above := notes.get(note.replyto)) and above.id not in visited:
        visited.add(above.id)
        note = above
    return note.id


def format_note(heading: str, note: Note) -> Iterator[str]:
    """Yield a note under its heading, each field under one of its own."""
    yield f"## {heading}"
    for name, words in note.fields:
        yield f"### {name.strip('_').replace('_', ' ').capitalize()}"
        yield words


def number_reviewers(text: str, reviews: Sequence[Note]) -> str:
    """Return a page in which authors address reviewers by their numbers, not by the signs that the venue gave them."""
    for number, review in enumerate(reviews, 1):
        if found := SIGNATURE.search(review.signature):
            text = re.sub(rf"\bReviewer[ _]{re.escape(found[1])}\b", f"Reviewer {number}", text, flags=re.IGNORECASE)
    return text


FORMAT = Format(
    name="openreview",
    media_type="application/json",
    suffixes={".json": "application/json"},
    priority=110,
    recognises=is_discussion,
    load=lambda: read,
)
