"""The marks of list items: bullets, and numbers as `start`, `type`, `value` and `reversed` of HTML set them."""

import re
from typing import Any

STYLE_TYPES = {"lower-alpha": "a", "lower-latin": "a", "upper-alpha": "A", "upper-latin": "A"} | {
    "lower-roman": "i",
    "upper-roman": "I",
    "decimal": "1",
}
LIST_STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)
ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
ROMAN_ONES = ((9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
MAX_ROMAN = 3_999


class OpenList:
    """A list that is being written: what its next item is marked with."""

    def __init__(self, element: Any = None) -> None:
        """Begin a list: of bullets, or numbered as an `ol` says."""
        self.is_numbered = element is not None
        if element is None:
            return
        style = LIST_STYLE.search(element.get("style") or "")
        self.type = element.get("type") or (STYLE_TYPES.get(style[1].lower(), "1") if style else "1")
        is_reversed = element.get("reversed") is not None
        self.step = -1 if is_reversed else 1
        first = sum(1 for _ in element.iterchildren("{*}li")) if is_reversed else 1
        self.number = parse_number(element.get("start"), first)

    def next_mark(self, value: str | None) -> str:
        """Return the mark of the next item, which may set its own number."""
        if not self.is_numbered:
            return "- "
        number = parse_number(value, self.number)
        self.number = number + self.step
        return f"{format_number(number, self.type)}. "


def parse_number(text: str | None, otherwise: int) -> int:
    """Return the number of an attribute, or another if it is none."""
    return int(text) if text and re.fullmatch(r"\s*-?\d{1,6}\s*", text, re.ASCII) else otherwise


def format_number(number: int, kind: str) -> str:
    """Return the number of an item in decimals, letters or Roman numerals: 1, a, A, i, I."""
    if kind in ("a", "A") and number > 0:
        letters = ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord("a") + rest) + letters
        return letters if kind == "a" else letters.upper()
    if kind in ("i", "I") and 0 < number <= MAX_ROMAN:
        text = ""
        for value, letters in ROMAN + ROMAN_ONES:
            count, number = divmod(number, value)
            text += count * letters
        return text if kind == "i" else text.upper()
    return str(number)
