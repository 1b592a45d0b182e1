"""Find the words of a PDF page that are struck out: a thin line is drawn through the middle of their letters.

An underline is below the middle, a rule of a table between the lines of words. Pages that draw thousands of objects
are not looked through.
"""

from bisect import bisect_left, bisect_right

from pipeline.readers.pdf.chars import Box
from pipeline.readers.pdf.rules import Rule

MAX_OBJECTS = 1_500  # of a page that is looked through
LOWEST, HIGHEST = 0.32, 0.6  # of the height of a word's box, between which the middle of its letters is
COVERED = 0.8  # of the width of a word that is struck out
THICKNESS = 0.5  # points from the lower edge of a rule to its middle
STRUCK = "words struck out, kept"
OPENED, CLOSED = "~~", "~~"


def find_struck_words(boxes: list[Box], rules: list[Rule]) -> set[int]:
    """Return the numbers of the words through which a rule is drawn.

    Args:
        boxes: Of the words, as high as their fonts.
        rules: Of the page.
    """
    ordered = sorted(rules, key=lambda rule: rule.bottom)
    heights = [rule.bottom + THICKNESS for rule in ordered]
    struck = set()
    for number, (left, top, right, bottom) in enumerate(boxes):
        height = top - bottom
        first = bisect_left(heights, bottom + LOWEST * height)
        last = bisect_right(heights, bottom + HIGHEST * height)
        near = ordered[first:last]
        if any(min(right, rule.right) - max(left, rule.left) >= COVERED * (right - left) > 0 for rule in near):
            struck.add(number)
    return struck


def mark_struck(texts: list[str], starts: list[int], struck: frozenset[int]) -> list[str]:
    """Return words of a line with the signs of Markdown around those that are struck out.

    Args:
        texts: The words.
        starts: Their places in the text of the page.
        struck: The places of the words that are struck out.
    """
    marked = []
    for number, (text, start) in enumerate(zip(texts, starts, strict=True)):
        if start in struck:
            before = number > 0 and starts[number - 1] in struck
            after = number + 1 < len(texts) and starts[number + 1] in struck
            text = f"{'' if before else OPENED}{text}{'' if after else CLOSED}"
        marked.append(text)
    return marked
