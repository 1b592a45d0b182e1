"""Read the cells of a LaTeX table at their places in its grid."""

import re
from collections.abc import Callable

from pipeline.readers.common.tables import MAX_SPAN, Cell, Row
from pipeline.readers.latex.source import Source

ROW_RULE = re.compile(
    r"\\(?:hline|toprule|midrule|bottomrule|endhead|endfirsthead|endfoot|endlastfoot|addlinespace|hdashline|Xhline|startdata"
    r"|enddata|abovestrut|belowstrut|thickhline)\b(?:\[[^\]\n]{0,20}\])?"
    r"|\\specialrule\{[^{}]*\}\{[^{}]*\}\{[^{}]*\}"
    r"|\\(?:cline|cmidrule)(?:\[[^\]\n]*\])?(?:\([a-z]*\))?\{[^{}]*\}|\\noalign\{[^{}]*\}"
)
OPENING, CLOSING = ("{", "\\begin"), ("}", "\\end")
CELL_END = re.compile(r"\\\\(?:\*|\[[^\]\n]{0,20}\])?|\\tabularnewline\b|\\begin\b|\\end\b|\\.|[&{}]", re.DOTALL)
SPAN = re.compile(r"\s*\\multicolumn\s*\{\s*(\d{1,3})\s*\}")


def read_latex_rows(inside: str, render: Callable[[str], str]) -> list[Row]:
    """Return the rows of a table: cells with text at the columns that they span.

    Args:
        inside: The source between the table's begin and end.
        render: Returns the text of a cell's source on one line.
    """
    source = Source(inside)
    place = source.after_options(0)
    while place in source.closing and len(inside) > place:  # the widths and the kinds of columns
        place = source.after_options(source.closing[place] + 1)
    rows = []
    for line in split_rows(ROW_RULE.sub("", inside[place:])):
        row, column = [], 0
        for cell in line:
            match = SPAN.match(cell)
            width = min(MAX_SPAN, max(1, int(match[1]))) if match else 1
            if text := render(cell):
                row.append(Cell(text, column, column + width))
            column += width
        if row:
            rows.append(row)
    return rows


def split_rows(body: str) -> list[list[str]]:
    """Split the body of a table into rows of cells; what is in braces is not split."""
    rows: list[list[str]] = [[]]
    depth = start = 0
    for match in CELL_END.finditer(body):
        text = match[0]
        if text in OPENING or text in CLOSING:
            depth = max(0, depth + (1 if text in OPENING else -1))
        elif depth == 0 and (text == "&" or text.startswith(("\\\\", "\\tabularnewline"))):
            rows[-1].append(body[start : match.start()])
            start = match.end()
            if text != "&":
                rows.append([])
    rows[-1].append(body[start:])
    return rows
