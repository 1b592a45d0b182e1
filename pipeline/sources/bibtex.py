r"""Papers of your library: a BibTeX file, as Zotero, JabRef and Mendeley export it, with its attachments.

Format     field `file`: 'description:path:type' or a path, separated by ';', with ':' and '\' escaped by '\'
           (https://docs.jabref.org/finding-sorting-and-cleaning-entries/filelinks; Zotero's export writes the same)
"""

import re
from collections.abc import Iterator
from pathlib import Path

import bibtexparser
from bibtexparser.model import Entry
from pylatexenc.latex2text import LatexNodes2Text

from pipeline.downloads.sources_file import Source, is_web
from pipeline.errors import InputError
from pipeline.files import hash_file
from pipeline.records import Category
from pipeline.sources.found import Found, Skip
from pipeline.sources.spdx import spdx_identifier

PARTS = re.compile(r"(?<!\\);")
FIELDS = re.compile(r"(?<!\\):")


def find(*, file: Path, licence: str, category: Category = "paper", licence_evidence: str = "") -> Iterator[Found]:
    """Yield the entries with a local attachment, else a URL, in the order of the file.

    Args:
        file: The BibTeX file; attachments are relative to it.
        licence: SPDX identifier for entries without one of their own, or 'unknown'.
        category: book, paper, report or statement.
        licence_evidence: Where the licence is stated.

    Raises:
        InputError: There is no such file, or an entry of it is broken.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", expected="BibTeX", fix="Export one.")
    library = bibtexparser.parse_file(str(file))
    if library.failed_blocks:
        block = library.failed_blocks[0]
        where, advice = f"{file}, line {(block.start_line or 0) + 1}", "Fix or remove the entry."
        raise InputError(where, found=" ".join(str(block.error).split()), expected="BibTeX", fix=advice)
    for entry in library.entries:
        yield entry_source(entry, file, licence, category, licence_evidence)


def entry_source(entry: Entry, file: Path, licence: str, category: Category, evidence: str) -> Found:
    """Return the source of an entry, or the reason to skip it."""
    fields = {name.lower(): " ".join(str(field.value).split()) for name, field in entry.fields_dict.items()}
    here = [path for path in attachments(fields.get("file", ""), file.parent) if path.is_file()]
    paths = sorted(here, key=lambda path: path.suffix.lower() != ".pdf")  # a PDF before a saved web page
    if not paths and not is_web(fields.get("url", "")):
        return Skip("neither attachment nor URL")
    own = spdx_identifier(fields.get("license", "") or fields.get("copyright", ""))
    return Source(
        path=str(paths[0]) if paths else None,
        url=None if paths else fields["url"],
        sha256=hash_file(paths[0]) if paths else "",
        category=category,
        licence=own or licence,
        licence_evidence="the entry" if own else evidence,
        id=f"bibtex:{entry.key}",
        title=in_letters(fields.get("title", "")),
        authors=[author_name(name) for name in re.split(r"\s+and\s+", fields.get("author", "")) if name],
        date=leading_date(fields.get("date", "") or fields.get("year", "")),
        language=fields.get("language", "")[:2].lower()
        if re.match("[A-Za-z]{2}(-|$)", fields.get("language", ""))
        else "",
    )


def attachments(value: str, folder: Path) -> Iterator[Path]:
    """Yield the paths of a field `file`, in its order."""
    for part in filter(None, PARTS.split(value)):
        pieces = [re.sub(r"\\([:;\\])", r"\1", piece) for piece in FIELDS.split(part)]
        yield folder / (pieces[1] if len(pieces) >= 3 else pieces[0])


def in_letters(text: str) -> str:
    """Return LaTeX as plain text."""
    return str(LatexNodes2Text().latex_to_text(text)).strip()


def author_name(name: str) -> str:
    """Return 'Jane Austen' for 'Austen, Jane'."""
    last, _, first = in_letters(name).partition(",")
    return f"{first.strip()} {last.strip()}".strip()


def leading_date(date: str) -> str:
    """Return the well-formed beginning of a date."""
    found = re.match(r"\d{4}(-\d\d(-\d\d)?)?", date)
    return found[0] if found else ""
