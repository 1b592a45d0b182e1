"""Read the quantities of a text by value, unit, scale, sign and rounding.

'$22.9 billion', '22,887' in a table 'in millions', '43.5 %' and '0.435', '(1,234)' and '−1,234', 'twenty-five'. Numbers
of lists and references ('1.', 'Figure 13', 'Form 10-K') and numbers within names ('crypto-md5') are none.
"""

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from pipeline.checks.number_words import SCALES, NumberWords, find_number_words

PERCENT, BASIS_POINT, ONE = Decimal("0.01"), Decimal("0.0001"), Decimal(1)
SCALE_NAMES = SCALES | {"bn": Decimal(10**9), "mn": Decimal(10**6), "m": Decimal(10**6), "k": Decimal(10**3)}
PATTERN = re.compile(
    r"(?P<open>\(\s?)?(?<![\w])(?P<sign>(?<![\w)%])[-−–](?=[$€£¥\d.]))?(?P<money>(?:US)?[$€£¥]\s?|(?:USD|EUR|GBP)\s)?"
    r"(?<![\w.])(?P<digits>\d{1,3}(?:,\d{3}){1,6}(?:\.\d+)?|\d{1,18}(?!\d)(?:\.\d{1,18})?|\.\d{1,18})(?P<close>\s?\))?"
    r"(?P<scale>[ -]?(?:hundred|thousand|million|billion|trillion|bn|mn)s?\b|(?<=\d)(?P<short>[mk])\b)?"
    r"(?P<unit>\s?(?:%|percent(?:age points?)?\b|per cent\b|basis points?\b|bps\b)|(?<=\d)[x×](?![\w]))?",
    re.IGNORECASE,
)
REFERENCE_WORD = (
    r"(?:Figures?|Figs?\.|Tables?|Sections?|Secs?\.|Chapters?|Items?|Notes?|Forms?|Parts?|Appendi(?:x|ces)|Equations?"
    r"|Eqs?\.|Exhibits?|Pages?|pp?\.|Steps?|Examples?|Rules?|Articles?|Vol(?:ume|\.)|Nos?\.|Questions?|Statements?"
    r"|Theorems?|Lemmas?|Definitions?|Algorithms?|Listings?|Topics?|Schedules?|Policy|Release|Version|Reviewers?|ASC"
    r"|ASU|Books?|Letters?|Lines?|§+)"
)
NUMBERED = r"\(?\d[\w.-]*(?:\([a-z0-9]\))*"
REFERENCE = re.compile(
    rf"\b{REFERENCE_WORD}\s?{NUMBERED}(?:(?:,| and| or| to|–|-|, and)\s?{NUMBERED})*\)?|§+\s?\d[\w.-]*"
    r"|\[\d{1,3}(?:, ?\d{1,3})*\]|\b\d{1,2}-[KQ](?:/A)?\b|\b8-K\b"
    r"|\b\d{4}-\d\d-\d\d\b|\b\d\d?/\d\d?/\d{4}\b"  # dates as titles write them
)
LIST_NUMBER = re.compile(
    r"(?:^|(?<=\n)|(?<=[:;.!?*]\s)|(?<=\n\n)|(?<=, )|(?<= and ))[ \t>*_-]*\(?\d{1,2}[.)](?=\s+\S)(?!\s*[-+/*×÷=−])",
    re.MULTILINE,
)
INLINE_NUMBER = re.compile(r"(?<=\s)\(\d{1,2}\)(?=\s+[“\"A-Za-z])")
GLUED = re.compile(r"\d[A-Za-z]|\d-[A-Z]\b")
APPROXIMATE = re.compile(
    r"(?:about|around|roughly|approximately|approx\.|some|circa|close to|almost exactly|~|≈)\s*[$€£(]*$", re.IGNORECASE
)
OVER = re.compile(
    r"(?:over|more than|above|at least|upwards of|exceed(?:s|ed|ing)?|just over)\s*[$€£(]*$", re.IGNORECASE
)
UNDER = re.compile(
    r"(?:under|less than|below|nearly|almost|up to|fewer than|not quite|just under)\s*[$€£(]*$", re.IGNORECASE
)
YEAR = re.compile(r"(?:1[5-9]|20)\d\d")
ORDINAL_ENDING = re.compile(r"(?:st|nd|rd|th)\b|s\b|['’]s\b")
TIMES = ("x", "×")
RANGE = re.compile(r"\s*(?:to|through|[-–—])\s*|\s*,?\s*(?:and|or|,)\s*")


@dataclass(frozen=True)
class Quantity:
    """A number of a text as it is printed, with what belongs to it."""

    words: str
    start: int  # characters of the text
    end: int
    printed: Decimal  # without sign and scale: 22.9 for '-22.9 billion'
    step: Decimal  # one unit of the last digit: 0.1
    scale: Decimal | None = None  # 10**9 for billion, 0.01 for percent; None where nothing is printed
    is_negative: bool = False
    is_money: bool = False
    is_word: bool = False
    hedge: str = ""  # 'about', 'over', 'under'

    @property
    def value(self) -> Decimal:
        """The value by the scale that is printed."""
        return self.printed * (self.scale or ONE)

    @property
    def is_year(self) -> bool:
        """Whether it may be a year."""
        return self.scale is None and not self.is_money and bool(YEAR.fullmatch(self.words.strip("()")))


@lru_cache(maxsize=512)
def find_quantities(text: str) -> tuple[Quantity, ...]:
    """Return the quantities of a text in order."""
    skipped = find_no_quantities(text)
    found = []
    for match in PATTERN.finditer(text):
        start, end = match.start("digits"), match.end("digits")
        is_glued = bool(GLUED.match(text, end - 1)) and not match["unit"] and not match["scale"]
        is_glued = is_glued or (bool(match["short"]) and not match["money"])  # '3M' is a company
        is_ordinal = bool(ORDINAL_ENDING.match(text, end))
        if any(first <= start < last for first, last in skipped) or (is_glued and not is_ordinal):
            continue
        found.append(read_quantity(text, match))
    found += [
        make_word_quantity(text, words)
        for words in find_number_words(text)
        if not any(first <= words.start < last for first, last in skipped) and not has_digit_before(text, words.start)
    ]
    return share_scales(text, sorted(found, key=lambda quantity: quantity.start))


def share_scales(text: str, found: list[Quantity]) -> tuple[Quantity, ...]:
    """Return quantities where the ends of a range share what is printed once: '5 to 7 million' is two millions."""
    for number in range(len(found) - 2, -1, -1):
        one, other = found[number], found[number + 1]
        if one.scale is None and other.scale and not one.is_year and RANGE.fullmatch(text[one.end : other.start]):
            found[number] = replace(one, scale=other.scale)
    return tuple(found)


def make_word_quantity(text: str, words: NumberWords) -> Quantity:
    """Return the quantity of a number in words."""
    hedge = find_hedge(text, words.start)
    printed = text[words.start : words.end]
    return Quantity(printed, words.start, words.end, words.value, ONE, ONE, is_word=True, hedge=hedge)


def has_digit_before(text: str, start: int) -> bool:
    """Say whether a word like 'million' belongs to digits before it, or a word like 'half' to a number."""
    return bool(re.search(r"\d[ -]$", text[:start][-3:]))


def find_no_quantities(text: str) -> list[tuple[int, int]]:
    """Return the ranges of a text whose numbers are references or number a list."""
    return [match.span() for pattern in (REFERENCE, LIST_NUMBER, INLINE_NUMBER) for match in pattern.finditer(text)]


def find_references(text: str) -> list[str]:
    """Return the references of a text to numbered parts: 'Figure 13', 'Section 3.2'."""
    return [" ".join(match[0].rstrip(".,)").split()) for match in REFERENCE.finditer(text)]


def read_quantity(text: str, match: re.Match[str]) -> Quantity:
    """Return the quantity of a match of PATTERN."""
    digits = match["digits"].replace(",", "")
    printed = Decimal(digits)
    in_parentheses = bool(match["open"] and match["close"])
    start = match.start() if in_parentheses or not match["open"] else match.start("digits")
    if not in_parentheses and match["open"]:
        start = min(match.start(name) for name in ("sign", "money", "digits") if match[name])
    return Quantity(
        words=text[start : match.end()].strip(),
        start=start,
        end=match.end(),
        printed=printed,
        step=Decimal(1).scaleb(int(printed.as_tuple().exponent)),
        scale=read_scale(match["scale"], match["unit"]),
        is_negative=bool(match["sign"]) or in_parentheses,
        is_money=bool(match["money"]),
        hedge=find_hedge(text, start),
    )


def read_scale(scale: str | None, unit: str | None) -> Decimal | None:
    """Return the factor of 'million', '%' or 'basis points', None for nothing."""
    name = (unit or "").strip().lower()
    if name.startswith(("%", "per")):
        return PERCENT
    if name.startswith(("basis", "bps")):
        return BASIS_POINT
    if scale:
        word = scale.strip(" -").lower()
        return SCALE_NAMES.get(word) or SCALE_NAMES[word.rstrip("s")]
    return ONE if name in TIMES else None


def find_hedge(text: str, start: int) -> str:
    """Return how the words before a number loosen it: 'about', 'over', 'under' or not at all."""
    before = text[max(0, start - 24) : start]
    hedges = {"about": APPROXIMATE, "over": OVER, "under": UNDER}
    return next((name for name, pattern in hedges.items() if pattern.search(before)), "")


def is_rounding(stated: Decimal, step: Decimal, value: Decimal, hedge: str = "") -> bool:
    """Say whether a stated number may be said for a value: 22.9 for 22.887, 'over 22' as well.

    Args:
        stated: The number, without sign.
        step: One unit of its last digit; with a hedge its last zeros are no digits.
        value: What the evidence has.
        hedge: 'about', 'over' or 'under', if the number is loosened.
    """
    stated, value = abs(stated), abs(value)
    if stated == value:
        return True
    if hedge:
        step = max(step, last_digit(stated))
    if hedge == "over":
        return stated <= value <= stated + step
    if hedge == "under":
        return stated - step <= value <= stated
    return abs(stated - value) <= step / 2


def last_digit(number: Decimal) -> Decimal:
    """Return one unit of the last digit that is no zero: 1,000 for 23,000."""
    return Decimal(1).scaleb(int(number.normalize().as_tuple().exponent)) if number else ONE
