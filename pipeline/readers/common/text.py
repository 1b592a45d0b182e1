"""Read plain text and Markdown."""

import re
from pathlib import Path

from pipeline.readers.common.clean import clean, warn_of_invisible
from pipeline.readers.common.encodings import Decoded, decode
from pipeline.readers.common.gutenberg import LANGUAGES, gutenberg_fields, strip_gutenberg
from pipeline.readers.common.paragraphs import write_paragraphs
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError

DOUBLE_ENCODED = re.compile(  # UTF-8 read as Windows-1252: 'â€™', 'Ã©'
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014\u2018-\u201e\u2020-\u2022\u2026"
    "\u2030\u2039\u203a\u20ac\u2122]{1,3}"
)
MIN_DOUBLE_ENCODED = 3  # in a text, before it is taken for a fault


def read(path: Path, context: ReadContext) -> Reading:
    """Read a text file."""
    del context  # a text has no pages
    return read_text(decode(path.read_bytes()), is_markdown=path.suffix.lower() in (".md", ".markdown"))


def read_text(decoded: Decoded, *, is_markdown: bool = False) -> Reading:
    """Return what a text says."""
    source, repairs = repair_double_encoding(decoded.text)
    fields = gutenberg_fields(source)
    text = strip_gutenberg(clean(source)).strip("\n")
    if not text.strip():
        raise UnreadableError("empty", "no text, only blanks and characters that no one sees")
    return Reading(
        text=text if is_markdown else clean(write_paragraphs(text)),
        reader=f"text ({decoded.encoding})",
        title=fields.get("Title", ""),
        authors=tuple(filter(None, [fields.get("Author", "")])),
        language=LANGUAGES.get(fields.get("Language", "").lower(), ""),
        warnings=(*decoded.warnings, *repairs, *warn_of_invisible(source)),
    )


def repair_double_encoding(text: str) -> tuple[str, list[str]]:
    """Return a text whose UTF-8 was once read as Windows-1252 as it was before, and a warning if it was."""
    count = 0

    def repair(match: re.Match[str]) -> str:
        nonlocal count
        for end in range(len(match[0]), 1, -1):
            try:
                char = to_bytes(match[0][:end]).decode("utf-8")
            except (UnicodeDecodeError, UnicodeEncodeError):
                continue
            if len(char) == 1:
                count += 1
                return char + match[0][end:]
        return match[0]

    repaired = DOUBLE_ENCODED.sub(repair, text)
    if count < MIN_DOUBLE_ENCODED:
        return text, []
    repaired = repaired.replace("\u00e2\u20ac\ufffd", "\u201d")  # its third byte has no character in Windows-1252
    return repaired, [f"{count} characters repaired that were encoded twice"]


def to_bytes(text: str) -> bytes:
    """Return characters as the bytes of Windows-1252, with its five unused codes as they are."""
    return b"".join(bytes([ord(char)]) if ord(char) < 0xA0 else char.encode("cp1252") for char in text)
