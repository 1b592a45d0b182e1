"""Read the tagged figures and the metadata of a filing in inline XBRL.

The figures are found again in the text that was read from the page: both are sequences of numbers in the same order,
and the longest common subsequence puts each tagged number into its place.

Source  Inline XBRL 1.1, https://www.xbrl.org/specification/inlinexbrl-part1/rec-2013-11-18/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lxml import etree
from rapidfuzz.distance import Indel

from pipeline.records import Fact

IX = "{http://www.xbrl.org/2013/inlineXBRL}"
XBRLI = "{http://www.xbrl.org/2003/instance}"
XBRLDI = "{http://xbrl.org/2006/xbrldi}"
GROUPS = "[ \u00a0\u2009\u202f'\u2019]"  # between groups of three digits
NUMBER = re.compile(  # '1,234.5', '5 432 100', and a dash alone, which filings show for zero
    rf"(?<![\d.,])\d{{1,3}}(?:{GROUPS}\d{{3}})+(?:[.,]\d+)?(?![\d.,]*\d)|\d[\d,.]*\d|\d"
    r"|(?<![^\s|$(])[\u2014\u2013-](?![^\s|)])"
)
DASHES = "\u2014\u2013-"
DECIMAL_COMMA = re.compile(r"comma-?decimal|(?:dot|space)-?comma$")
ZERO = re.compile(r"zero|num-?dash$")
MAX_PAIRS = 2_000_000_000  # of numbers that are compared, a bit each: 250 MB
MAX_SCALE = 15
SURE_DIGITS = 4  # a number matched alone, between unmatched ones, must have as many
NOT_TEXT = {"script", "style"}


@dataclass(frozen=True)
class Tag:
    """A tagged figure without its place."""

    concept: str
    value: str
    unit: str
    period: str
    dimensions: tuple[str, ...]
    scale: int


@dataclass(frozen=True)
class Number:
    """A number of the page, as it is printed, and what it is tagged with."""

    digits: str
    tag: Tag | None


def find_numbers(root: Any) -> list[Number]:
    """Return every number of a page in its order; empty for a page that tags none."""
    if root is None or next(root.iter(f"{IX}nonFraction"), None) is None:
        return []
    periods, dimensions = read_contexts(root)
    units = {unit.get("id"): format_unit(unit) for unit in root.iter(f"{XBRLI}unit")}
    found = []
    for text, element in iter_texts(root):
        tag = None if element is None else read_tag(element, periods, dimensions, units)
        digits = NUMBER.findall(text)
        found += [Number(as_key(number), tag if len(digits) == 1 else None) for number in digits]
    return found


def iter_texts(root: Any) -> Iterator[tuple[str, Any]]:
    """Yield each piece of text outside the hidden header, and the figure's element that it lies in."""
    figures: list[Any] = []
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if tag == f"{IX}header" or tag.rpartition("}")[2] in NOT_TEXT:
                walk.skip_subtree()
                continue
            if tag == f"{IX}nonFraction":
                figures.append(element)
            if element.text:
                yield element.text, figures[-1] if figures else None
        else:
            if figures and figures[-1] is element:
                figures.pop()
            if element.tail:
                yield element.tail, figures[-1] if figures else None


def read_contexts(root: Any) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return the period and the dimensions of each context."""
    periods, dimensions = {}, {}
    for context in root.iter(f"{XBRLI}context"):
        name = context.get("id")
        dates = [
            (element.text or "").strip()
            for element in context.iter(f"{XBRLI}startDate", f"{XBRLI}endDate", f"{XBRLI}instant")
        ]
        periods[name] = "/".join(dates)
        members = context.iter(f"{XBRLDI}explicitMember", f"{XBRLDI}typedMember")
        dimensions[name] = tuple(
            sorted(f"{member.get('dimension')}={' '.join(''.join(member.itertext()).split())}" for member in members)
        )
    return periods, dimensions


def format_unit(unit: Any) -> str:
    """Return a unit as its measures are called, 'USD/shares' for a ratio."""
    names = [(measure.text or "").strip().rpartition(":")[2] for measure in unit.iter(f"{XBRLI}measure")]
    return "/".join(names)


def read_tag(
    element: Any, periods: dict[str, str], dimensions: dict[str, tuple[str, ...]], units: dict[str, str]
) -> Tag | None:
    """Return what a figure is tagged with, None where the tag is incomplete or its number is written otherwise."""
    context, printed = element.get("contextRef"), "".join(element.itertext())
    scale = element.get("scale") or "0"
    digits = NUMBER.findall(printed)
    format_ = (element.get("format") or "").rpartition(":")[2]
    if context not in periods or len(digits) != 1 or not re.fullmatch(r"-?\d{1,2}", scale) or "word" in format_:
        return None
    number = parse_number(digits[0], format_)
    if number.count(".") > 1 or not number or abs(int(scale)) > MAX_SCALE:
        return None
    value = Decimal(number).scaleb(int(scale)) * (-1 if element.get("sign") == "-" else 1)
    return Tag(
        element.get("name") or "",
        format(value.normalize() if value else Decimal(0), "f"),
        units.get(element.get("unitRef") or "", ""),
        periods[context],
        dimensions[context],
        int(scale),
    )


def parse_number(printed: str, format_: str) -> str:
    """Return a printed number with a decimal point and without groups, by the format of its tag; '' for a mere dash."""
    if ZERO.search(format_):
        return "0"
    if printed in DASHES:
        return ""
    number = as_key(printed)
    if DECIMAL_COMMA.search(format_):
        number = number.replace(".", "").replace(",", ".")
    return number.replace(",", "")


def as_key(number: str) -> str:
    """Return a number without the spaces or apostrophes between its groups of digits."""
    return re.sub(GROUPS, "", number)


def locate_facts(numbers: list[Number], text: str) -> tuple[Fact, ...]:
    """Return the tagged figures at their places in the text that was read from the page."""
    if not numbers:
        return ()
    places = list(NUMBER.finditer(text))
    if len(numbers) * len(places) > MAX_PAIRS:
        return ()
    facts = []
    for block in Indel.opcodes([n.digits for n in numbers], [as_key(match[0]) for match in places]):
        if block.tag != "equal":
            continue
        is_sure = block.src_end - block.src_start > 1
        for number, match in zip(
            numbers[block.src_start : block.src_end], places[block.dest_start : block.dest_end], strict=True
        ):
            if number.tag and (is_sure or len(number.digits) >= SURE_DIGITS):
                facts.append(Fact(**vars(number.tag), start=match.start(), end=match.end()))
    return tuple(facts)


def filing_metadata(root: Any) -> dict[str, Any]:
    """Return who filed what for which period, by the names of `Reading`; empty for what is no filing."""
    said: dict[str, str] = {}
    if root is not None:
        for element in root.iter(f"{IX}nonNumeric"):
            said.setdefault(element.get("name") or "", " ".join("".join(element.itertext()).split()))
    name, form = said.get("dei:EntityRegistrantName", ""), said.get("dei:DocumentType", "")
    if not name or not form:
        return {}
    end = period_end(root)
    title = f"{name}, Form {form}" + (f" for the period ended {end}" if end else "")
    return {"title": title, "authors": (name,)} | ({"date": end} if end else {})


def period_end(root: Any) -> str:
    """Return the last day of the period that a filing reports on: that of the context of its document type."""
    element = next((e for e in root.iter(f"{IX}nonNumeric") if e.get("name") == "dei:DocumentType"), None)
    if element is None:
        return ""
    periods, _ = read_contexts(root)
    end = periods.get(element.get("contextRef") or "", "").rpartition("/")[2]
    return end if re.fullmatch(r"\d{4}-\d\d-\d\d", end) else ""
