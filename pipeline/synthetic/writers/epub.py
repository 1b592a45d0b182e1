"""Write a book as EPUB 3 or as plain text."""

import textwrap
import zipfile
from html import escape
from pathlib import Path

from pipeline.synthetic.manuscript import Heading, Manuscript, Prose

ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP knows, so that no clock gets into the file
LINE_WIDTH = 72
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
  <rootfiles><rootfile full-path="OEBPS/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
STYLE = "body { margin: 5%; line-height: 1.4 }\nh1, h2 { text-align: center }\np { text-indent: 1.2em; margin: 0 }\n"

Page = tuple[str, str, str]  # file name without its ending, heading, XHTML of the body


def write_epub(path: Path, manuscript: Manuscript) -> None:
    """Write an EPUB: title page, one file a chapter, and a colophon."""
    pages = [title_page(manuscript), *chapter_pages(manuscript), colophon(manuscript)]
    with zipfile.ZipFile(path, "w") as archive:
        add(archive, "mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        add(archive, "META-INF/container.xml", CONTAINER)
        add(archive, "OEBPS/package.opf", package(manuscript, pages))
        add(archive, "OEBPS/nav.xhtml", navigation(manuscript, pages))
        add(archive, "OEBPS/style.css", STYLE)
        for name, heading, body in pages:
            add(archive, f"OEBPS/{name}.xhtml", xhtml(heading, body))


def add(archive: zipfile.ZipFile, name: str, text: str, compression: int = zipfile.ZIP_DEFLATED) -> None:
    """Add one file, without the time of day."""
    archive.writestr(zipfile.ZipInfo(name, ZIP_DATE), text, compression)


def title_page(manuscript: Manuscript) -> Page:
    """Return the page that names the book and its author."""
    year = manuscript.date[:4]
    lines = f"<p>{escape(', '.join(manuscript.authors))}</p>\n<p>{year}</p>"
    return (
        "title",
        manuscript.title,
        f'<section epub:type="titlepage">\n{heading(manuscript)}\n{lines}\n</section>',
    )


def heading(manuscript: Manuscript) -> str:
    """Return the title as a heading."""
    return f"<h1>{escape(manuscript.title)}</h1>"


def colophon(manuscript: Manuscript) -> Page:
    """Return the last page, about the edition."""
    text = (
        f"This edition of {manuscript.title} was set for reading on screens. The text is dedicated to the public "
        "domain under CC0 1.0; people, places and events in it are made up."
    )
    body = f'<section epub:type="colophon">\n<h2>Colophon</h2>\n<p>{escape(text)}</p>\n</section>'
    return "colophon", "Colophon", body


def chapter_pages(manuscript: Manuscript) -> list[Page]:
    """Return a page for each chapter."""
    pages: list[Page] = []
    for block in manuscript.blocks:
        if isinstance(block, Heading):
            pages.append((f"chapter-{len(pages) + 1:02}", block.text, f"<h2>{escape(block.text)}</h2>\n"))
        elif isinstance(block, Prose):
            name, heading, body = pages[-1]
            pages[-1] = name, heading, f"{body}<p>{escape(block.text)}</p>\n"
    return [(name, title, f'<section epub:type="chapter">\n{body}</section>') for name, title, body in pages]


def xhtml(title: str, body: str) -> str:
    """Wrap a body into an XHTML page."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en">\n'
        f'<head><title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="style.css"/></head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def navigation(manuscript: Manuscript, pages: list[Page]) -> str:
    """Return the table of contents."""
    items = "\n".join(f'<li><a href="{name}.xhtml">{escape(heading)}</a></li>' for name, heading, _ in pages)
    body = f'<nav epub:type="toc" id="toc">\n<h1>Contents</h1>\n<ol>\n{items}\n</ol>\n</nav>'
    return xhtml(f"{manuscript.title}: contents", body)


def package(manuscript: Manuscript, pages: list[Page]) -> str:
    """Return the package document: metadata, manifest and spine."""
    creators = "\n".join(f"    <dc:creator>{escape(name)}</dc:creator>" for name in manuscript.authors)
    items = "\n".join(
        f'    <item id="{name}" href="{name}.xhtml" media-type="application/xhtml+xml"/>' for name, _, _ in pages
    )
    spine = "\n".join(f'    <itemref idref="{name}"/>' for name, _, _ in pages)
    title = escape(manuscript.title)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
  <metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
    <dc:identifier id="id">urn:x-sample:{escape("-".join(manuscript.title.lower().split()))}</dc:identifier>
    <dc:title>{title}</dc:title>
{creators}
    <dc:language>en</dc:language>
    <dc:date>{manuscript.date}</dc:date>
    <dc:rights>CC0-1.0</dc:rights>
    <meta property="dcterms:modified">{manuscript.date[:4]}-01-01T00:00:00Z</meta>
  </metadata>
  <manifest>
    <item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
    <item id="style" href="style.css" media-type="text/css"/>
{items}
  </manifest>
  <spine>
{spine}
  </spine>
</package>
"""


def write_text(path: Path, manuscript: Manuscript) -> None:
    """Write plain text: wrapped lines, a blank one between paragraphs, three before a chapter."""
    parts = [manuscript.title.upper(), "by " + ", ".join(manuscript.authors), manuscript.date[:4]]
    for block in manuscript.blocks:
        if isinstance(block, Heading):
            parts.append(f"\n\n{block.text.upper()}")
        elif isinstance(block, Prose):
            parts.append(textwrap.fill(block.text, LINE_WIDTH, break_long_words=False, break_on_hyphens=False))
    path.write_text("\n\n".join([*parts, "\n\nTHE END"]) + "\n", encoding="utf-8", newline="\n")
