"""Write raised text in a page as what it means: a power, a fraction, an ordinal, or the mark of a note."""

import re
from typing import Any

from lxml import etree

ONE_MARK = r"(?:\d{1,3}|[a-z]|[*\u2020\u2021\u00a7]{1,3})"
NOTE_MARK = re.compile(rf"(?:[\[(]?{ONE_MARK}[\])]?[ ,;]{{0,2}}){{1,6}}")
ORDINAL = re.compile(r"st|nd|rd|th|er|e|TM|\u2122|SM|\u00ae", re.IGNORECASE)
UNIT = r"(?:[kcmdnµμ]?m|ft|in|mi|yd|km|s|sec|hr?|kg|L|ha)"
POWER_OF = re.compile(  # text before an exponent: '3 x 10', 'x', ' km', '1,200m', '(1 + r)'
    rf"(?:(?:^|[^\w.,]|[xX\u00d7])10|(?:^|[^\w.,])[a-zA-Z\u0370-\u03ff]|(?:^|[^\w.]|\d){UNIT}|\([^()]{{0,40}}[-+*/=\u2212\u00d7][^()]{{0,40}}\))$"
)
BASE_TWO = re.compile(r"(?:^|[^\w.,])2$")
COUNTED = re.compile(r"(?:table|figure|fig\.|note|section|chapter|page|item|part|step|and|or) 2$", re.IGNORECASE)
SIGNED = re.compile(r"[-+\u2212\u2013]\d{1,3}|\d{1,3}/\d{1,3}|\d?[-+\u2212]")  # no mark of a note has these
EXPONENT_WORD = re.compile(r"[a-z]|[-+\u2212\u2013]?\d{1,3}|\d*[a-z](?:[-+]\d)?")
SLASH = re.compile(r"\s?[/\u2044\u2215]\s?")
DENOMINATOR = re.compile(r"\s?[/\u2044\u2215]\s?(\d{1,3})(?!\d)")
PLAIN_EXPONENT = re.compile(r"-?\d+|.")


def flat_text(element: Any) -> str:
    """Return the text of an element on one line."""
    return " ".join(etree.tostring(element, method="text", encoding="unicode", with_tail=False).split())


def write_raised(mark: Any) -> None:
    """Write raised text as a power, as a fraction with what follows it, or as the mark of a note; ordinals stay."""
    text = flat_text(mark)
    if text.startswith("[") or not text:
        return
    before = text_before(mark)
    if text.isdecimal() and write_fraction(mark, text, before):
        return
    if is_power(text, before):
        mark.text, mark[:] = format_power(text), []
    elif NOTE_MARK.fullmatch(text) and not ORDINAL.fullmatch(text):
        mark.text, mark[:] = f"[{', '.join(re.findall(ONE_MARK, text))}]", []


def is_power(text: str, before: str) -> bool:
    """Say whether raised text is an exponent of the text before it."""
    if not before or before[-1].isspace():
        return False
    if SIGNED.fullmatch(text):
        return before[-1].isalnum() or before[-1] in ")]"
    if POWER_OF.search(before):
        return EXPONENT_WORD.fullmatch(text) is not None
    return text.isdecimal() and BASE_TWO.search(before) is not None and COUNTED.search(before) is None


def format_power(text: str) -> str:
    """Return an exponent as it is written behind its base: '^2', '^-6', '^{2+}'."""
    text = text.replace("\u2212", "-").replace("\u2013", "-")
    return f"^{text}" if PLAIN_EXPONENT.fullmatch(text) else f"^{{{text}}}"


def write_fraction(mark: Any, numerator: str, before: str) -> bool:
    """Write raised digits before a slash and lowered or plain digits as a fraction: '7 1/2'; say if they are one."""
    tail, following = mark.tail or "", mark.getnext()
    space = " " if before[-1:].isdigit() else ""
    is_sub = following is not None and isinstance(following.tag, str) and following.tag.rpartition("}")[2] == "sub"
    if SLASH.fullmatch(tail) and is_sub and flat_text(following).isdecimal():
        mark.text, mark[:], mark.tail = f"{space}{numerator}", [], "/"
        return True
    if match := DENOMINATOR.match(tail):
        if not before[-1:].isdigit() and "\u2044" not in match[0]:
            return False
        mark.text, mark[:] = f"{space}{numerator}", []
        mark.tail = f"/{match[1]}{tail[match.end() :]}"
        return True
    return False


def text_before(element: Any) -> str:
    """Return the end of the text right before an element, '' at the start of its block."""
    previous = element.getprevious()
    if previous is None:
        parent = element.getparent()
        return "" if parent is None else (parent.text or "")[-90:]
    return (previous.tail or (flat_text(previous)[-90:] if len(previous) < 3 else ""))[-90:]
