"""Mark what is struck out: `~~$500~~ $900` says which of two amounts holds."""

from typing import Any

from pipeline.readers.html.raised import flat_text

BLOCKS = (
    "{*}p",
    "{*}div",
    "{*}li",
    "{*}td",
    "{*}th",
    "{*}h1",
    "{*}h2",
    "{*}h3",
    "{*}h4",
    "{*}h5",
    "{*}h6",
    "{*}dd",
    "{*}dt",
)


def mark_struck_out(elements: list[Any]) -> int:
    """Set '~~' around the text of elements, block by block, and return how many of them have text."""
    count = 0
    for element in elements:
        if not flat_text(element):
            continue
        count += 1
        blocks = list(element.iterdescendants(*BLOCKS))
        for block in [block for block in blocks if next(block.iterdescendants(*BLOCKS), None) is None] or [element]:
            mark(block)
    return count


def mark(element: Any) -> None:
    """Set '~~' right before the first and right after the last character of an element."""
    if not flat_text(element):
        return
    text, end = element.text or "", (element[-1].tail if len(element) else element.text) or ""
    if end[-1:].isspace():
        element.tail = f" {element.tail or ''}"
    element.text = f"{text[: len(text) - len(text.lstrip())]}~~{text.lstrip()}"
    if len(element):
        element[-1].tail = f"{(element[-1].tail or '').rstrip()}~~"
    else:
        element.text = f"{element.text.rstrip()}~~"
