"""Read the source of LaTeX papers and books: the text as printed, formulas as written.

The author's macros are expanded as text (`macros`); nothing of TeX is executed, and no other file is read. Every
character is handled a bounded number of times, so hostile sources take no longer than others.
"""

import re
from pathlib import Path
from typing import Any

from pipeline.readers.common.clean import clean, warn_of_invisible
from pipeline.readers.common.encodings import decode
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.latex.commands import LEVELS
from pipeline.readers.latex.macros import expand
from pipeline.readers.latex.render import render
from pipeline.readers.latex.source import Source

VERBATIM = r"\\begin\{(?P<code>verbatim|lstlisting|Verbatim|minted)\*?\}.*?(?:\\end\{(?P=code)\*?\}|\Z)"
KEPT = rf"\\(?:url|href|path)[ \t]*\{{[^{{}}\n]*\}}|{VERBATIM}|\\."
COMMENT = re.compile(rf"({KEPT})|%[^\n]*(?:\n[ \t]*(?!\n))?", re.DOTALL)
UNENDED = re.compile(r"\\iffalse\b(?:(?!\\fi\b).)*\Z", re.DOTALL)
LENGTH = re.compile(
    r"\\(?:looseness|hbadness|vbadness|tolerance|emergencystretch|parindent|parskip|baselineskip|tabcolsep|hsize|vsize"
    r"|columnsep|hskip|vskip|kern|mskip|abovecaptionskip|belowcaptionskip|textfloatsep|floatsep|intextsep|itemsep|topsep"
    r"|LTleft|LTright|arraycolsep|linewidth)\s*=?\s*-?[\d.]+\s*(?:\\[A-Za-z]+|pt|em|ex|cm|mm|in|bp|pc|sp)?"
    r"(?:\s*(?:plus|minus)\s*-?[\d.]+\s*(?:pt|em|ex|cm|mm|in|fil+)?)*"
)
DELUXE = re.compile(r"\\begin\{(deluxetable\*?)\}(?:\[[^\]\n]*\])?\{([^{}]*)\}(.*?)\\end\{\1\}", re.DOTALL)
COLUMN_HEAD = re.compile(r"\\(?:colhead|nocolhead)(?![A-Za-z])")
AND = re.compile(r"\\(?:and|And|AND)\b")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DATE = re.compile(
    r"\d{4}(?:-\d\d(?:-\d\d)?)?|(?:(\d{1,2})\.? +)?([A-Z][a-z]{2,8})\.? +(?:(\d{1,2})(?:st|nd|rd|th)?,? +)?(\d{4})"
)


def read(path: Path, context: ReadContext) -> Reading:
    """Read a LaTeX source."""
    del context  # its pages are not made yet
    decoded = decode(path.read_bytes())
    return read_source(decoded.text, decoded.encoding)


def read_source(text: str, encoding: str) -> Reading:
    """Return what the text of a LaTeX source says."""
    source = Source(convert_deluxe_tables(strip_lengths(expand(strip_comments(text)))))
    found = preamble_metadata(source)
    body, left_out = render(source.document(), heading_levels(source.text))
    title = f"# {found['title']}\n\n" if found["title"] else ""
    warnings = [f"{count} {what}" for what, count in sorted(left_out.items()) if count]
    result = clean(title + body)
    if not clean(body).strip():
        raise UnreadableError("empty", "; ".join(["no text but commands", *warnings]))
    return Reading(
        text=result, reader=f"latex ({encoding})", warnings=(*warnings, *warn_of_invisible(title + body)), **found
    )


def strip_comments(text: str) -> str:
    """Return a source without its comments, and without what `iffalse` takes out."""
    text = COMMENT.sub(lambda match: match[1] or "", text.replace("\r\n", "\n").replace("\0", ""))
    return UNENDED.sub("", text)


def strip_lengths(text: str) -> str:
    r"""Return a source without the lengths and numbers that it sets: '\looseness=-1', '\hskip 2pt plus 1fil'."""
    return LENGTH.sub(" ", text)


def convert_deluxe_tables(text: str) -> str:
    """Return a source with the tables of AASTeX as plain ones: their captions before them, their heads as a row."""

    def convert(match: re.Match[str]) -> str:
        table = Source(match[3])
        captions, heads = table.arguments_of("tablecaption"), table.arguments_of("tablehead")
        rows = re.search(r"\\startdata(.*?)(?:\\enddata|\Z)", match[3], re.DOTALL)
        notes = [*table.arguments_of("tablecomments"), *table.arguments_of("tablerefs")]
        head = "".join(f"{COLUMN_HEAD.sub('', each)} \\\\" for each in heads)
        body = f"\\begin{{tabular}}{{{match[2]}}}\n{head}{rows[1] if rows else ''}\\end{{tabular}}"
        return "\n\n".join([*(f"\\caption{{{each}}}" for each in captions), body, *notes, ""])

    return DELUXE.sub(convert, text)


def heading_levels(text: str) -> dict[str, int]:
    """Return the Markdown level of each kind of section: the outermost that is used is one below the title."""
    used = [index for index, name in enumerate(LEVELS) if re.search(rf"\\{name}\b", text)]
    first = used[0] if used else 0
    return {name: min(6, max(2, 2 + index - first)) for index, name in enumerate(LEVELS)}


def preamble_metadata(source: Source) -> dict[str, Any]:
    """Return title, authors and date as a document gives them, by the names of `Reading`."""
    authors = [part for author in source.arguments_of("author") for part in AND.split(author)]
    names = [to_plain_text(re.split(r"\\\\|\n[ \t]*\n", author.strip())[0]) for author in authors]
    return {
        "title": to_plain_text("".join(source.arguments_of("title")[:1])),
        "authors": tuple(name for name in names if name),
        "date": parse_date(to_plain_text("".join(source.arguments_of("date")[:1]))),
    }


def to_plain_text(text: str) -> str:
    """Return the words of an argument on one line."""
    first = render(Source(text), {})[0].split("\n\n")[0]
    return " ".join(re.sub(r"\[\d+\]", "", clean(first)).split())


def parse_date(text: str) -> str:
    """Return a date as ISO 8601, as exact as it is given; '' if it is none."""
    match = DATE.search(text)
    if match is None or match[2] is None:
        return match[0] if match else ""
    month, day = match[2][:3].lower(), match[1] or match[3]
    if month not in MONTHS:
        return match[4]
    return f"{match[4]}-{MONTHS.index(month) + 1:02}" + (f"-{int(day):02}" if day else "")
