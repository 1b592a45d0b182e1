"""Find the headings of a PDF: by the outline of the file, else by how they are set."""

import re
from dataclasses import dataclass

from pipeline.readers.pdf.lines import Line
from pipeline.readers.pdf.running_headers import body_size, letters_and_digits

NUMBER_ALONE = re.compile(r"(?:\d{1,2}|[A-Z]|[IVX]{1,5})(?:\.\d{1,2}){0,4}\.?")
PART = re.compile(r"PART\s+[IV]{1,3}\b.{0,60}", re.IGNORECASE)
ITEM = re.compile(r"ITEM\s+\d{1,2}[A-C]?\b.{0,120}", re.IGNORECASE)
NUMBERED = re.compile(
    r"(?:(?:chapter|part|appendix|section)\s+)?((?:\d{1,2}|[A-Z]|[IVX]{1,5})(?:\.\d{1,2}){0,4})\.?\s+(?=\S*[A-Za-z])",
    re.I,
)
MAX_HEADING_CHARS = 120


@dataclass(frozen=True)
class Outline:
    """The headings that the file itself names: page, title in letters and digits alone, level from 1."""

    entries: dict[tuple[int, str], int]


def find_headings(pages: list[list[Line]], outline: Outline) -> list[dict[int, int]]:
    """Return the headings of each page: index of the line -> level. The outline is trusted if most of it is found."""
    named = [headings_by_outline(lines, index, outline) for index, lines in enumerate(pages)]
    if sum(map(len, named)) * 2 > len(outline.entries):
        return named
    body = body_size(pages)
    return [headings_by_style(lines, body) for lines in pages]


def headings_by_outline(lines: list[Line], index: int, outline: Outline) -> dict[int, int]:
    """Return the headings of a page by its outline: index of the line -> level."""
    entries = {title: level for (page, title), level in outline.entries.items() if page == index}
    found: dict[int, int] = {}
    for number, line in enumerate(lines if entries else []):
        if len(line.text) > MAX_HEADING_CHARS:
            continue
        texts = [line.text, f"{line.text} {lines[number + 1].text}" if number + 1 < len(lines) else ""]
        for text in filter(None, texts):
            level = entries.get(letters_and_digits(text)) or entries.get(letters_and_digits(unnumbered(text)))
            if level:
                found[number] = level
                if text is not texts[0]:
                    found[number + 1] = level
                break
    return found


def unnumbered(text: str) -> str:
    """Return a heading without its number."""
    return NUMBERED.sub("", text, count=1) if NUMBERED.match(text) else text


def headings_by_style(lines: list[Line], body: float) -> dict[int, int]:
    """Return the headings of a page by size and weight: index of the line -> level."""
    found: dict[int, int] = {}
    for number, line in enumerate(lines):
        level = heading_level(line, body)
        apart = number == 0 or lines[number - 1].bottom - line.bottom > 1.2 * line.size or number - 1 in found
        if level and (apart or lines[number - 1].bottom < line.bottom):
            found[number] = level
    return found


def heading_level(line: Line, body: float) -> int:
    """Return the level of a line that is set like a heading, 0 for others."""
    text = line.text
    if not line.size or line.turned or len(text) > MAX_HEADING_CHARS or not (line.bold or line.size >= 1.15 * body):
        return 0
    number = NUMBERED.match(text)
    pieces = len(line.pieces) - (1 if NUMBER_ALONE.fullmatch(line.pieces[0].text) else 0)
    letters = sum(map(str.isalpha, text))
    if pieces > 1 or letters < 3 or letters < len(text) / 2:
        return 0
    if line.bold and (PART.fullmatch(text) or ITEM.fullmatch(text)):
        return 1 if PART.fullmatch(text) else 2
    if text.endswith((".", ",", ";")) or not (text[0].isupper() or text[0].isdigit()):
        return 0
    if line.size >= 1.15 * body and number is None:
        return 1 if line.size >= 1.4 * body else 2
    if number:
        return 1 + number[1].count(".")
    return 3 if line.size >= body else 0


def heading_continues(before: Line, line: Line) -> bool:
    """Say whether a heading goes on in the next line."""
    close = 0 < before.bottom - line.bottom < 1.5 * line.size
    return close and before.size == line.size and not NUMBERED.match(line.text) and not ITEM.match(line.text)
