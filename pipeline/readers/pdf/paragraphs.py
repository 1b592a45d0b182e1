"""Write lines of a PDF page as paragraphs."""

import re
from itertools import pairwise
from statistics import median

from pipeline.readers.common.clean import runs_on
from pipeline.readers.pdf.lines import RAISED, Line

BULLET = re.compile(r"(?:[•▪◦‣●■·\u2013]|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)])\s")
LEADERS = re.compile(r"\s*(?:(?:[.·…]\s?){4,}|(?:\s\.){3,})\s*")
SENTENCE_END = tuple('.!?:;”"\u2019)')
MARK_AT_END = re.compile(rf" ?{RAISED[0]}[^{RAISED}]*{RAISED[1]}$")
SOFT_BREAK = "\n"  # to Markdown a space: the lines of a paragraph stay those of the page, and so do its tokens
NEIGHBOURS = 8  # lines before and after, by which the edges of a column are known


def write_paragraphs(lines: list[Line]) -> str:
    """Write lines as paragraphs: the lines of one lie between blank lines, and no word is broken."""
    parts = [LEADERS.sub(" ... ", lines[0].text)]
    leading = median([a.bottom - b.bottom for a, b in pairwise(lines) if a.bottom > b.bottom] or [0])
    for index, (before, line) in enumerate(pairwise(lines)):
        parts += separator(before, line, column_right(lines, index), leading), LEADERS.sub(" ... ", line.text)
    return "".join(parts)


def column_right(lines: list[Line], index: int) -> float:
    """Return the right edge of the column of a line, by the lines around it."""
    line = lines[index]
    left, right, reach = line.left, line.right, 4 * line.size + 1
    around = lines[max(0, index - NEIGHBOURS) : index + NEIGHBOURS + 1]
    column = [other.right for other in around if other.left < right and abs(other.left - left) < reach]
    return max(column, default=right)


def separator(before: Line, line: Line, right: float, leading: float) -> str:
    """Return the separator of two lines: a blank line between paragraphs, a soft break or nothing within one."""
    if before.text.endswith("\ufffe"):
        return ""  # within a word
    if not before.size or not line.size:
        return "\n" if before.turned == line.turned else "\n\n"
    down = before.bottom - line.bottom
    if abs(down) < 0.6 * before.size and before.right - 1 <= line.left < before.right + 3 * before.size:
        return " "  # one line that PDFium took for two
    if down < 0.6 * before.size and (down < 0 or line.left > before.right):
        return SOFT_BREAK if runs_on(before.text, line.text) else "\n\n"  # the next column
    if down > 1.5 * max(leading, before.size) or abs(before.size - line.size) > 0.15 * before.size:
        return "\n\n"
    ended = MARK_AT_END.sub("", before.text).endswith(SENTENCE_END)
    if BULLET.match(line.text) and (ended or BULLET.match(before.text)):
        return "\n"
    if before.right + 0.3 * before.size + line.first_word <= right:
        return "\n\n" if ended else "\n"  # the next word would have had room
    if line.left > before.left + 0.7 * line.size and ended:
        return "\n\n"  # the first line of a paragraph is indented
    return SOFT_BREAK
