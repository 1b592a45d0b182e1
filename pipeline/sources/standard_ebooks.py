"""Books of Standard Ebooks, from its OPDS catalogue.

Catalogue  https://standardebooks.org/feeds: OPDS 1.2 (https://specs.opds.io/opds-1.2), pages linked by rel="next"; the
           feed of all books is for patrons, who give their mail address as the user name (STANDARD_EBOOKS_EMAIL)
Terms      https://standardebooks.org/about/standard-ebooks-and-the-public-domain: each edition is CC0, and
           its text is believed to be public domain in the United States
"""

import base64
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from pipeline.downloads.sources_file import Source
from pipeline.sources.catalogue import Service
from pipeline.sources.found import Found, Skip
from pipeline.sources.spdx import spdx_identifier

ATOM = "{http://www.w3.org/2005/Atom}"
TERMS = "{http://purl.org/dc/terms/}"
ACQUISITION = "http://opds-spec.org/acquisition"
EPUB = "application/epub+zip"


def find(*, feed: str = "https://standardebooks.org/feeds/opds/all", subject: str = "") -> Iterator[Found]:
    """Yield the books of the feed, in its order.

    Args:
        feed: URL of an OPDS acquisition feed.
        subject: Words that one of a book's subjects must contain, in either case.

    Raises:
        InputError: The feed cannot be downloaded.
    """
    email = os.environ.get("STANDARD_EBOOKS_EMAIL", "")
    headers = {"Authorization": f"Basic {base64.b64encode(f'{email}:'.encode()).decode()}"} if email else {}
    service = Service(feed, requests_per_second=1, headers=headers)
    page: str | None = feed
    while page:
        root = service.xml(page)
        if root is None:
            return
        for entry in root.iterfind(f"{ATOM}entry"):
            subjects = [
                category.get("label") or category.get("term", "") for category in entry.iterfind(f"{ATOM}category")
            ]
            if not subject or any(subject.lower() in each.lower() for each in subjects):
                yield opds_source(entry, page)
        page = next(
            (absolute_url(link, page) for link in root.iterfind(f"{ATOM}link") if link.get("rel") == "next"), None
        )


def opds_source(entry: Any, page: str) -> Found:
    """Return the source of an entry, or the reason to skip it."""
    links = [link for link in entry.iterfind(f"{ATOM}link") if link.get("rel", "").startswith(ACQUISITION)]
    epubs = [link for link in links if link.get("type") == EPUB]
    if not epubs:
        return Skip("no EPUB")
    rights = entry.findtext(f"{ATOM}rights", "")
    licence = spdx_identifier(rights)
    if not licence:
        return Skip("no licence")
    best = next((link for link in epubs if "ecommended" in link.get("title", "")), epubs[0])
    length = best.get("length", "")
    return Source(
        url=absolute_url(best, page),
        category="book",
        licence=licence,
        licence_evidence=" ".join(rights.split()),
        id=entry.findtext(f"{ATOM}id", ""),
        title=" ".join(entry.findtext(f"{ATOM}title", "").split()),
        authors=[name for author in entry.iterfind(f"{ATOM}author") if (name := author.findtext(f"{ATOM}name"))],
        date=entry.findtext(f"{TERMS}issued", "")[:10],
        language=entry.findtext(f"{TERMS}language", "")[:2].lower(),
        media_type=EPUB,
        size=int(length) if length.isdecimal() else None,
    )


def absolute_url(link: Any, page: str) -> str:
    """Return the URL of a link, which may be relative to its page."""
    return str(urljoin(page, link.get("href", "")))
