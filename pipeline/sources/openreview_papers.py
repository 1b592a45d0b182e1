"""Papers of a venue on OpenReview, each with its reviews, meta-review, rebuttal and decision.

Catalogue  https://docs.openreview.net/reference/api-v2/openapi-definition: API v2, through the package `openreview-py`;
           by https://docs.openreview.net/how-to-guides/data-retrieval-and-modification/how-to-get-all-submissions and
           .../how-to-get-all-reviews. Venues before 2023 are in API v1, which this finder does not ask
Terms      https://openreview.net/legal/terms: public notes may be read by anyone; each note names its licence. The
           package signs in with OPENREVIEW_USERNAME and OPENREVIEW_PASSWORD where they are set
Rights     a note's `license`, of the submission for the paper, and of the replies for the reviews
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import requests
from openreview import OpenReviewException
from openreview.api import Note, OpenReviewClient

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.sources.found import Found, Skip
from pipeline.sources.spdx import OPEN, spdx_identifier

REVIEW = "Official_Review"  # of the invitation of a reply; venues may use other names


def find(
    *,
    venue: str,
    invitation: str = "Submission",
    licences: str = ",".join(OPEN),
    api: str = "https://api2.openreview.net",
    site: str = "https://openreview.net",
) -> Iterator[Found]:
    """Yield the papers of a venue that have reviews, by their numbers; each followed by the page with its reviews.

    Args:
        venue: The venue's id with its year, like 'ICLR.cc/2024/Conference'.
        invitation: What the venue calls its submissions.
        licences: SPDX identifiers that are listed, separated by commas; 'any' lists every paper.
        api: URL of the API.
        site: URL that papers are downloaded from.

    Raises:
        InputError: The service cannot be reached, or does not know the venue.
    """
    try:
        client = OpenReviewClient(
            baseurl=api, username=os.environ.get("OPENREVIEW_USERNAME"), password=os.environ.get("OPENREVIEW_PASSWORD")
        )
        notes = client.get_all_notes(invitation=f"{venue}/-/{invitation}", details="replies")
    except (OpenReviewException, requests.RequestException) as error:
        advice = "Check the venue's id on its page, or try again later."
        raise InputError(api, found=" ".join(str(error).split())[:300], expected=venue, fix=advice) from error
    for note in sorted(notes, key=lambda note: (note.number or 0, note.id)):
        yield from paper_sources(note, licences.split(","), api.rstrip("/"), site.rstrip("/"))


def paper_sources(note: Note, licences: list[str], api: str, site: str) -> Iterator[Found]:
    """Yield a paper and its reviews, or the reason to skip them."""
    replies: list[dict[str, Any]] = (note.details or {}).get("replies") or []
    reviews = [reply for reply in replies if reply_kind(reply) == REVIEW]
    licence, review_licence = spdx_identifier(note.license or ""), common_licence(reviews)
    if not field_value(note.content, "pdf"):
        yield Skip("no PDF")
    elif not reviews:
        yield Skip("no public review")
    elif licences != ["any"] and (licence not in licences or review_licence not in licences):
        yield Skip("other licence" if note.license else "no licence")
    else:
        about: dict[str, Any] = {
            "title": " ".join(str(field_value(note.content, "title") or "").split()),
            "date": date_from_milliseconds(note.pdate or note.odate or note.cdate),
            "group": f"openreview:{note.id}",
        }
        yield Source(
            url=f"{site}/pdf?id={note.id}",
            category="paper",
            licence=licence,
            licence_evidence=f"license of {site}/forum?id={note.id}: {note.license or 'none'}",
            id=f"openreview:{note.id}",
            authors=[str(name) for name in note.authors],
            media_type="application/pdf",
            **about,
        )
        yield Source(
            url=f"{api}/notes?forum={note.id}",
            category="review",
            licence=review_licence,
            licence_evidence=f"license of the reviews of {site}/forum?id={note.id}",
            id=f"openreview:{note.id}:reviews",
            language="",
            media_type="application/json",
            **about,
        )


def reply_kind(reply: dict[str, Any]) -> str:
    """Return the kind of a reply, the end of its invitation: 'Official_Review', 'Meta_Review', 'Decision', ..."""
    return str(next(iter(reply.get("invitations") or [""]))).rsplit("/", 1)[-1]


def common_licence(reviews: list[dict[str, Any]]) -> str:
    """Return the licence that all reviews share, '' if they differ or name none."""
    found = {spdx_identifier(review.get("license") or "") for review in reviews}
    return found.pop() if len(found) == 1 else ""


def field_value(content: dict[str, Any] | None, key: str) -> Any:
    """Return a field of a note; API v2 wraps each value in a dict."""
    field = (content or {}).get(key)
    return field.get("value") if isinstance(field, dict) else field


def date_from_milliseconds(milliseconds: int | None) -> str:
    """Return a date, '' without one."""
    return "" if milliseconds is None else datetime.fromtimestamp(milliseconds / 1_000, UTC).date().isoformat()
