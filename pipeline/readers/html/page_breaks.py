"""Remove what a filing repeats at page breaks: running heads and feet, page numbers."""

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.readers.common.clean import runs_on

MAX_CHARS = 120  # of a running head
MAX_BLOCKS = 3  # that a head or a foot has
MIN_REPEATS = 3
MIN_SHARE = 0.1  # of the page breaks, next to which it is
PAGE_NUMBER = re.compile(r"(?:page )?(?:[A-Z]{1,2}-)?\d{1,4}|([-\u2013\u2014]) ?\d{1,4} ?\1|[ivxl]{1,7}", re.IGNORECASE)
PAGE = "page"
RULE = re.compile(r"\n\|[ :|-]+$", re.MULTILINE)  # the line below a table's header


def remove_page_breaks(blocks: list[str], breaks: list[int]) -> tuple[list[str], int]:
    """Return blocks without running heads, feet and page numbers around page breaks, and how many those were.

    The first of what is the same on every page stays: it may say something, like the unit of all amounts.

    Args:
        blocks: Blocks of Markdown.
        breaks: For each page break, the number of blocks before it, in order.
    """
    gone = find_running_blocks(blocks, breaks)
    joined = set(find_interrupted(blocks, breaks, gone))
    kept: list[str] = []
    for index, block in enumerate(blocks):
        if index in joined:
            kept[-1] += f" {block}"
        elif index not in gone:
            kept.append(block)
    return kept, len(gone)


def find_running_blocks(blocks: list[str], breaks: list[int]) -> set[int]:
    """Return which blocks are running heads and feet: next to a page break, and repeated but for their page number."""
    least = max(MIN_REPEATS, MIN_SHARE * len(breaks))
    lines = {index: running_line(blocks[index]) for place in breaks for index in nearby(place, len(blocks))}
    same = Counter(lines.values())
    alike = Counter(map(shape, same))
    gone: set[int] = set()
    known: set[str] = set()
    for place in breaks:
        for step in (-1, 1):
            for index in nearby(place, len(blocks), step):
                line = lines[index]
                if same[line] < least and alike[shape(line)] < least:
                    break
                gone |= {index} if line in known or same[line] < least else set()
                known.add(line)
    return gone


def nearby(place: int, num_blocks: int, *steps: int) -> Iterator[int]:
    """Yield the blocks next to a page break, the nearest first: before it (step -1), after it (1), or both."""
    for step in steps or (-1, 1):
        first = place - 1 if step < 0 else place
        yield from (index for index in range(first, first + step * MAX_BLOCKS, step) if 0 <= index < num_blocks)


def running_line(block: str) -> str:
    """Return the words of a block that may be a running head, the block itself if it is none."""
    text = RULE.sub("", block)
    line = " ".join(re.sub(r"[#|]", " ", text).split())
    return block if "\n" in text or len(line) > MAX_CHARS else line


def shape(line: str) -> str:
    """Return what running heads of one kind share: their words, with '0' for every number."""
    return PAGE if PAGE_NUMBER.fullmatch(line) else re.sub(r"\d+", "0", line)


def find_interrupted(blocks: list[str], breaks: list[int], gone: set[int]) -> Iterator[int]:
    """Yield the blocks that go on with the sentence that a page break interrupted."""
    for place in breaks:
        before = place - 1
        while before in gone:
            before -= 1
        after = place
        while after in gone:
            after += 1
        if before >= 0 and after < len(blocks) and runs_on(blocks[before], blocks[after]):
            yield after
