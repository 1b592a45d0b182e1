"""Books of Project Gutenberg, from its offline catalogue; the texts come from one of its mirrors.

Catalogue  https://www.gutenberg.org/ebooks/offline_catalogs.html: one CSV file a week, meant to be downloaded
Terms      https://www.gutenberg.org/policy/robot_access.html: the site is for people; programs go to a mirror
Mirrors    https://www.gutenberg.org/MIRRORS.ALL; one that has cache/epub is needed
Rights     https://www.gutenberg.org/policy/permission.html: most books are free in the United States, and the catalogue
           does not say which are free elsewhere. So the user says what is public domain where they are, by the year
           before which everyone who had a part in a book must have died.
"""

import csv
import io
import re
from collections.abc import Iterator

from pipeline.downloads.sources_file import Source
from pipeline.errors import InputError
from pipeline.sources.catalogue import Service
from pipeline.sources.found import Found, Skip

COLUMNS = ("Text#", "Type", "Issued", "Title", "Language", "Authors", "Subjects")
DATES = re.compile(
    r",\s*(?:(?:ca\. |active )?\d{1,4}\??(?: BCE)?)?\s*-\s*(?P<death>\d{1,4})?\??(?P<bce> BCE)?\s*(?:\[|$)"
)


def find(
    *,
    author_died_before: int,
    catalogue: str = "https://www.gutenberg.org/cache/epub/feeds/pg_catalog.csv",
    mirror: str = "https://gutenberg.pglaf.org",
    language: str = "en",
    subject: str = "",
) -> Iterator[Found]:
    """Yield the books of the catalogue, in its order.

    Args:
        author_died_before: A book is public domain where you are if everyone who had a part in it died before this
            year: in most of Europe, this year less 70.
        catalogue: URL of the catalogue.
        mirror: URL of a mirror that has cache/epub.
        language: ISO 639-1 code of the only language to list.
        subject: Words that a book's subjects must contain, in either case.

    Raises:
        InputError: The catalogue cannot be downloaded, or is another file.
    """
    response = Service(catalogue, requests_per_second=1).get(catalogue)
    rows = csv.DictReader(io.StringIO(response.text if response else ""))
    if not set(COLUMNS) <= set(rows.fieldnames or ()):
        advice = "Compare it with the page on offline catalogues."
        raise InputError(catalogue, found=f"columns {rows.fieldnames}", expected=f"{', '.join(COLUMNS)}", fix=advice)
    for row in rows:
        matches = row["Type"] == "Text" and language in row["Language"].split("; ")
        if matches and subject.lower() in row["Subjects"].lower():
            yield book_source(row, author_died_before, mirror, language)


def book_source(row: dict[str, str], died_before: int, mirror: str, language: str) -> Found:
    """Return the source of a book, or why it is not known to be in the public domain."""
    people = [person.strip() for person in row["Authors"].split(";") if person.strip()]
    deaths = [death_year(person) for person in people]
    if not people or None in deaths:
        return Skip("no year of death")
    latest = max(death for death in deaths if death is not None)
    if latest >= died_before:
        return Skip("not public domain by the year of death")
    number = row["Text#"]
    return Source(
        url=f"{mirror.rstrip('/')}/cache/epub/{number}/pg{number}.txt",
        category="book",
        licence="LicenseRef-public-domain",
        licence_evidence=f"the last of its authors died in {latest}; the user states: free if before {died_before}",
        id=f"gutenberg:{number}",
        title=" ".join(row["Title"].split()),
        authors=[display_name(person) for person in people],
        language=language,
        media_type="text/plain",
    )


def death_year(person: str) -> int | None:
    """Return the year in which a person of the catalogue died, None if it does not say."""
    found = DATES.search(person)
    if not found or not found["death"]:
        return None
    return -int(found["death"]) if found["bce"] else int(found["death"])


def display_name(person: str) -> str:
    """Return a name without years and part: 'Austen, Jane, 1775-1817 [Author]' is 'Jane Austen'."""
    name = re.sub(r"\s*\[[^]]*\]\s*$", "", person)
    parts = [part.strip() for part in DATES.sub("", name).split(",")]
    return " ".join([*parts[1:2], parts[0], *parts[2:]])
