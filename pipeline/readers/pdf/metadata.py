"""Title, authors and date of a PDF: from its metadata, else from its first page."""

import datetime
import re
from typing import Any

from pipeline.readers.common.clean import clean
from pipeline.readers.pdf.edge_lines import STAMP
from pipeline.readers.pdf.headings import MAX_HEADING_CHARS
from pipeline.readers.pdf.lines import MARKS, RAISED, Line
from pipeline.readers.pdf.pypdf_fallback import PypdfDocument

DATE = re.compile(r"(?:D:)?(\d{4})(?:(\d\d)(\d\d)?)?")
FIRST_YEAR, MAX_YEARS = 1985, 100  # PDF is of 1993, PostScript of 1984
NO_TITLE = re.compile(
    r"^(?:.|draft|confidential|sample|copy|(?:print|scan)?\d*)$|^(?:untitled|microsoft word|slide 1)"
    r"|\.(?:dvi|docx?|tex|indd|pdf|rtf|qxd|fm)$",
    re.IGNORECASE,
)
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
WRITTEN_DATE = re.compile(rf"\b({MONTHS}) (?:(\d{{1,2}}), )?((?:19|20)\d\d)\b|\b((?:19|20)\d\d-[01]\d-[0-3]\d)\b")
NO_AUTHOR = re.compile(r"anonymous|unknown|user|owner|admin(?:istrator)?", re.IGNORECASE)
LARGER = 1.15  # than most of its page, the title is
MAX_TITLE_LINES = 4
MIN_TITLE_LETTERS = 3
MAX_LARGER = 2  # sizes of stamps and drop caps above that of the title
MAX_AUTHOR_LINES = 8  # below the title
NOT_IN_NAMES = re.compile(rf"{RAISED[0]}[^{RAISED}]*{RAISED[1]}|[{MARKS}+#$\d]+")
BETWEEN_NAMES = re.compile(r"\s*(?:,|;|\band\b|&)\s*")
NAME = re.compile(r"[A-Z][\w.’'-]*(?: (?:[A-Z][\w.’'-]*|de|da|van|von|der|den|la|le|bin|al))* [A-Z][\w’'-]+")
NO_NAME = re.compile(
    r"\b(?:University|Institute|Department|Corporation|Inc|Company|School|College|Center|Centre|Laboratory|Agency"
    r"|Federal|Administration|Act|Part|Rules|Vol|Introduction|Abstract|Report|Volume|Release|Edition|United|States|Contents|Team|Commission|Washington)\b|"
    + MONTHS
)


def read_metadata(
    document: Any, fallback: PypdfDocument, first_page: list[Line], text: str
) -> tuple[str, tuple[str, ...], str]:
    """Return title, authors and date of a file.

    Args:
        document: PDFium's, if there is one.
        fallback: pypdf's view of the file.
        first_page: Its lines.
        text: Its Markdown.
    """
    info = info_dictionary(document) if document else fallback.metadata()
    title = clean(info.get("Title", "")).strip()
    start, end = title_lines(first_page)
    author = clean(info.get("Author", "")).strip()
    author = "" if NO_AUTHOR.fullmatch(author) else author
    created = creation_date(info.get("CreationDate", ""))
    return (
        clean(" ".join(line.text for line in first_page[start:end])) if not title or NO_TITLE.search(title) else title,
        (author,) if author else authors_in(first_page[end : end + MAX_AUTHOR_LINES]) if end else (),
        created or date_in(text),
    )


def creation_date(text: str) -> str:
    """Return the date of a file's metadata as ISO 8601; '' for one before 1985 or off the calendar.

    Programs without a clock write 1601, 1904, 1970 or 1980; those of 1999 wrote 19100 for the year 2000.
    """
    found = DATE.match(text)
    if found is None or not FIRST_YEAR <= int(found[1]) < FIRST_YEAR + MAX_YEARS:
        return ""
    year, month, day = found[1], found[2], found[3]
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return year if month == "00" else ""
    return "-".join(filter(None, (year, month, day)))


def info_dictionary(document: Any) -> dict[str, str]:
    """Return the information dictionary of a file as PDFium has it; nothing where it is not text."""
    try:
        return {name: str(value) for name, value in document.get_metadata_dict().items()}
    except UnicodeDecodeError:  # half of a surrogate pair, say
        return {}


def title_lines(lines: list[Line], depth: int = 0) -> tuple[int, int]:
    """Return the range of the title among the lines of the first page: the first that are set largest."""
    sizes = sorted(line.size for line in lines if line.size)
    if not sizes or sizes[-1] < LARGER * sizes[len(sizes) // 2]:
        return 0, 0
    start = next(index for index, line in enumerate(lines) if line.size == sizes[-1])
    end = start
    while end < min(len(lines), start + MAX_TITLE_LINES) and lines[end].size == sizes[-1]:
        end += 1
    long = sum(len(line.text) for line in lines[start:end]) > 2 * MAX_HEADING_CHARS
    text = " ".join(line.text for line in lines[start:end])
    letters = sum(map(str.isalpha, text))
    is_none = long or letters < len(text) / 2 or letters < MIN_TITLE_LETTERS or STAMP.fullmatch(text) is not None
    if not is_none:
        return start, end
    rest = [line for line in lines if line.size < sizes[-1]]  # a drop cap or a stamp is larger than the title
    if long or len(rest) in (0, len(lines)) or depth >= MAX_LARGER:
        return 0, 0
    start, end = title_lines(rest, depth + 1)
    return (lines.index(rest[start]), lines.index(rest[end - 1]) + 1) if end else (0, 0)


def authors_in(lines: list[Line]) -> tuple[str, ...]:
    """Return the names below a title: of the first lines that hold nothing but names."""
    names: list[str] = []
    for text in join_rows(lines):
        parts = [part for part in BETWEEN_NAMES.split(NOT_IN_NAMES.sub("", text).strip()) if part]
        if parts and all(is_name(part) for part in parts):
            names += [clean(part) for part in parts]
        elif names:
            break
    return tuple(names)


def is_name(text: str) -> bool:
    """Say whether a text has the form of a person's name."""
    return NAME.fullmatch(text) is not None and len(text) < 40 and not text.isupper() and not NO_NAME.search(text)


def join_rows(lines: list[Line]) -> list[str]:
    """Return the texts of lines, those at nearly one height as one: raised marks split the names of a line."""
    texts: list[str] = []
    before: Line | None = None
    for line in lines:
        if before and abs(before.bottom - line.bottom) < 0.6 * max(before.size, line.size) and line.left > before.left:
            texts[-1] += f" {line.text}"
        else:
            texts.append(line.text)
        before = line
    return texts


def date_in(text: str) -> str:
    """Return the first date of a text, as exact as it is there; '' if there is none."""
    found = WRITTEN_DATE.search(text)
    if not found:
        return ""
    if found[4]:
        return found[4]
    month = MONTHS.split("|").index(found[1]) + 1
    return f"{found[3]}-{month:02}" + (f"-{int(found[2]):02}" if found[2] else "")
