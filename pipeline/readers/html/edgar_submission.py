"""Read the main document of a full submission to EDGAR; count the others.

Source  EDGAR filer manual, volume II; https://www.sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.readers.common.encodings import decode
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.common.text import read_text
from pipeline.readers.html.html import read_markup

DOCUMENT = re.compile(rb"<DOCUMENT>(.*?)(?:</DOCUMENT>|(?=<DOCUMENT>)|\Z)", re.DOTALL)
FIELD = re.compile(rb"^<([A-Z]+)>[ \t]*([^\r\n]*)", re.MULTILINE)
TEXT = re.compile(rb"<TEXT>[ \t]*\r?\n?(.*?)(?:</TEXT>|\Z)", re.DOTALL)
WRAPPED = re.compile(rb"\A\s*<(?:XBRL|XML)>\s*|\s*</(?:XBRL|XML)>\s*\Z")
NOT_MAIN = re.compile(r"EX-|GRAPHIC|XML|ZIP|EXCEL|JSON|PDF|COVER|CORRESP|XBRL", re.IGNORECASE)
UUENCODED = re.compile(rb"^begin [0-7]{3} \S", re.MULTILINE)
HTML = re.compile(rb"<html|<!doctype html|<body|<\?xml|<div[ >]|<p[ >]", re.IGNORECASE)
HTML_START_BYTES = 4096
HEADER = {  # line of the header -> part of the metadata
    "name": re.compile(r"COMPANY CONFORMED NAME:[ \t]*(.+)"),
    "form": re.compile(r"CONFORMED SUBMISSION TYPE:[ \t]*(.+)"),
    "period": re.compile(r"CONFORMED PERIOD OF REPORT:[ \t]*(\d{8})"),
    "filed": re.compile(r"FILED AS OF DATE:[ \t]*(\d{8})"),
}


class Part(NamedTuple):
    """A document of a submission."""

    type: str
    text: bytes


def read(path: Path, context: ReadContext) -> Reading:
    """Read the main document of a submission.

    Raises:
        UnreadableError: It has no document with text.
    """
    del context  # a submission has no pages
    data = path.read_bytes()
    parts = split_submission(data)
    main = next((part for part in parts if not NOT_MAIN.match(part.type) and is_text(part)), None)
    main = main or next(filter(is_text, parts), None)
    if main is None:
        raise UnreadableError("empty", f"none of the {len(parts)} documents of the submission is text")
    reading = read_markup(main.text) if HTML.search(main.text[:HTML_START_BYTES]) else read_text(decode(main.text))
    header = data[: data.find(b"<DOCUMENT>")].decode("latin-1")
    others = [f"{len(parts) - 1} other documents of the submission left out"] if len(parts) > 1 else []
    known = {name: value for name, value in header_metadata(header).items() if value}
    return replace(reading, warnings=(*others, *reading.warnings), **known)


def split_submission(data: bytes) -> list[Part]:
    """Return the documents of a submission in their order."""
    parts = []
    for match in DOCUMENT.finditer(data):
        fields = dict(FIELD.findall(match[1].partition(b"<TEXT>")[0]))
        text = TEXT.search(match[1])
        parts.append(
            Part(fields.get(b"TYPE", b"").decode("latin-1").strip(), WRAPPED.sub(b"", text[1]) if text else b"")
        )
    return parts


def is_text(part: Part) -> bool:
    """Say whether a document is text, and not a file that was encoded as such."""
    return bool(part.text.strip()) and not UUENCODED.match(part.text.lstrip()) and b"<PDF>" not in part.text[:100]


def header_metadata(header: str) -> dict[str, Any]:
    """Return title, authors and date as the header of a submission gives them, by the names of `Reading`."""
    found = {name: match[1].strip() if (match := pattern.search(header)) else "" for name, pattern in HEADER.items()}
    day = found["period"] or found["filed"]
    date = f"{day[:4]}-{day[4:6]}-{day[6:]}" if day else ""
    end = f" for the period ended {date}" if found["period"] else ""
    title = f"{found['name']}, Form {found['form']}{end}" if found["name"] and found["form"] else ""
    return {"title": title, "authors": (found["name"],) if found["name"] else (), "date": date}
