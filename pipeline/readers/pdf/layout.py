"""Turn the lines of PDF pages into Markdown, with headings, tables and notes.

All of it goes by how a page is set (places, font sizes, repetition), and where that is not clear, lines stay as they
are: a line too many does less harm than a false sentence or a figure in the wrong column.
"""

from collections import Counter
from collections.abc import Iterator

from pipeline.readers.pdf.columns import sort_for_reading
from pipeline.readers.pdf.footnotes import insert_notes, split_notes
from pipeline.readers.pdf.headings import Outline, find_headings, heading_continues
from pipeline.readers.pdf.hyphens import join_words
from pipeline.readers.pdf.line_starts import LINE_NUMBERS, join_initials, strip_line_numbers
from pipeline.readers.pdf.lines import Line
from pipeline.readers.pdf.listings import mark_listings, write_listing
from pipeline.readers.pdf.paragraphs import write_paragraphs
from pipeline.readers.pdf.running_headers import body_size, remove_running_headers
from pipeline.readers.pdf.tables import find_tables

MIN_LISTING = 2  # lines
RUNNING = "running heads, feet and page numbers left out"


def markdown_pages(pages: list[list[Line]], outline: Outline) -> tuple[list[str], Counter[str]]:
    """Return the Markdown of each page and counts of what was left out: running heads, line numbers."""
    kept, num_dropped = remove_running_headers(pages)
    stripped = [strip_line_numbers(lines) for lines in kept]
    left_out = Counter({RUNNING: num_dropped, LINE_NUMBERS: sum(count for _, count in stripped)})
    kept = mark_listings([sort_for_reading(join_initials(lines)) for lines, _ in stripped])
    body = body_size(kept)
    split = [split_notes(lines, body) for lines in kept]
    notes = [found for _, found in split]
    flows = [[lines for lines, _ in split], *([list(found.values()) for found in notes])]
    joined = iter(join_words([lines for flow in flows for lines in flow]))
    texts = [next(joined) for _ in split]
    notes = [{mark: next(joined) for mark in found} for found in notes]
    headings = find_headings(texts, outline)
    markdown = [
        join_quotes("\n\n".join(insert_notes(list(iter_blocks(lines, marked)), found))) if lines else ""
        for lines, marked, found in zip(texts, headings, notes, strict=True)
    ]
    return markdown, left_out


def join_quotes(text: str) -> str:
    """Write two single quotation marks side by side, as old fonts set them, as the double one that is meant."""
    return text.replace("‘‘", "“").replace("’’", "”")


def iter_blocks(lines: list[Line], headings: dict[int, int]) -> Iterator[str]:
    """Yield the headings, tables, listings and paragraphs of one page."""
    tables = find_tables(lines, headings)
    index = 0
    while index < len(lines):
        start = index
        if start in tables:
            index, table = tables[start]
            yield table
        elif start in headings:
            index = start + 1
            while (
                headings.get(index) == headings[start]
                and index not in tables
                and heading_continues(lines[index - 1], lines[index])
            ):
                index += 1
            title = "".join(
                line.text.removesuffix("\ufffe") + ("" if line.text.endswith("\ufffe") else " ")
                for line in lines[start:index]
            )
            yield f"{'#' * min(6, 1 + headings[start])} {title.strip()}"
        elif (index := listing_end(lines, start)) - start >= MIN_LISTING:
            yield write_listing(lines[start:index])
        else:
            index = start + 1
            while index < len(lines) and index not in headings and index not in tables:
                if listing_end(lines, index) - index >= MIN_LISTING:
                    break
                index += 1
            yield from write_paragraphs(lines[start:index]).split("\n\n")


def listing_end(lines: list[Line], start: int) -> int:
    """Return the index after the lines of one listing that begins at a line."""
    end = start
    while end < len(lines) and lines[end].fixed and (end == start or lines[end - 1].bottom - lines[end].bottom > 0):
        end += 1
    return end
