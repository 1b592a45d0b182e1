"""Take from a tree what a person would not read in it: scripts, menus, hidden text; and set notes apart."""

import re
from collections import defaultdict
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from lxml import etree

from pipeline.readers.html.css import (
    WHITE,
    are_indistinguishable,
    blends_in,
    compute_style,
    declarations_for,
    parse_style_sheets,
)

SKIPPED = {
    *("script", "style", "head", "template", "noscript", "svg", "nav", "object", "iframe", "rp", "rt", "audio", "menu"),
    *("video", "canvas", "map", "applet", "button", "select", "option", "datalist", "textarea", "input", "dialog"),
}
XBRL_HEADERS = ("ix:header", *(f"{{http://www.xbrl.org/{year}/inlineXBRL}}header" for year in (2008, 2011, 2013)))
ROLES = {
    "navigation",
    "doc-backlink",
    "doc-toc",
    "search",
    "contentinfo",
    "menu",
    "menubar",
    "toolbar",
    "dialog",
    "alertdialog",
    "tablist",
}
LINE_BREAK = "\u2028"  # what `clean` makes a line end of; to `str.split` it is a space
EPUB = "http://www.idpf.org/2007/ops"
EPUB_TYPE = f"{{{EPUB}}}type"
NOTE = re.compile(r"noteref|footnote-reference|footnote-ref")
ONE_MARK = r"(?:\d{1,3}|[a-z]|[*\u2020\u2021\u00a7]{1,3})"
MENU = re.compile(r"backlink|footnote-back|backref|(?:^|\s)(?:toc|table-of-contents|toctree-wrapper)(?:\s|$)")
NOTE_MARK = re.compile(rf"(?:[\[(]?{ONE_MARK}[\])]?[ ,;]{{0,2}}){{1,6}}")
POWER_OF = re.compile(r"(?:^|[^\w.,])(?:10|[a-zA-Z\u0370-\u03ff]|[kcmdn]m|ft)$")  # what stands before an exponent
ORDINAL = re.compile(r"st|nd|rd|th|er|e|TM|\u2122|SM|\u00ae", re.IGNORECASE)
TEX = etree.XPath(".//*[local-name()='annotation'][contains(@encoding, 'tex')]")

Place = tuple[int, Any]  # an element and its place in the order of the page


@dataclass
class LeftOut:
    """What was taken out of a page: what no one would see, and what stands at every page break."""

    num_elements: int = 0
    num_characters: int = 0  # in these elements
    num_running: int = 0

    def __add__(self, other: "LeftOut") -> "LeftOut":
        """Return what was taken out of two pages."""
        return LeftOut(
            self.num_elements + other.num_elements,
            self.num_characters + other.num_characters,
            self.num_running + other.num_running,
        )

    @property
    def warnings(self) -> list[str]:
        """What is to be said of it."""
        hidden = f"{self.num_elements} hidden elements left out, {self.num_characters} characters"
        running = f"{self.num_running} running heads, feet and page numbers left out"
        return [*([hidden] if self.num_elements else []), *([running] if self.num_running else [])]


def prune(root: Any) -> LeftOut:
    """Leave in a tree what is read, with LINE_BREAK for every `br`, and say what was taken out of it."""
    etree.strip_elements(root, *XBRL_HEADERS, with_tail=False)
    present: dict[str, list[str]] = {}  # the tags of each name: a tag may have a namespace
    for tag in {element.tag for element in root.iter("*")}:
        present.setdefault(tag.rpartition("}")[2].lower(), []).append(tag)

    def elements(name: str) -> list[Any]:
        return list(root.iter(*present[name])) if name in present else []

    sheet = parse_style_sheets(style.text or "" for style in elements("style"))
    for formula in elements("math"):
        write_formula(formula)
    if skipped := [tag for name in SKIPPED for tag in present.get(name, ())]:
        etree.strip_elements(root, *skipped, with_tail=False)
    for footer in elements("footer"):
        if next(footer.iterancestors("{*}article", "{*}blockquote", "{*}section"), None) is None:
            drop(footer)
    unseen = drop_invisible(root, sheet)
    for mark in elements("sup"):
        mark_superscript(mark)
    for line_break in elements("br"):
        line_break.tail = LINE_BREAK + (line_break.tail or "")
    return unseen


def write_formula(formula: Any) -> None:
    """Put the TeX of a formula in place of its MathML, where it carries it."""
    notes = TEX(formula)
    source = (notes[0].text if notes else formula.get("alttext")) or ""
    if source.strip() and formula.getparent() is not None:
        drop(formula)
        formula.text = f"${source.strip()}$"


def drop(element: Any) -> None:
    """Empty an element, so that nothing of it but its tail is left; it no longer holds a place in a table."""
    element.clear(keep_tail=True)
    element.tag = "span"


def drop_invisible(root: Any, sheet: dict[str, str]) -> LeftOut:
    """Drop what is hidden, tiny, or of the colour of its ground, and the parts of the page that lead elsewhere.

    A page has few styles and many elements, so what a style does is asked once for all of them.
    """
    unseen = LeftOut()
    styled, hidden = styles_in(root, sheet)
    looks = {style: compute_style(style) for style in styled}
    hidden += [place for style, look in looks.items() if look.hidden or look.tiny for place in styled[style]]
    for _, element in sorted(hidden, key=itemgetter(0)):
        hide(element, unseen, root, sheet)
    grounds = {WHITE} | {look.ground for look in looks.values() if look.ground}
    for style, look in looks.items():
        if look.ink and any(are_indistinguishable(look.ink, ground) for ground in grounds):
            for _, element in styled[style]:
                if blends_in(element, look.ink, sheet):
                    hide(element, unseen, root, sheet)
        if look.raised:
            for _, element in styled[style]:
                mark_superscript(element)
    return unseen


def styles_in(root: Any, sheet: dict[str, str]) -> tuple[dict[str, list[Place]], list[Place]]:
    """Return the elements of each style, and those that are hidden whatever their style.

    On the way, menus and the like are dropped, and marks of notes set apart.
    """
    styled: dict[str, list[Place]] = defaultdict(list)
    hidden: list[Place] = []
    type_of = EPUB_TYPE if EPUB in root.nsmap.values() else "epub:type"
    for place in enumerate(list(root.iter("*"))):
        element = place[1]
        get = element.get
        kind = get(type_of) or get("class")
        if kind and NOTE.search(kind):
            element.text, element[:] = f"[{flat_text(element).strip('[]()')}]", []
        if (get("role") in ROLES or (kind and MENU.search(kind))) and element is not root:
            drop(element)
        elif get("aria-hidden") == "true" or get("hidden", "until-found") != "until-found":
            hidden.append(place)
        elif style := declarations_for(element, sheet) if sheet or get("bgcolor") or get("color") else get("style"):
            styled[style].append(place)
    return styled, hidden


def hide(element: Any, unseen: LeftOut, root: Any, sheet: dict[str, str]) -> None:
    """Drop an element that is not seen and count its text; of a tiny one, what sets its own size stays."""
    text = flat_text(element)
    if not text or (element is not root and root not in element.iterancestors()):
        return  # nothing to hide, or already gone with what was around it
    look = compute_style(declarations_for(element, sheet))
    is_partly_seen = look.tiny and not look.hidden and "hidden" not in element.attrib
    if is_partly_seen and any(
        compute_style(declarations_for(inner, sheet)).sized for inner in element.iterdescendants("*")
    ):
        text = (element.text or "").strip()
        element.text = None
    else:
        drop(element)
    unseen.num_elements += bool(text)
    unseen.num_characters += len(text)


def flat_text(element: Any) -> str:
    """Return the text of an element on one line."""
    return " ".join(etree.tostring(element, method="text", encoding="unicode", with_tail=False).split())


def mark_superscript(mark: Any) -> None:
    """Write a raised number as the mark of a note, or as a power where it follows a base; ordinals stay."""
    text = flat_text(mark)
    if text.startswith("[") or not text:
        return
    if POWER_OF.search(text_before(mark)):
        mark.text, mark[:] = f"^{text}" if len(text) == 1 else f"^{{{text}}}", []
    elif NOTE_MARK.fullmatch(text) and not ORDINAL.fullmatch(text):
        mark.text, mark[:] = f"[{', '.join(re.findall(ONE_MARK, text))}]", []


def text_before(element: Any) -> str:
    """Return the end of the text that stands right before an element, '' at the start of its parent."""
    previous = element.getprevious()
    if previous is None:
        parent = element.getparent()
        return "" if parent is None else (parent.text or "")[-12:]
    return (previous.tail or (flat_text(previous)[-12:] if len(previous) < 3 else ""))[-12:]
