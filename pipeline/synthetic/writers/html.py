"""Write a report as the HTML page of a web site: navigation, contents, chapters, tables, boxes and a footer."""

from html import escape
from pathlib import Path

from pipeline.synthetic.manuscript import Block, Box, Figure, Heading, Manuscript, Prose, Row, Table

STYLE = (
    "body{font-family:Georgia,serif;max-width:48em;margin:auto}aside{background:#eef;padding:1em}"
    "table{border-collapse:collapse}td,th{padding:.2em .6em;text-align:right}"
    "th:first-child,td:first-child{text-align:left}"
)
SITE_LINKS = ("Home", "Publications", "Data", "About us")


def write_html(path: Path, manuscript: Manuscript) -> None:
    """Write one HTML file."""
    path.write_text(page(manuscript), encoding="utf-8", newline="\n")


def page(manuscript: Manuscript) -> str:
    """Return the whole page."""
    authors = escape(", ".join(manuscript.authors))
    title = escape(manuscript.title)
    links = "".join(f'<li><a href="#top">{link}</a></li>' for link in SITE_LINKS)
    body = "\n".join(render(block, index) for index, block in enumerate(manuscript.blocks))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta name="author" content="{authors}">
<meta name="date" content="{manuscript.date}">
<style>{STYLE}</style>
<script>document.documentElement.className = "js";</script>
</head>
<body id="top">
<header><p>{authors}</p><nav><ul>{links}</ul></nav></header>
<main>
<h1>{title}</h1>
<p class="date">{manuscript.date}</p>
{contents(manuscript.blocks)}
{body}
</main>
<footer><p>Dedicated to the public domain under CC0 1.0.</p><p><a href="#top">Back to top</a></p></footer>
</body>
</html>
"""


def contents(blocks: tuple[Block, ...]) -> str:
    """Return links to the chapters."""
    items = "".join(
        f'<li><a href="#s{index}">{escape(block.text)}</a></li>\n'
        for index, block in enumerate(blocks)
        if isinstance(block, Heading) and block.level == 1
    )
    return f'<nav class="contents"><h2>Contents</h2>\n<ol>\n{items}</ol></nav>'


def render(block: Block, index: int) -> str:
    """Return the HTML of one block; `index` makes the target of a link."""
    match block:
        case Heading():
            return f'<h{block.level + 1} id="s{index}">{escape(block.text)}</h{block.level + 1}>'
        case Prose():
            return f"<p>{escape(block.text, quote=False)}</p>"
        case Box():
            text = "\n".join(f"<p>{escape(paragraph.text, quote=False)}</p>" for paragraph in block.paragraphs)
            return f"<aside><h3>{escape(block.title)}</h3>\n{text}</aside>"
        case Figure():
            return f"<figure>{chart(block)}<figcaption>{escape(block.caption)}</figcaption></figure>"
        case Table():
            return render_table(block)


def render_table(table: Table) -> str:
    """Return a table with its caption, and its note below."""
    header = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.header)
    rows = "\n".join(render_row(row, len(table.header)) for row in table.rows)
    note = f'\n<p class="note">{escape(table.note)}</p>' if table.note else ""
    caption = f"<caption>{escape(table.caption)}</caption>"
    return f"<table>{caption}\n<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table>{note}"


def render_row(row: Row, num_columns: int) -> str:
    """Return one row; a subheading spans the table."""
    if not row.cells:
        return f'<tr><th colspan="{num_columns}">{escape(row.label)}</th></tr>'
    cells = "".join(f"<td>{escape(cell.text)}</td>" for cell in row.cells)
    return f'<tr><th scope="row">{escape(row.label)}</th>{cells}</tr>'


def chart(figure: Figure) -> str:
    """Return the lines of a figure as SVG without text."""
    values = [value for _, line in figure.lines for value in line]
    low, high = min(values), max(values)
    lines = []
    for _, line in figure.lines:
        points = " ".join(f"{30 * k},{100 - 100 * (v - low) / ((high - low) or 1):.0f}" for k, v in enumerate(line))
        lines.append(f'<polyline points="{points}" fill="none" stroke="#446"/>')
    return f'<svg viewBox="0 0 400 100" role="img">{"".join(lines)}</svg>'
