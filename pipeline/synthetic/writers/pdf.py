"""Write a manuscript as PDF: in two columns as a journal does, or in one with a title page and a table of contents."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Drawing, Line, PolyLine, String
from reportlab.lib.colors import Color, black
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import cm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    FrameBreak,
    KeepTogether,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
)
from reportlab.platypus import Table as Grid
from reportlab.platypus import TableStyle as GridStyle
from reportlab.platypus.tableofcontents import TableOfContents

from pipeline.synthetic.manuscript import Block, Box, Figure, Heading, Manuscript, Prose, Table

WIDTH, HEIGHT = A4
MARGIN = 2 * cm
GUTTER = 0.7 * cm
COLUMN = (WIDTH - 2 * MARGIN - GUTTER) / 2
TITLE_HEIGHT = 4.4 * cm
GREY = Color(0.93, 0.94, 0.96)
SOFT_HYPHEN = "\N{SOFT HYPHEN}"
SYLLABLE = re.compile(r"(?<=[a-z]{3})(?=(?:tion|ment|ness|ting|ning|ring|ding|ling|sion|tive|able|ture)[a-z]{0,2}\b)")
LABEL_SHARE = 0.42  # of a table, for its first column

BODY = ParagraphStyle("body", fontName="Times-Roman", fontSize=10, leading=12.6, alignment=TA_JUSTIFY, spaceAfter=6)
SMALL = ParagraphStyle("small", BODY, fontSize=9, leading=10.8, spaceAfter=4, firstLineIndent=9)
CELL = ParagraphStyle("cell", fontName="Times-Roman", fontSize=8, leading=9.4)
CAPTION = ParagraphStyle("caption", fontName="Times-Italic", fontSize=8.4, leading=10, spaceBefore=5, spaceAfter=4)
NOTE = ParagraphStyle("note", CELL, fontSize=7.2, leading=9, spaceBefore=2, spaceAfter=9)
TITLE = ParagraphStyle("title", fontName="Helvetica-Bold", fontSize=17, leading=21, alignment=TA_CENTER, spaceAfter=8)
BYLINE = ParagraphStyle("byline", fontName="Times-Roman", fontSize=11, leading=14, alignment=TA_CENTER, spaceAfter=4)
CHAPTER = ParagraphStyle("chapter", fontName="Helvetica-Bold", fontSize=15, leading=19, spaceBefore=14, spaceAfter=8)
SECTION = ParagraphStyle("section", CHAPTER, fontSize=11.5, leading=14, spaceBefore=9, spaceAfter=4)
COLUMN_HEADING = ParagraphStyle("heading", CHAPTER, fontSize=10.5, leading=13, spaceBefore=8, spaceAfter=3)
COLUMN_SUBHEADING = ParagraphStyle("subheading", COLUMN_HEADING, fontSize=9.3, leading=11)
BOX = ParagraphStyle("box", BODY, backColor=GREY, borderPadding=(4, 6, 4, 6), leftIndent=8, rightIndent=8, spaceAfter=8)
BOX_TITLE = ParagraphStyle("box title", BOX, fontName="Helvetica-Bold", fontSize=10, spaceBefore=8, spaceAfter=8)
CONTENTS = [
    ParagraphStyle("contents 1", BODY, fontName="Times-Bold", spaceBefore=4, spaceAfter=1),
    ParagraphStyle("contents 2", BODY, leftIndent=14, fontSize=9, leading=11, spaceAfter=0),
]


class Report(BaseDocTemplate):  # type: ignore[misc]  # reportlab has no types
    """A template that enters its headings into the table of contents."""

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab calls it so
        """Enter a heading that was just set."""
        levels = {CHAPTER.name: 0, SECTION.name: 1}
        if isinstance(flowable, Paragraph) and flowable.style.name in levels:
            self.notify("TOCEntry", (levels[flowable.style.name], flowable.text, self.page))


def write_report(path: Path, manuscript: Manuscript) -> None:
    """Write one column with a title page and a table of contents."""
    document = Report(str(path), **metadata(manuscript))
    frame = Frame(MARGIN, MARGIN, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN, id="page")
    document.addPageTemplates([PageTemplate("page", [frame], onPage=draw_header(manuscript))])
    width = WIDTH - 2 * MARGIN - 12
    contents = TableOfContents(levelStyles=CONTENTS)
    front = [
        Spacer(1, 6 * cm),
        *title_block(manuscript),
        PageBreak(),
        Paragraph("Contents", TITLE),
        contents,
        PageBreak(),
    ]
    styles = {1: CHAPTER, 2: SECTION}
    document.multiBuild([*front, *flowables(manuscript.blocks, BODY, styles, width)])


def write_article(path: Path, manuscript: Manuscript) -> None:
    """Write two columns a page, with the title across the first."""
    document = BaseDocTemplate(str(path), **metadata(manuscript))
    tall, short = HEIGHT - 2 * MARGIN, HEIGHT - 2 * MARGIN - TITLE_HEIGHT
    right = MARGIN + COLUMN + GUTTER
    across = Frame(MARGIN, MARGIN + short, WIDTH - 2 * MARGIN, TITLE_HEIGHT, id="title")
    first = [across, *(Frame(x, MARGIN, COLUMN, short, leftPadding=0, rightPadding=0) for x in (MARGIN, right))]
    later = [Frame(x, MARGIN, COLUMN, tall, leftPadding=0, rightPadding=0) for x in (MARGIN, right)]
    header = draw_header(manuscript)
    document.addPageTemplates(
        [PageTemplate("first", first, onPage=header), PageTemplate("later", later, onPage=header)]
    )
    styles = {1: COLUMN_HEADING, 2: COLUMN_SUBHEADING}
    front = [NextPageTemplate("later"), *title_block(manuscript), FrameBreak()]
    document.build([*front, *flowables(manuscript.blocks, SMALL, styles, COLUMN)])


def metadata(manuscript: Manuscript) -> dict[str, object]:
    """Return what goes into the file's information dictionary; `invariant` keeps the clock out of it."""
    return {"pagesize": A4, "title": manuscript.title, "author": ", ".join(manuscript.authors), "invariant": 1}


def draw_header(manuscript: Manuscript) -> Callable[[Canvas, BaseDocTemplate], None]:
    """Return the function that draws running head and page number."""

    def draw(canvas: Canvas, document: BaseDocTemplate) -> None:
        canvas.setFont("Times-Italic", 8)
        canvas.drawString(MARGIN, HEIGHT - 1.3 * cm, manuscript.running_head)
        canvas.setFont("Times-Roman", 9)
        canvas.drawCentredString(WIDTH / 2, 1.2 * cm, str(document.page))
        canvas.line(MARGIN, HEIGHT - 1.45 * cm, WIDTH - MARGIN, HEIGHT - 1.45 * cm)

    return draw


def title_block(manuscript: Manuscript) -> list[Flowable]:
    """Set title, authors and date."""
    lines = [", ".join(manuscript.authors), manuscript.date]
    return [Paragraph(escape(manuscript.title), TITLE), *(Paragraph(escape(line), BYLINE) for line in lines)]


def flowables(
    blocks: tuple[Block, ...], body: ParagraphStyle, headings: dict[int, ParagraphStyle], width: float
) -> Iterator[Flowable]:
    """Set blocks one after the other, each heading together with what follows it."""
    waiting: list[Flowable] = []
    for block in blocks:
        if isinstance(block, Heading):
            waiting.append(Paragraph(escape(block.text), headings[min(block.level, 2)]))
            continue
        for group in set_block(block, body, width):
            kept = [*waiting, *group]
            is_whole = isinstance(block, Prose) and block.whole
            yield KeepTogether(kept) if is_whole or len(kept) > 1 else kept[0]
            waiting = []


def set_block(block: Block, body: ParagraphStyle, width: float) -> list[list[Flowable]]:
    """Set one block that is no heading, in groups that stay on one page each."""
    match block:
        case Prose():
            return [[set_prose(block, body)]]
        case Table():
            return [[Paragraph(escape(block.caption), CAPTION), grid(block, width)], [note(block)]]
        case Figure():
            return [[chart(block, width), Paragraph(escape(block.caption), CAPTION)]]
        case Box():
            text = [[set_prose(paragraph, BOX)] for paragraph in block.paragraphs]
            return [[Paragraph(escape(block.title), BOX_TITLE), *text[0]], *text[1:]]
        case _:
            raise AssertionError(f"{block} is set with what follows it")


def set_prose(prose: Prose, style: ParagraphStyle) -> Flowable:
    """Set a paragraph, with soft hyphens where the column is narrow."""
    text = escape(prose.text)
    return Paragraph(SYLLABLE.sub(SOFT_HYPHEN, text) if style is SMALL else text, style)


def note(table: Table) -> Flowable:
    """Set what stands below a table."""
    return Paragraph(escape(table.note), NOTE) if table.note else Spacer(1, 8)


def grid(table: Table, width: float) -> Flowable:
    """Set a table with rules above, below its header and below it, as books do."""
    num_figures = len(table.header) - 1
    label = width * LABEL_SHARE
    rows = [list(table.header)]
    bold = []
    for row in table.rows:
        figures = [cell.text for cell in row.cells] or [""] * num_figures
        bold += [len(rows)] if row.is_total or not row.cells else []
        rows.append([Paragraph(escape(row.label), CELL), *figures])
    return Grid(
        rows,
        colWidths=[label, *[(width - label) / num_figures] * num_figures],
        repeatRows=1,
        style=GridStyle(
            [
                ("FONT", (0, 0), (-1, 0), "Times-Bold", 8, 9.4),
                ("FONT", (0, 1), (-1, -1), "Times-Roman", 8, 9.4),
                *(("FONT", (0, index), (-1, index), "Times-Bold", 8, 9.4) for index in bold),
                ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("LINEABOVE", (0, 0), (-1, 0), 0.9, black),
                ("LINEBELOW", (0, 0), (-1, 0), 0.5, black),
                ("LINEBELOW", (0, -1), (-1, -1), 0.9, black),
                ("TOPPADDING", (0, 0), (-1, -1), 1.4),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 1.4),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 3),
            ]
        ),
    )


def chart(figure: Figure, width: float) -> Drawing:
    """Draw the lines of a figure in shades of grey, with a scale and a legend."""
    height = 4.2 * cm
    values = [value for _, line in figure.lines for value in line]
    low, high = min(values), max(values)
    drawing = Drawing(width, height + 18)
    left, bottom, right, top = 30, 14, width - 74, height
    drawing.add(Line(left, bottom, left, top, strokeWidth=0.6))
    drawing.add(Line(left, bottom, right, bottom, strokeWidth=0.6))
    for share in (0, 0.5, 1):
        y = bottom + share * (top - bottom)
        drawing.add(String(2, y - 3, f"{low + share * (high - low):.1f}", fontName="Times-Roman", fontSize=7))
    for index, (name, line) in enumerate(figure.lines):
        xs = [left + (right - left) * k / (len(line) - 1) for k in range(len(line))]
        ys = [bottom + (top - bottom) * (value - low) / ((high - low) or 1) for value in line]
        tone = 0.75 * index / len(figure.lines)
        points = [coordinate for point in zip(xs, ys, strict=True) for coordinate in point]
        drawing.add(PolyLine(points, strokeColor=Color(tone, tone, tone), strokeWidth=1.2))
        drawing.add(String(right + 4, ys[-1] - 2, name, fontName="Times-Roman", fontSize=7))
    return drawing
