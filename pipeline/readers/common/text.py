"""Read plain text and Markdown: find the encoding, drop Project Gutenberg's wrapping, mark the chapters."""

import codecs
import re
from pathlib import Path

from charset_normalizer import from_bytes

from pipeline.readers.common.clean import clean, garbage_ratio, warn_of_invisible
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError

BOMS = {  # those of UTF-32 first: they begin like one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WIDE = {  # which bytes of four are zero in Latin letters
    "utf-16-le": (False, True, False, True),
    "utf-16-be": (True, False, True, False),
    "utf-32-le": (False, True, True, True),
    "utf-32-be": (True, True, True, False),
}
MIN_ZEROS = 0.4  # of these
MAX_UTF8_CHARACTER = 4  # bytes
SAMPLE_BYTES = 200_000  # enough to know an encoding by
MAX_GARBAGE_RATIO = 0.05
START = re.compile(r"^.*\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG.*$", re.MULTILINE | re.IGNORECASE)
END = re.compile(
    r"^.*(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the )?Project Gutenberg'?s?).*$",
    re.MULTILINE | re.IGNORECASE,
)
CREDITS = re.compile(
    r"\A\s*(?:(?:Produced|Transcribed|E-?text prepared|Prepared) (?:by|from) .*(?:\n.+)*\n\s*)+", re.IGNORECASE
)
FIELD = re.compile(r"^(Title|Author|Language):[ \t]*(.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)
LANGUAGES = {"english": "en", "french": "fr", "german": "de", "italian": "it", "spanish": "es", "portuguese": "pt"}
NUMBER_WORD = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|the (?:first|second|third|last)"
CHAPTER = re.compile(
    rf"(?:(?:chapter|book|part|volume|act|canto|letter|section)\s+(?:[ivxlc]+|\d+|{NUMBER_WORD})\b.*"
    r"|preface|foreword|introduction|prologue|epilogue|conclusion|appendix(?:\s+\w+)?)\W*",
    re.IGNORECASE,
)
MAX_HEADING_CHARS = 80
HYPHEN_AT_END = re.compile(r"(?<=[^\W\d_]-)\n(?=[^\W\d_])")
WRAPPED_CHARS = 50  # every line but the last of a wrapped paragraph is longer than this


def read(path: Path, context: ReadContext) -> Reading:
    """Read a text file."""
    del context  # a text has no pages
    source, encoding = decode(path.read_bytes())
    fields = gutenberg_fields(source)
    is_markdown = path.suffix.lower() in (".md", ".markdown")
    text = strip_gutenberg(clean(source)).strip("\n")
    if not text.strip():
        raise UnreadableError("empty", "no text, only blanks and characters that no one sees")
    return Reading(
        text=text if is_markdown else clean(mark_chapters(text)),
        reader=f"text ({encoding})",
        title=fields.get("Title", ""),
        authors=tuple(filter(None, [fields.get("Author", "")])),
        language=LANGUAGES.get(fields.get("Language", "").lower(), ""),
        warnings=tuple(warn_of_invisible(source)),
    )


def decode(data: bytes) -> tuple[str, str]:
    """Return the text of `data` and the encoding that it was in.

    Raises:
        UnreadableError: No encoding makes sense of it, so it is no text.
    """
    text, encoding = decode_any(data)
    if garbage_ratio(text[:SAMPLE_BYTES]) > MAX_GARBAGE_RATIO:
        raise UnreadableError("encoding", f"binary data: it is no text, not even as {encoding}")
    return text, encoding


def decode_any(data: bytes) -> tuple[str, str]:
    """Return what the likeliest encoding makes of `data`: by its mark, as UTF-8, by its zeros, by its letters."""
    for mark, encoding in BOMS.items():
        if data.startswith(mark):
            return data.decode(encoding, "replace"), encoding
    if encoding := wide_encoding(data[:SAMPLE_BYTES]):
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if len(data) - error.start < MAX_UTF8_CHARACTER and error.reason == "unexpected end of data":
            return data.decode("utf-8", "ignore"), "utf-8"  # cut within its last character
    best = from_bytes(data[:SAMPLE_BYTES]).best()
    if best is None:
        raise UnreadableError("encoding", "no known encoding makes sense of the bytes")
    return data.decode(best.encoding, "replace"), best.encoding


def wide_encoding(sample: bytes) -> str:
    """Return the encoding of two or four bytes a character that a sample without a mark is in, '' if in none."""
    quarters = [sample[place::4].count(0) / max(1, len(sample) // 4) for place in range(4)]
    for encoding, zeros in WIDE.items():
        if all((quarter > MIN_ZEROS) == is_zero for quarter, is_zero in zip(quarters, zeros, strict=True)):
            return encoding
    return ""


def gutenberg_fields(text: str) -> dict[str, str]:
    """Return title, author and language as a Project Gutenberg header gives them."""
    start = START.search(text)
    header = text[: start.start()] if start else ""
    return {name: " ".join(value.split()) for name, value in FIELD.findall(header)}


def strip_gutenberg(text: str) -> str:
    """Cut Project Gutenberg's header and licence from a text."""
    if "project gutenberg" not in text.lower():
        return text
    start = START.search(text)
    if start is None:
        return text
    end = END.search(text, start.end())
    return CREDITS.sub("", text[start.end() : end.start() if end else len(text)], count=1)


def mark_chapters(text: str) -> str:
    """Write paragraphs on one line each, and chapter headings as Markdown."""
    return "\n\n".join(mark_paragraph(block) for block in re.split(r"\n{2,}", text))


def mark_paragraph(block: str) -> str:
    """Return a heading as Markdown, a wrapped paragraph on one line, and anything else as it is."""
    lines = block.split("\n")
    title = " ".join(block.split())
    if len(lines) <= 2 and len(title) <= MAX_HEADING_CHARS and CHAPTER.fullmatch(title):
        return f"## {title}"
    wrapped = all(len(line) > WRAPPED_CHARS and not line.startswith(" ") for line in lines[:-1])
    return HYPHEN_AT_END.sub("", block).replace("\n", " ") if wrapped and not lines[-1].startswith(" ") else block
