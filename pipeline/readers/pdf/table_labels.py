"""Join the labels of a PDF's table that take several lines, and figures set a little lower than their label."""

import re

from pipeline.readers.common.tables import is_number
from pipeline.readers.pdf.hyphens import MARKED

PREPOSITION = re.compile(r"\s[a-z]{1,2}$")  # of, as, in, to, de: no label ends with one


def join_labels(grid: list[list[str]]) -> list[list[str]]:
    """Join what takes two rows: words without figures, and figures a little lower, or where a label goes on."""
    joined: list[list[str]] = []
    for row in grid:
        label = joined[-1][0] if joined and not any(joined[-1][1:]) else ""
        if label.endswith(MARKED):
            joined[-1] = [label.removesuffix(MARKED) + row[0], *row[1:]]
        elif joined and goes_on(joined[-1], row):
            joined[-1] = [f"{cell} {other}".strip() for cell, other in zip(joined[-1], row, strict=True)]
        elif joined and completes_row(joined[-1], row):
            joined[-1] = [cell or other for cell, other in zip(joined[-1], row, strict=True)]
        elif label and (row[0][:1].islower() or PREPOSITION.search(label) or label.count("(") > label.count(")")):
            joined[-1] = [f"{label} {row[0]}", *row[1:]]
        else:
            joined.append(row)
    return joined


def goes_on(before: list[str], row: list[str]) -> bool:
    """Say whether two rows have one cell each, in the same column, and the second goes on with a sentence."""
    places = [[index for index, cell in enumerate(cells) if cell] for cells in (before, row)]
    return places[0] == places[1] and len(places[0]) == 1 and row[places[0][0]][:1].islower()


def completes_row(before: list[str], row: list[str]) -> bool:
    """Say whether a row has figures alone, and all of them behind the words of the row before, which has none."""
    words = [index for index, cell in enumerate(before) if cell]
    figures = [index for index, cell in enumerate(row) if cell]
    return (
        max(words) < min(figures)
        and not any(is_number(before[index]) for index in words)
        and all(is_number(row[index].strip("$ ")) for index in figures)
    )
