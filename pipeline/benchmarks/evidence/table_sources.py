"""Find where a table that was read comes from: a picture of its page, the markup of its table, or its lines.

No code of the readers is used to find it: the source is what shares most words with the table.
"""

import base64
import html
import io
import re
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium
from lxml import etree
from lxml.html import HTMLParser

from pipeline.benchmarks.evidence.pdf_words import group_by_line, placed_words, words_in

KEPT_TAGS = {
    *("b", "br", "caption", "center", "del", "div", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "i", "li", "ol"),
    *("p", "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead"),
    *("tr", "u", "ul"),
}
KEPT_ATTRIBUTES = ("align", "bgcolor", "border", "colspan", "rowspan", "style", "valign", "width")
LOADING = re.compile(r"url\s*\(|expression|@import|position\s*:", re.IGNORECASE)
LATEX_TABLE = re.compile(r"\\begin\{((?:wrap|sideways)?table\*?|longtable|deluxetable\*?)\}.*?\\end\{\1\}", re.DOTALL)
RENDER_SCALE = 1.6  # pixels a point
MARGIN = 30.0  # points shown above and below the lines of a table
MIN_RUN = 2  # words in a row that are those of the table


@dataclass(frozen=True)
class Source:
    """A table of a file as its source has it: its words, and HTML that shows it."""

    words: Counter[str]
    shown: str


def read_sources(path: Path) -> list[Source]:
    """Return the tables of a file that is no PDF, or the blocks of a text."""
    suffix = path.suffix.lower()
    if suffix in (".html", ".htm", ".xhtml", ".xml"):
        return list(iter_markup_tables(path.read_bytes()))
    if suffix == ".epub":
        with zipfile.ZipFile(path) as archive:
            pages = [name for name in archive.namelist() if name.lower().endswith(("htm", "html", "xml"))]
            return [source for name in pages for source in iter_markup_tables(archive.read(name))]
    texts = list(read_texts(path))
    blocks = [match[0] for text in texts for match in LATEX_TABLE.finditer(text)]
    blocks = blocks or [block for text in texts for block in re.split(r"\n\s*\n", text)]
    return [Source(Counter(words_in(block)), f"<pre>{html.escape(block)}</pre>") for block in blocks]


def read_texts(path: Path) -> Iterator[str]:
    """Yield the text of a file, or the texts of an archive of LaTeX."""
    if not tarfile.is_tarfile(path):
        yield path.read_bytes().decode("utf-8", "replace")
        return
    with tarfile.open(path) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".tex") else None
            if file:
                yield file.read().decode("utf-8", "replace")


def iter_markup_tables(data: bytes) -> Iterator[Source]:
    """Yield the tables of a page that hold no other table."""
    root = etree.fromstring(data, HTMLParser(encoding="utf-8", huge_tree=True)) if data.strip() else None
    for table in root.iter("{*}table", "table") if root is not None else ():
        if next(table.iterdescendants("{*}table"), None) is None:
            yield Source(Counter(words_in(" ".join(table.itertext()))), sanitise(table))


def sanitise(table: Any) -> str:
    """Return the markup of a table without scripts, links and anything that loads."""
    parts: list[str] = []
    for event, element in etree.iterwalk(table, events=("start", "end", "comment", "pi")):
        name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
        if event == "start":
            parts.append(open_tag(name, element) + html.escape(element.text or ""))
        else:
            parts.append(f"</{name}>" if event == "end" and name in KEPT_TAGS and name != "br" else "")
            parts.append(html.escape(element.tail or "") if element is not table else "")
    return "".join(parts)


def open_tag(name: str, element: Any) -> str:
    """Return the start of an element with the attributes that say how it looks; '' for elements that are not kept."""
    if name not in KEPT_TAGS:
        return ""
    kept = [(key, element.get(key)) for key in KEPT_ATTRIBUTES if element.get(key)]
    shown = "".join(f' {key}="{html.escape(value)}"' for key, value in kept if not LOADING.search(value))
    return f"<{name}{shown}>"


def match_sources(tables: list[str], sources: list[Source]) -> list[Source | None]:
    """Return the source of each table: the one with most words in common; of equal ones the first not yet taken."""
    num_taken = [0] * len(sources)
    found: list[Source | None] = []
    for table in tables:
        words = Counter(words_in(table))
        scores = [(similarity(words, source.words), -taken) for source, taken in zip(sources, num_taken, strict=True)]
        best = max(range(len(sources)), key=scores.__getitem__, default=None)
        if best is None or scores[best][0] == 0:
            found.append(None)
        else:
            num_taken[best] += 1
            found.append(sources[best])
    return found


def similarity(one: Counter[str], other: Counter[str]) -> float:
    """Return the share of words that two tables have in common."""
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def picture_region(path: Path, page: int, table: str) -> str:
    """Return an image element with the part of a PDF's page in which the words of a table are.

    Args:
        path: The file.
        page: From 1.
        table: Its text.
    """
    document = pdfium.PdfDocument(path)
    opened = document[page - 1]
    image = opened.render(scale=RENDER_SCALE).to_pil()
    top, bottom = table_bounds(opened, table)
    height = opened.get_height()
    upper = max(0, int((height - top - MARGIN) * RENDER_SCALE))
    lower = min(image.height, int((height - bottom + MARGIN) * RENDER_SCALE))
    sink = io.BytesIO()
    image.crop((0, upper, image.width, max(upper + 1, lower))).save(sink, "PNG", optimize=True)
    return f'<img alt="page {page}" src="data:image/png;base64,{base64.b64encode(sink.getvalue()).decode()}">'


def table_bounds(page: Any, table: str) -> tuple[float, float]:
    """Return the height of the first and of the last line of a page that have words of a table in a row, in points."""
    lines = group_by_line(placed_words(page))
    if page.get_rotation() or not lines:
        return page.get_height(), 0.0
    flat = [(word, line[0]) for line in lines for placed in line for word in words_in(placed.text)]
    matcher = SequenceMatcher(None, [word for word, _ in flat], words_in(table), autojunk=False)
    found = [
        flat[place][1]
        for block in matcher.get_matching_blocks()
        if block.size >= MIN_RUN
        for place in range(block.a, block.a + block.size)
    ]
    if not found:
        return page.get_height(), 0.0
    return max(word.top for word in found), min(word.bottom for word in found)
