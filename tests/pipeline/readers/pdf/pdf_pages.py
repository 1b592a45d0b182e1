"""Write small PDFs with known content, and read them."""

from reportlab.lib.pagesizes import letter
from reportlab.pdfgen.canvas import Canvas

from pipeline.readers.common.reading import TEXT_ONLY, ReadContext
from pipeline.readers.pdf import pdf

WORDS = "the trace compiler speculates that types stay as they were during recording and so it emits fewer checks"


def read(path, cautious=False, budget=lambda num_pages, num_scanned=0: None, options=TEXT_ONLY):
    return pdf.read(path, ReadContext(budget, options, cautious))


def canvas(path):
    return Canvas(str(path), pagesize=letter, invariant=True)


def wrapped(page, text, width, size=10.0, font="Helvetica"):
    """Return a text in lines."""
    lines = [""]
    for word in text.split():
        if page.stringWidth(f"{lines[-1]} {word}", font, size) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def paragraph(page, text, x, y, width, size=10.0):
    """Set a text in lines and return the height below it."""
    page.setFont("Helvetica", size)
    for line in wrapped(page, text, width, size):
        page.drawString(x, y, line)
        y -= 1.2 * size
    return y


def table(page, rows, y, label=72.0, rights=(350.0, 450.0), size=10.0):
    """Set rows of a label and figures, the figures to the right, and return the height below them."""
    page.setFont("Helvetica", size)
    for row in rows:
        page.drawString(label, y, row[0])
        for right, figure in zip(rights, row[1:], strict=False):
            page.drawRightString(right, y, figure)
        y -= 1.2 * size
    return y


def find_tables(text):
    """Return the rows of the Markdown tables of a text, without padding and rules."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    return [row for row in rows if set("".join(row)) - set("-:")]
