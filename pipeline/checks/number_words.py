"""Read numbers that are written as words: 'twenty-five', 'two million', 'half', 'a dozen'."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

UNIT = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
TEN = "twenty thirty forty fifty sixty seventy eighty ninety"
SMALL = {word: number for number, word in enumerate(UNIT.split())} | {
    word: 10 * number for number, word in enumerate(TEN.split(), 2)
}
SCALES = {
    "hundred": Decimal(100), "thousand": Decimal(10**3), "million": Decimal(10**6), "billion": Decimal(10**9),
    "trillion": Decimal(10**12),
}  # fmt: skip
SHARES = {
    "half": Decimal("0.5"), "halves": Decimal("0.5"), "third": Decimal(1) / 3, "quarter": Decimal("0.25"),
    "fourth": Decimal("0.25"), "fifth": Decimal("0.2"), "sixth": Decimal(1) / 6, "seventh": Decimal(1) / 7,
    "eighth": Decimal("0.125"), "ninth": Decimal(1) / 9, "tenth": Decimal("0.1"),
}  # fmt: skip
OTHERS = {"dozen": Decimal(12), "score": Decimal(20), "twice": Decimal(2), "thrice": Decimal(3)}
MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
SMALL_WORD = "|".join(sorted(SMALL, key=len, reverse=True))
SCALE_WORD = "|".join(SCALES)
CARDINAL = re.compile(
    rf"\b(?:{SMALL_WORD}|an?(?=[ -](?:{SCALE_WORD})))"
    rf"(?:[ -](?:{SMALL_WORD})\b|[ -](?:{SCALE_WORD})\b(?: and (?:{SMALL_WORD})\b)?)*(?!\w)",
    re.IGNORECASE,
)
SHARE = re.compile(
    rf"\b(?:(?P<num>an?|{SMALL_WORD})[ -])(?P<share>{'|'.join(SHARES)})s?\b(?! (?:time|place|of (?:{MONTH})))"
    r"|\b(?P<bare>half|twice|thrice|dozens?)\b",
    re.IGNORECASE,
)
LEAST_ALONE = 2  # 'one' is a pronoun more often than a number


@dataclass(frozen=True)
class NumberWords:
    """A number in words and its place in the text."""

    start: int
    end: int
    value: Decimal


def find_number_words(text: str) -> Iterator[NumberWords]:
    """Yield the numbers that a text writes as words, except 'one' alone."""
    taken: list[tuple[int, int]] = []
    for match in SHARE.finditer(text):
        value = read_share(match)
        taken.append(match.span())
        yield NumberWords(match.start(), match.end(), value)
    for match in CARDINAL.finditer(text):
        if not any(start < match.end() and match.start() < end for start, end in taken):
            value = read_cardinal(match[0])
            if value >= LEAST_ALONE or value == 0:
                yield NumberWords(match.start(), match.end(), value)


def read_share(match: re.Match[str]) -> Decimal:
    """Return the value of a match of SHARE: 0.75 for 'three quarters', 12 for 'dozen'."""
    if match["bare"]:
        word = match["bare"].lower().rstrip("s")
        return SHARES.get(word) or OTHERS[word]
    count = SMALL.get(match["num"].lower(), 1)
    return count * SHARES[match["share"].lower()]


def read_cardinal(words: str) -> Decimal:
    """Return the value of a cardinal number: 1,200 for 'one thousand two hundred'."""
    total, current = Decimal(0), Decimal(0)
    for word in re.split(r"[ -]+", words.lower()):
        if word in SMALL:
            current += SMALL[word]
        elif word == "and":
            continue
        elif word == "hundred":
            current = (current or Decimal(1)) * 100
        elif word in SCALES:
            total += (current or Decimal(1)) * SCALES[word]
            current = Decimal(0)
    return total + current
