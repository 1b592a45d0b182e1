"""Remove from a tree what is not text: scripts, menus, hidden parts; mark notes."""

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
from pipeline.readers.html.formulas import write_formulas
from pipeline.readers.html.raised import flat_text, write_raised
from pipeline.readers.html.struck_out import mark_struck_out
from pipeline.readers.html.symbol_fonts import translate_symbol_fonts

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
PAGE_NUMBER_CLASS = re.compile(
    r"(?:^|[\s_-])(?:page-?num(?:ber)?s?|pageno|pagebreak|pagination|folio|pb)(?:$|[\s_-])", re.I
)
PAGE_ANCHOR = re.compile(r"(?:page|pg|p)[_-]?[ivxlc\d]{1,6}", re.IGNORECASE)
PAGE_NUMBER = re.compile(r"[\[({]?(?:(?:page|pg|p)\.?\s?)?(?:\d{1,4}|[ivxlc]{1,7})[\])}]?", re.IGNORECASE)
WIKI = re.compile(
    r"(?:^|\s)(?:mw-editsection|mw-jump-link|mw-portlet|navbox|vector-menu|vector-dropdown|vector-toc|interlanguage-link"
    r"|catlinks|printfooter|sistersitebox|mw-indicators)(?:$|[\s-])"
)
MENU = re.compile(r"backlink|footnote-back|backref|(?:^|\s)(?:toc|table-of-contents|toctree-wrapper)(?:\s|$)")

Place = tuple[int, Any]  # an element and its place in the order of the page


@dataclass
class LeftOut:
    """What was taken out of a page: what no one would see, and what every page break repeats."""

    num_elements: int = 0
    num_characters: int = 0  # in these elements
    num_running: int = 0
    num_struck: int = 0  # passages that are struck out, kept between '~~'
    num_page_numbers: int = 0  # within the text

    def __add__(self, other: "LeftOut") -> "LeftOut":
        """Return what was taken out of two pages."""
        return LeftOut(
            self.num_elements + other.num_elements,
            self.num_characters + other.num_characters,
            self.num_running + other.num_running,
            self.num_struck + other.num_struck,
            self.num_page_numbers + other.num_page_numbers,
        )

    @property
    def warnings(self) -> list[str]:
        """What is to be said of it."""
        counts = {
            f"hidden elements left out, {self.num_characters} characters": self.num_elements,
            "running heads, feet and page numbers left out": self.num_running,
            "page numbers within the text left out": self.num_page_numbers,
            "struck-out passages kept between ~~": self.num_struck,
        }
        return [f"{count} {what}" for what, count in counts.items() if count]


def prune(root: Any) -> LeftOut:
    """Leave in a tree what is read, with LINE_BREAK for every `br`, and say what was taken out of it."""
    etree.strip_elements(root, *XBRL_HEADERS, with_tail=False)
    present: dict[str, list[str]] = {}  # the tags of each name: a tag may have a namespace
    for tag in {element.tag for element in root.iter("*")}:
        present.setdefault(tag.rpartition("}")[2].lower(), []).append(tag)

    def elements(name: str) -> list[Any]:
        return list(root.iter(*present[name])) if name in present else []

    sheet = parse_style_sheets(style.text or "" for style in elements("style"))
    translate_symbol_fonts(root)
    write_formulas(elements("math"), elements("script"), elements("img"))
    for button in elements("button"):
        keep_heading_button(button)
    if skipped := [tag for name in SKIPPED for tag in present.get(name, ())]:
        etree.strip_elements(root, *skipped, with_tail=False)
    for footer in elements("footer"):
        if next(footer.iterancestors("{*}article", "{*}blockquote", "{*}section"), None) is None:
            drop(footer)
    unseen = drop_invisible(root, sheet)
    unseen.num_struck = mark_struck_out([*elements("del"), *elements("s"), *elements("strike")])
    for mark in elements("sup"):
        write_raised(mark)
    for line_break in elements("br"):
        line_break.tail = LINE_BREAK + (line_break.tail or "")
    return unseen


def keep_heading_button(button: Any) -> None:
    """Keep a button whose words are a heading, as those that fold sections: within a heading, or around one."""
    levels = tuple(f"{{*}}h{level}" for level in range(1, 7))
    is_within = next(button.iterancestors(*levels), None) is not None
    if is_within or next(button.iterdescendants(*levels), None) is not None:
        button.tag = "span" if is_within else "div"


def drop(element: Any) -> None:
    """Empty an element, so that nothing of it but its tail is left; it no longer holds a place in a table."""
    element.clear(keep_tail=True)
    element.tag = "span"


def drop_invisible(root: Any, sheet: dict[str, str]) -> LeftOut:
    """Drop what is hidden, tiny, or of the colour of its ground, and the parts of the page that lead elsewhere.

    A page has few styles and many elements, so what a style does is asked once for all of them.
    """
    unseen = LeftOut()
    styled, hidden = styles_in(root, sheet, unseen)
    effects = {style: compute_style(style) for style in styled}
    hidden += [place for style, look in effects.items() if look.hidden or look.tiny for place in styled[style]]
    for _, element in sorted(hidden, key=itemgetter(0)):
        hide(element, unseen, root, sheet)
    grounds = {WHITE} | {look.ground for look in effects.values() if look.ground}
    for style, look in effects.items():
        if look.ink and any(are_indistinguishable(look.ink, ground) for ground in grounds):
            for _, element in styled[style]:
                if blends_in(element, look.ink, sheet):
                    hide(element, unseen, root, sheet)
        if look.raised:
            for _, element in styled[style]:
                write_raised(element)
    return unseen


def styles_in(root: Any, sheet: dict[str, str], unseen: LeftOut) -> tuple[dict[str, list[Place]], list[Place]]:
    """Return the elements of each style, and those that are hidden whatever their style.

    On the way, menus and page numbers are dropped, and marks of notes set apart.
    """
    styled: dict[str, list[Place]] = defaultdict(list)
    hidden: list[Place] = []
    type_of = EPUB_TYPE if EPUB in root.nsmap.values() else "epub:type"
    for place in enumerate(list(root.iter("*"))):
        element = place[1]
        get = element.get
        kind = get(type_of) or get("class")
        if is_page_number(element, kind):
            unseen.num_page_numbers += bool(flat_text(element))
            drop(element)
        elif kind and NOTE.search(kind):
            element.text, element[:] = f"[{flat_text(element).strip('[]()')}]", []
        if (get("role") in ROLES or (kind and (MENU.search(kind) or WIKI.search(kind)))) and element is not root:
            drop(element)
        elif get("aria-hidden") == "true" or get("hidden", "until-found") != "until-found":
            hidden.append(place)
        elif style := declarations_for(element, sheet) if sheet or get("bgcolor") or get("color") else get("style"):
            styled[style].append(place)
    return styled, hidden


def hide(element: Any, unseen: LeftOut, root: Any, sheet: dict[str, str]) -> None:
    """Drop an invisible element and count its text; of a tiny one, what sets its own size stays."""
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


def is_page_number(element: Any, kind: str | None) -> bool:
    """Say whether an element is the number of a page of the printed book, set into its text."""
    if not (kind and PAGE_NUMBER_CLASS.search(kind)):
        name = element.get("id") or element.get("name") or ""
        if not name or not PAGE_ANCHOR.fullmatch(name) or element.tag.rpartition("}")[2] not in ("a", "span", "sup"):
            return False
    text = flat_text(element)
    return not text or PAGE_NUMBER.fullmatch(text) is not None
