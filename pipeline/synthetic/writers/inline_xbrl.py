"""Write an annual report as inline XBRL, in the form in which companies file with an authority.

Source  Inline XBRL 1.1, https://www.xbrl.org/specification/inlinexbrl-part1/rec-2013-11-18/
"""

import re
from html import escape
from pathlib import Path

from pipeline.synthetic.manuscript import Block, Cell, Heading, Manuscript, Prose, Row, Table, Tag

CONTEXT = re.compile(r"(?P<period>[DI])(?P<year>\d{4})(?:_(?P<member>\w+))?")
FIGURE = re.compile(r"(?P<before>\$ ?)?(?P<open>\()?(?P<digits>[\d,.]+|—)(?P<close>\))?")
COLUMNS_PER_FIGURE = 3  # the dollar sign, the digits, and the closing parenthesis
NAMESPACES = " ".join(
    f'xmlns:{prefix}="{uri}"'
    for prefix, uri in {
        "ix": "http://www.xbrl.org/2013/inlineXBRL",
        "ixt": "http://www.xbrl.org/inlineXBRL/transformation/2020-02-12",
        "xbrli": "http://www.xbrl.org/2003/instance",
        "xbrldi": "http://xbrl.org/2006/xbrldi",
        "iso4217": "http://www.xbrl.org/2003/iso4217",
        "dei": "http://xbrl.sec.gov/dei/2023",
        "us-gaap": "http://fasb.org/us-gaap/2023",
        "own": "http://example.org/own/2023",
    }.items()
)
UNITS = """<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>
<xbrli:unit id="shares"><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unit>
<xbrli:unit id="usdPerShare"><xbrli:divide>
<xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unitNumerator>
<xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unitDenominator>
</xbrli:divide></xbrli:unit>"""
FONT = "font-family:'Times New Roman',serif;font-size:10pt"
PAGE_BREAK = '<hr style="page-break-after:always"/>'


def write_filing(path: Path, manuscript: Manuscript) -> None:
    """Write one XHTML file."""
    path.write_text(page(manuscript), encoding="utf-8", newline="\n")


def page(manuscript: Manuscript) -> str:
    """Return the whole page."""
    body: list[str] = []
    for number, block in enumerate(manuscript.blocks):
        if isinstance(block, Heading) and block.level == 1:
            body.append(page_end(1 + sum(PAGE_BREAK in part for part in body)))
        body.append(render(block, number))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" {NAMESPACES} lang="en" xml:lang="en">
<head><meta charset="utf-8"/><title>{escape(manuscript.title)}</title></head>
<body style="{FONT}">
{header(manuscript)}
{cover(manuscript)}
{contents(manuscript)}
{chr(10).join(body)}
</body>
</html>
"""


def page_end(number: int) -> str:
    """Return the foot of a page and the break after it."""
    return f'<div style="text-align:center">{number}</div>{PAGE_BREAK}'


def header(manuscript: Manuscript) -> str:
    """Return the hidden part: the name of the filer, contexts and units."""
    tables = [block for block in manuscript.blocks if isinstance(block, Table)]
    names = sorted({cell.tag.context for table in tables for row in table.rows for cell in row.cells if cell.tag})
    contexts = "\n".join(context(name) for name in names)
    latest = max(name for name in names if name.startswith("D") and "_" not in name)
    filer = escape(manuscript.authors[0])
    return f"""<div style="display:none"><ix:header>
<ix:hidden>
<ix:nonNumeric name="dei:EntityRegistrantName" contextRef="{latest}">{filer}</ix:nonNumeric>
<ix:nonNumeric name="dei:DocumentType" contextRef="{latest}">10-K</ix:nonNumeric>
<ix:nonNumeric name="dei:AmendmentFlag" contextRef="{latest}">false</ix:nonNumeric>
</ix:hidden>
<ix:resources>
{contexts}
{UNITS}
</ix:resources>
</ix:header></div>"""


def context(name: str) -> str:
    """Return the definition of a context like `D2023_Segment1`: a year or its last day, and a member."""
    match = CONTEXT.fullmatch(name)
    if not match:
        raise ValueError(f"{name} is no context")
    year, member = match["year"], match["member"]
    if match["period"] == "I":
        period = f"<xbrli:instant>{year}-12-31</xbrli:instant>"
    else:
        period = f"<xbrli:startDate>{year}-01-01</xbrli:startDate><xbrli:endDate>{year}-12-31</xbrli:endDate>"
    explicit = f'<xbrldi:explicitMember dimension="own:PartAxis">own:{member}Member</xbrldi:explicitMember>'
    segment = f"<xbrli:segment>{explicit}</xbrli:segment>" if member else ""
    entity = f'<xbrli:entity><xbrli:identifier scheme="http://example.org">0000000000</xbrli:identifier>{segment}'
    return f'<xbrli:context id="{name}">{entity}</xbrli:entity><xbrli:period>{period}</xbrli:period></xbrli:context>'


def cover(manuscript: Manuscript) -> str:
    """Return the first page."""
    year = int(manuscript.date[:4]) - 1
    lines = ("FORM 10-K", f"For the fiscal year ended December 31, {year}", manuscript.authors[0])
    return "\n".join(f'<div style="text-align:center;font-weight:bold">{escape(line)}</div>' for line in lines)


def contents(manuscript: Manuscript) -> str:
    """Return the table of contents, a table as filings have it."""
    rows = "\n".join(
        f'<tr><td><a href="#i{number}">{escape(block.text)}</a></td></tr>'
        for number, block in enumerate(manuscript.blocks)
        if isinstance(block, Heading) and block.level == 1
    )
    return f'<div style="text-align:center">TABLE OF CONTENTS</div>\n<table>\n{rows}\n</table>'


def render(block: Block, number: int) -> str:
    """Return one block; filings have no heading elements, only bold lines."""
    match block:
        case Heading():
            size = "12pt" if block.level == 1 else "10pt"
            return (
                f'<div id="i{number}" style="font-weight:bold;font-size:{size}">{escape(block.text, quote=False)}</div>'
            )
        case Prose():
            return f'<p style="text-align:justify;{FONT}">{escape(block.text, quote=False)}</p>'
        case Table():
            return render_table(block)
        case _:
            raise AssertionError(f"{block} has no place in a filing")


def render_table(table: Table) -> str:
    """Return a table in which every figure takes three columns and an empty one stands before it."""
    heads = "".join(
        f'<td></td><td colspan="{COLUMNS_PER_FIGURE}" style="text-align:center;font-weight:bold">{escape(name)}</td>'
        for name in table.header[1:]
    )
    rows = "\n".join(render_row(row, len(table.header) - 1) for row in table.rows)
    caption = f'<div style="text-align:center;font-weight:bold">{escape(table.caption)}</div>'
    note = f'<div style="text-align:center">{escape(table.note)}</div>'
    return f'{caption}\n{note}\n<table style="width:100%">\n<tr><td></td>{heads}</tr>\n{rows}\n</table>'


def render_row(row: Row, num_figures: int) -> str:
    """Return a row; a subheading spans the table."""
    label = escape(row.label, quote=False)
    if not row.cells:
        return (
            f'<tr><td colspan="{1 + num_figures * (COLUMNS_PER_FIGURE + 1)}" style="font-weight:bold">{label}</td></tr>'
        )
    return f"<tr><td>{label}</td>{''.join(render_cell(cell) for cell in row.cells)}</tr>"


def render_cell(cell: Cell) -> str:
    """Return a figure in its columns: sign, opening parenthesis and digits, closing parenthesis."""
    match = FIGURE.fullmatch(cell.text)
    if not match:
        raise ValueError(f"{cell.text} is no figure")
    dollar, opening, closing = ((match[name] or "").strip() for name in ("before", "open", "close"))
    digits = tagged(match["digits"], cell.tag) if cell.tag else match["digits"]
    return f'<td></td><td>{dollar}</td><td style="text-align:right">{opening}{digits}</td><td>{closing}</td>'


def tagged(digits: str, tag: Tag) -> str:
    """Wrap digits into their tag; a sign is written only where the value is negative."""
    sign = ' sign="-"' if tag.is_negative else ""
    return (
        f'<ix:nonFraction name="{tag.concept}" contextRef="{tag.context}" unitRef="{tag.unit}" scale="{tag.scale}" '
        f'decimals="{tag.decimals}" format="ixt:num-dot-decimal"{sign}>{digits}</ix:nonFraction>'
    )
