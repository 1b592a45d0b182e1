"""A text in plain spelling, for finding words in it however they are laid out, with the place of each character."""

import re
from dataclasses import dataclass
from functools import lru_cache

RULE_LINE = re.compile(r"^[ \t]*\|?(?:[ \t]*:?-{2,}:?[ \t]*\|)+(?:[ \t]*:?-{2,}:?[ \t]*)?$", re.MULTILINE)
TOKEN = re.compile(r"(?P<drop>[*_\\\u00ad\u200b])|(?P<gap>[\s|]+)|(?P<dash>[-‐‑‒–—―−]+)|(?P<other>.)", re.DOTALL)
SPELLINGS = {
    **dict.fromkeys("“”„‟«»", '"'), **dict.fromkeys("‘’‚‛`´", "'"), "…": "...", "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff",
    "ﬃ": "ffi", "ﬄ": "ffl",
}  # fmt: skip


@dataclass(frozen=True)
class PlainText:
    """A text in lower case without emphasis, cell borders and rule lines; white space and dashes have one spelling."""

    text: str
    places: tuple[int, ...]  # of each character in the original

    def to_original(self, start: int, end: int) -> tuple[int, int]:
        """Return the range of the original that a range of the plain text is."""
        return self.places[start], self.places[end - 1] + 1


@lru_cache(maxsize=16)
def make_plain(text: str) -> PlainText:
    """Return the plain spelling of a text; kept, since many quotes are from one document."""
    letters: list[str] = []
    places: list[int] = []
    last = 0
    for rule in (*RULE_LINE.finditer(text), None):
        add_plain(text, last, rule.start() if rule else len(text), letters, places)
        last = rule.end() if rule else len(text)
    return PlainText("".join(letters), tuple(places))


def add_plain(text: str, start: int, end: int, letters: list[str], places: list[int]) -> None:
    """Add the plain spelling of a range of a text to letters and their places."""
    for match in TOKEN.finditer(text, start, end):
        if match["gap"]:
            if letters and letters[-1] not in " -":
                letters.append(" ")
                places.append(match.start())
        elif match["dash"]:
            if letters and letters[-1] == " ":
                letters.pop()
                places.pop()
            letters.append("-")
            places.append(match.end() - 1)
        elif match["other"]:
            spelled = SPELLINGS.get(match[0], match[0].lower())
            letters.extend(spelled)
            places.extend([match.start()] * len(spelled))
