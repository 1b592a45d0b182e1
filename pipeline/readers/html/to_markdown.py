"""Turn a parsed HTML or XHTML tree into Markdown, whatever its depth, in one pass."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from lxml import etree

from pipeline.readers.common.markdown import escape_lines
from pipeline.readers.common.tables import table_blocks
from pipeline.readers.html.css import DEFAULT_STYLE, compute_style
from pipeline.readers.html.lists import OpenList
from pipeline.readers.html.page_breaks import remove_page_breaks
from pipeline.readers.html.pruning import LINE_BREAK, LeftOut, prune
from pipeline.readers.html.raised import flat_text
from pipeline.readers.html.table_cells import HtmlTable, read_html_table

HEADINGS = {f"h{level}": level for level in range(1, 7)}
BLOCKS = {
    *("address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "div", "dl", "dt", "fieldset"),
    *("figcaption", "figure", "footer", "form", "header", "hr", "html", "legend", "li", "main", "ol", "p", "pre"),
    *("section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", *HEADINGS),
}
IN_LINES = {
    *("a", "abbr", "b", "bdi", "bdo", "big", "br", "cite", "code", "em", "font", "i", "ins", "kbd", "mark", "q", "s"),
    *("small", "span", "strong", "sub", "sup", "tt", "u", "var", "emphasis", "hi", "ref", "link"),
}
BOLD_TAGS = {"b", "strong"}
MAX_INDENT = 8  # levels of lists within lists that are shown
LIST_ITEM = re.compile(r" *(?:-|(?:\d+|[a-z]{1,8}|[A-Z]{1,8})\.) ")
MarkHeading = Callable[[str, bool], str]  # block, is all of it bold -> the block, as a heading if it is one


def markdown(root: Any, mark_heading: MarkHeading | None = None) -> tuple[str, LeftOut]:
    """Return the Markdown of a tree and what was left out of it; the tree is used up.

    Args:
        root: The element to begin with.
        mark_heading: Marks headings by how they are set, for pages without h1 to h6.
    """
    unseen = prune(root)
    page = Page(mark_heading, is_html=local_name(root.tag) in ("html", "body"))
    for event, element, walk in visit(root):
        name = local_name(element.tag)
        if event == "end":
            page.close(name, element)
        elif name == "table" and (table := read_html_table(element)) is not None:
            page.table(element, table)
            walk.skip_subtree()
        else:
            page.open(name, element)
    page.flush()
    blocks, unseen.num_running = remove_page_breaks(page.blocks, page.breaks) if page.breaks else (page.blocks, 0)
    return "\n\n".join(blocks), unseen


def visit(root: Any) -> Iterator[tuple[str, Any, Any]]:
    """Walk a tree without recursion; comments and the like are met at their end alone, for the text after them."""
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        yield ("start" if event == "start" else "end"), element, walk


@lru_cache(maxsize=10_000)
def local_name(tag: Any) -> str:
    """Return a tag without its namespace; '' for comments."""
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


class Page:
    """The Markdown blocks of a tree, written from the first element to the last."""

    def __init__(self, mark_heading: MarkHeading | None, *, is_html: bool) -> None:
        """Start without any block; what is not HTML has a block for every element, save those within lines."""
        self.is_html = is_html
        self.blocks: list[str] = []
        self.mark_heading = mark_heading
        self.line: list[str] = []  # the text of the block at hand
        self.num_plain = 0  # characters of it that are not bold
        self.level = 0  # of the heading at hand, 0 outside headings
        self.lists: list[OpenList] = []
        self.item = ""  # the mark to set before the block at hand
        self.bold: list[Any] = []  # the bold elements that are open
        self.pre: list[Any] = []  # the <pre> elements that are open
        self.breaks: list[int] = []  # the page breaks: the number of blocks before each

    def is_block(self, name: str) -> bool:
        """Say whether an element is a block, with lines of its own."""
        return name in BLOCKS or not (self.is_html or name in IN_LINES or name == "")

    def open(self, name: str, element: Any) -> None:
        """Begin an element."""
        if self.is_block(name):
            self.flush()
        if name in HEADINGS:
            self.level = HEADINGS[name]
        elif name in ("ul", "ol"):
            self.lists.append(OpenList(element) if name == "ol" else OpenList())
        elif name == "li":
            self.begin_item(element)
        elif name == "pre":
            self.pre.append(element)
        style = element.get("style")
        look = compute_style(style) if style else DEFAULT_STYLE
        if look.breaks_page:
            self.breaks.append(len(self.blocks))
        if look.bold or name in BOLD_TAGS:
            self.bold.append(element)
        self.write(element.text)

    def close(self, name: str, element: Any) -> None:
        """End an element, and write the text that follows it."""
        if self.is_block(name):
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

    def begin_item(self, element: Any) -> None:
        """Set the mark of a list item before the next block."""
        mark = self.lists[-1].next_mark(element.get("value")) if self.lists else "- "
        self.item = "  " * min(MAX_INDENT, len(self.lists) - 1) + mark

    def write(self, text: str | None) -> None:
        """Add text to the block at hand."""
        if text:
            self.line.append(text)
            if not self.bold:
                self.num_plain += len(text.strip())

    def table(self, element: Any, table: HtmlTable) -> None:
        """Write a table as blocks of its own; text outside its cells comes before it, as browsers show it."""
        self.flush()
        caption = element.find("{*}caption")
        if caption is not None:
            self.add(flat_text(caption))
        for text in table.loose:
            self.add(escape_lines(text))
        for block in table_blocks(table.rows, table.num_headers) if table.rows else []:
            self.add(self.marked(block, bold=len(table.rows) == 1))

    def flush(self) -> None:
        """End the block at hand."""
        text, bold = "".join(self.line), self.num_plain == 0
        self.line, self.num_plain = [], 0
        if self.pre:
            self.add(fenced(text.replace(LINE_BREAK, "\n").strip("\n"), self.pre[-1]))
            return
        text = "\n".join(" ".join(line.split()) for line in text.split(LINE_BREAK)).strip()
        if not text:
            return
        if self.level:
            self.add(f"{'#' * self.level} {' '.join(text.split())}")
        elif self.item:
            self.add(self.item + text, tight=True)
        else:
            self.add(self.marked(escape_lines(text), bold=bold))
        self.item = ""

    def marked(self, block: str, *, bold: bool) -> str:
        """Mark a block that is set like a heading."""
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
