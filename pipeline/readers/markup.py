"""Turn a parsed HTML or XHTML tree into Markdown, whatever its depth, in one pass."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from pipeline.readers.tables import MAX_SPAN, Cell, Row, markdown_of

HEADINGS = {f"h{level}": level for level in range(1, 7)}
SKIPPED = {"script", "style", "head", "template", "noscript", "svg", "nav", "ix:header", "object", "iframe", "rp", "rt"}
BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "ol", "p", "pre"),
    *("section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *HEADINGS),
}
BOLD_TAGS = {"b", "strong"}
BREAKS = {"br", *BLOCKS}
HIDDEN = re.compile(r"display:\s*none|visibility:\s*hidden|font-size:\s*0(?:px|pt|em)?\s*(?:;|$)", re.IGNORECASE)
BOLD = re.compile(r"font-weight:\s*(?:bold|[6-9]00)", re.IGNORECASE)
EPUB_TYPE = "{http://www.idpf.org/2007/ops}type"
NOTE = re.compile(r"noteref|footnote-reference|footnote-ref")
LINE_BREAK = "\0"  # stands in no XML or HTML
WHITE = re.compile(r"[ \t\n\r\f\u00a0]+")
BREAK = re.compile(f" ?{LINE_BREAK} ?")
LIST_ITEM = re.compile(r" *(?:-|\d+\.) ")
XBRL = "http://www.xbrl.org/2013/inlineXBRL"

MarkHeading = Callable[[str, bool], str]  # a block, and whether all of it is bold -> the block, marked if it heads


def markdown(root: Any, mark_heading: MarkHeading | None = None) -> tuple[str, int]:
    """Return the Markdown of a tree and how many hidden elements were left out of it.

    Args:
        root: The element to begin with.
        mark_heading: Marks the headings of a page that says so by its looks alone, without h1 to h6.
    """
    page = Page(mark_heading)
    num_hidden = 0
    for event, element, walk in visit(root):
        name = name_of(element)
        if event == "end":
            page.close(name, element)
        elif name in SKIPPED or is_hidden(element):
            num_hidden += name not in SKIPPED
            walk.skip_subtree()
        elif is_note(element):
            page.write(f"[{text_of(element).strip('[]')}]")
            walk.skip_subtree()
        elif name == "table" and element.find(".//{*}table") is None:
            page.table(element)
            walk.skip_subtree()
        else:
            page.open(name, element)
    page.flush()
    return "\n\n".join(page.blocks), num_hidden


def visit(root: Any) -> Iterator[tuple[str, Any, Any]]:
    """Walk a tree without recursion; comments and the like are met at their end alone, for the text after them."""
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        yield ("start" if event == "start" else "end"), element, walk


def name_of(element: Any) -> str:
    """Return a tag without its namespace; 'ix:header' for the hidden part of a filing; '' for comments."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    space, _, name = tag.rpartition("}")
    return f"ix:{name}" if space.endswith(XBRL) else name.lower()


def is_hidden(element: Any) -> bool:
    """Say whether a browser would not show an element."""
    style = element.get("style")
    return "hidden" in element.attrib or (style is not None and HIDDEN.search(style) is not None)


def is_note(element: Any) -> bool:
    """Say whether an element refers to a footnote, so that its number is no part of the sentence."""
    kind = element.get(EPUB_TYPE) or element.get("epub:type") or element.get("class")
    return kind is not None and NOTE.search(kind) is not None


def is_bold(name: str, element: Any) -> bool:
    """Say whether an element makes its text bold."""
    style = element.get("style")
    return name in BOLD_TAGS or (style is not None and BOLD.search(style) is not None)


def text_of(element: Any) -> str:
    """Return the visible text of an element on one line; blocks and line breaks within it become spaces."""
    parts: list[str] = []
    for event, inner, walk in visit(element):
        name = name_of(inner)
        if event == "start" and (name in SKIPPED or is_hidden(inner)):
            walk.skip_subtree()
            continue
        parts.append(" " if name in BREAKS else "")
        if event == "end":
            parts.append((inner.tail if inner is not element else None) or "")
        else:
            parts.append(inner.text or "")
    return " ".join("".join(parts).split())


def rows_of(table: Any) -> list[Row]:
    """Return the cells with text of each row of a table, at their places in its grid."""
    rows: list[Row] = []
    taken: dict[int, int] = {}  # column -> rows, this one counted in, that a cell from above still covers
    for tr in table.iter("{*}tr"):
        row: Row = []
        column = 0
        below: dict[int, int] = {}
        for cell in tr.iterchildren("{*}td", "{*}th"):
            while taken.get(column, 0) > 0:
                column += 1
            width, height = span(cell, "colspan"), span(cell, "rowspan")
            text = text_of(cell)
            if text:
                row.append(Cell(text, column, column + width))
            if height > 1:
                below |= dict.fromkeys(range(column, column + width), height)
            column += width
        taken = {c: left - 1 for c, left in (taken | below).items() if left > 1}
        if row:
            rows.append(row)
    return rows


def span(cell: Any, name: str) -> int:
    """Return how many columns or rows a cell covers, whatever its attribute says."""
    value = (cell.get(name) or "1").strip()
    return max(1, min(int(value), MAX_SPAN)) if value.isdecimal() and value.isascii() and len(value) < 6 else 1


class Page:
    """The Markdown blocks of a tree, written from the first element to the last."""

    def __init__(self, mark_heading: MarkHeading | None) -> None:
        """Start without any block."""
        self.blocks: list[str] = []
        self.mark_heading = mark_heading
        self.line: list[str] = []  # the text of the block at hand
        self.num_plain = 0  # characters of it that are not bold
        self.level = 0  # of the heading at hand, 0 outside headings
        self.lists: list[int] = []  # the lists that are open: the next number of each, 0 for bullets
        self.item = ""  # the mark to set before the block at hand
        self.bold: list[Any] = []  # the bold elements that are open
        self.pre: list[Any] = []  # the <pre> elements that are open

    def open(self, name: str, element: Any) -> None:
        """Begin an element."""
        if name in BLOCKS:
            self.flush()
        if name in HEADINGS:
            self.level = HEADINGS[name]
        elif name in ("ul", "ol"):
            self.lists.append(1 if name == "ol" else 0)
        elif name == "li":
            self.begin_item()
        elif name == "pre":
            self.pre.append(element)
        elif name == "br":
            self.line.append(LINE_BREAK)
        if is_bold(name, element):
            self.bold.append(element)
        self.write(element.text)

    def close(self, name: str, element: Any) -> None:
        """End an element, and write the text that follows it."""
        if name in BLOCKS:
            self.flush()
        if name in HEADINGS:
            self.level = 0
        elif name in ("ul", "ol") and self.lists:
            self.lists.pop()
        elif name == "li":
            self.item = ""
        elif name == "pre" and self.pre:
            self.pre.pop()
        if self.bold and self.bold[-1] is element:
            self.bold.pop()
        self.write(element.tail)

    def begin_item(self) -> None:
        """Set the mark of a list item before the next block."""
        number = self.lists[-1] if self.lists else 0
        self.item = "  " * (len(self.lists) - 1) + (f"{number}. " if number else "- ")
        if number:
            self.lists[-1] += 1

    def write(self, text: str | None) -> None:
        """Add text to the block at hand."""
        if text:
            self.line.append(text)
            if not self.bold:
                self.num_plain += len(text.strip())

    def table(self, element: Any) -> None:
        """Write a table as blocks of its own."""
        self.flush()
        caption = element.find("{*}caption")
        if caption is not None:
            self.add(text_of(caption))
        rows = rows_of(element)
        for block in markdown_of(rows) if rows else []:
            self.add(self.marked(block, bold=len(rows) == 1))

    def flush(self) -> None:
        """End the block at hand."""
        text, bold = "".join(self.line), self.num_plain == 0
        self.line, self.num_plain = [], 0
        if self.pre:
            self.add(fenced(text.replace(LINE_BREAK, "\n").strip("\n"), self.pre[-1]))
            return
        text = BREAK.sub("\n", WHITE.sub(" ", text)).strip()
        if not text:
            return
        if self.level:
            self.add(f"{'#' * self.level} {' '.join(text.split())}")
        elif self.item:
            self.add(self.item + text, tight=True)
        else:
            self.add(self.marked(text.replace("#", "\\#", 1) if text.startswith("# ") else text, bold=bold))
        self.item = ""

    def marked(self, block: str, *, bold: bool) -> str:
        """Mark a block that is a heading by its looks."""
        return self.mark_heading(block, bold) if self.mark_heading else block

    def add(self, block: str, *, tight: bool = False) -> None:
        """Add a block, and an item of a list to the list before it."""
        if tight and self.blocks and LIST_ITEM.match(self.blocks[-1]):
            self.blocks[-1] += f"\n{block}"
        elif block.strip():
            self.blocks.append(block)


def fenced(text: str, pre: Any) -> str:
    """Return preformatted text, between fences if it is code rather than verse."""
    is_code = pre.find(".//{*}code") is not None or pre.find(".//{*}span") is not None
    return f"```\n{text}\n```" if text and (is_code or re.search("^#", text, re.MULTILINE)) else text
