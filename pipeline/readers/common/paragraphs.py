"""Write plain text as Markdown: prose joined; tables, verse, lists and letters by line."""

import re
from itertools import pairwise

from pipeline.readers.common.tables import Cell, table_blocks

NUMBER_WORD = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|the (?:first|second|third|last)"
CHAPTER = re.compile(
    rf"(?:(?:chapter|book|part|volume|act|canto|letter|section)\s+(?:[ivxlc]+|\d+|{NUMBER_WORD})\b.*"
    r"|preface|foreword|introduction|prologue|epilogue|conclusion|appendix(?:\s+\w+)?)\W*",
    re.IGNORECASE,
)
MAX_HEADING_CHARS = 80
HYPHEN_AT_END = re.compile(r"(?<=[^\W\d_]-)\n(?=[^\W\d_])")
WRAPPED_CHARS = 50  # every line but the last of a wrapped paragraph is longer than this
MIN_VERSES = 3
STOPS = tuple(",.;:!?\u2014-\"\u201d'")
WIDTH_SHARE = 0.9  # of the lines of a text, that are no longer than its width
GAP = re.compile(r"\S(?: {3,}|\t+ *)\S")  # between cells, or between the address and the date of a letter
RULE = re.compile(r"[-=_ +|]{5,}")
ITEM = re.compile(r"[ \t]*(?:[-*\u2022\u00b7]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)])[ \t]+\S")
SGML = re.compile(r"^[ \t]*</?(?:TABLE|CAPTION|PAGE|S|C|FN|F\d)>(?:[ \t]*<(?:C|S)>)*[ \t]*$", re.MULTILINE)
SGML_IN_LINE = re.compile(r"</?(?:TABLE|CAPTION|PAGE|FN|F\d|S|C)>")


def write_paragraphs(text: str) -> str:
    """Write paragraphs of prose on one line each, chapter headings as Markdown, and keep the lines of all else."""
    if "<TABLE>" in text or "<PAGE>" in text:  # the tags that EDGAR's plain texts have around tables and between pages
        text = SGML_IN_LINE.sub("", SGML.sub("", text))
    lines = sorted(len(line) for line in text.split("\n") if line)
    width = lines[int(WIDTH_SHARE * (len(lines) - 1))] if lines else 0
    return "\n\n".join(write_block(block, width) for block in re.split(r"\n{2,}", text))


def write_block(block: str, width: int) -> str:
    """Return a heading as Markdown, a wrapped paragraph on one line, and anything else line by line."""
    lines = block.split("\n")
    title = " ".join(block.split())
    if len(lines) <= 2 and len(title) <= MAX_HEADING_CHARS and CHAPTER.fullmatch(title):
        return f"## {title}"
    if (table := write_tabs(lines)) is not None:
        return table
    if any(GAP.search(line) or RULE.fullmatch(line) for line in lines):
        return block
    if sum(ITEM.match(line) is not None for line in lines) > 1:
        return "\n".join(join_wrapped("\n".join(item)) for item in split_items(lines))
    if is_verse(lines, width):
        return block
    return join_wrapped(block)


def join_wrapped(block: str) -> str:
    """Return a wrapped paragraph on one line; one that is not wrapped, or indented, as it is."""
    lines = block.split("\n")
    wrapped = all(len(line) > WRAPPED_CHARS and not line.startswith(" ") for line in lines[:-1])
    return HYPHEN_AT_END.sub("", block).replace("\n", " ") if wrapped and not lines[-1].startswith(" ") else block


def write_tabs(lines: list[str]) -> str | None:
    """Return lines with equally many tabs as a table; None if they are none."""
    cells = [line.split("\t") for line in lines]
    if len(lines) < 2 or len(cells[0]) < 2 or any(len(row) != len(cells[0]) for row in cells):
        return None
    rows = [[Cell(text.strip(), n, n + 1) for n, text in enumerate(row) if text.strip()] for row in cells]
    return "\n\n".join(table_blocks([row for row in rows if row]))


def split_items(lines: list[str]) -> list[list[str]]:
    """Return the lines of each item of a list, and those before the first."""
    items: list[list[str]] = []
    for line in lines:
        if ITEM.match(line) or not items:
            items.append([])
        items[-1].append(line)
    return items


def is_verse(lines: list[str], width: int) -> bool:
    """Say whether lines are verse: each begins with a capital, and most end with a stop or before the line is full."""
    if len(lines) < MIN_VERSES:
        return False
    starts = [next(filter(str.isalnum, line), " ") for line in lines]
    if sum(start.islower() for start in starts) > 0:
        return False
    short = sum(len(line) + 1 + len(after.split(" ", 1)[0]) <= width for line, after in pairwise(lines))
    stopped = sum(line.endswith(STOPS) for line in lines[:-1])
    return 2 * max(short, stopped) > len(lines) - 1
