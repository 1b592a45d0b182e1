"""Documents by a list of URLs, with the licence that their publisher states."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.downloads.sources_file import Source, is_web
from pipeline.errors import InputError
from pipeline.records import Category
from pipeline.sources.found import Found, Skip


def find(*, file: Path, category: Category, licence: str, licence_evidence: str) -> Iterator[Found]:
    """Yield the URLs of a file, one per line, in its order; a title may follow after a blank.

    Args:
        file: The list; lines that begin with '#' are passed over.
        category: book, paper, report or statement.
        licence: SPDX identifier that the publisher states, or 'unknown'.
        licence_evidence: URL of the page that states it.

    Raises:
        InputError: There is no such file.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", expected="a list of URLs", fix="Write one.")
    for line in file.read_text(encoding="utf-8").splitlines():
        url, _, title = line.strip().partition(" ")
        if not url or url.startswith("#"):
            continue
        if not is_web(url):
            yield Skip("no URL")
            continue
        about = title.strip()
        yield Source(url=url, category=category, title=about, licence=licence, licence_evidence=licence_evidence)
