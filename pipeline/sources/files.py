"""Your own documents: a folder or a pattern, with the sha256 of each, so that a change is seen."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.downloads.sources_file import Source, match_files
from pipeline.errors import InputError
from pipeline.files import hash_file
from pipeline.records import Category
from pipeline.sources.found import Found, Skip

KNOWN = (".pdf", ".epub", ".html", ".htm", ".xhtml", ".xml", ".txt", ".md", ".tex", ".gz")


def find(*, files: str, category: Category, licence: str, licence_evidence: str = "") -> Iterator[Found]:
    """Yield the documents of a folder, at any depth, or those that match a pattern, by their paths.

    Args:
        files: A folder, or a pattern like 'novels/**/*.epub'.
        category: book, paper, report or statement.
        licence: SPDX identifier, or 'unknown'.
        licence_evidence: Where the licence is stated.

    Raises:
        InputError: There is no such folder, or no file that match_files.
    """
    if not files:
        raise InputError("--files", found="''", expected="a folder or a pattern", fix="Name one.")
    pattern = f"{files.rstrip('/')}/**/*" if Path(files).is_dir() else files
    for name, path in match_files("--files", str(Path(pattern).absolute()), Path.cwd()):
        if name != str(path):
            yield Skip("name that is not UTF-8")
        elif path.suffix.lower() not in KNOWN:
            yield Skip(f"format {path.suffix.lower() or 'without a suffix'}")
        elif not path.stat().st_size:
            yield Skip("empty")
        else:
            yield Source(
                path=str(path),
                category=category,
                licence=licence,
                licence_evidence=licence_evidence,
                size=path.stat().st_size,
                sha256=hash_file(path),
            )
