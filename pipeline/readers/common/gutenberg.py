"""Take Project Gutenberg's header and licence off a book, and read what the header says of it."""

import re

START = re.compile(
    r"^.*(?:\*{3} ?START OF (?:THE|THIS) PROJECT GUTENBERG|\*END ?\*? ?THE SMALL PRINT).*$",
    re.MULTILINE | re.IGNORECASE,
)
END = re.compile(
    r"^.*(?:\*{3} ?END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg'?s?).*$",
    re.MULTILINE | re.IGNORECASE,
)
CREDITS = re.compile(
    r"\A\s*(?:(?:Produced|Transcribed|E-?text prepared|Prepared) (?:by|from) .*(?:\n.+)*\n\s*)+", re.IGNORECASE
)
FIELD = re.compile(r"^(Title|Author|Language):[ \t]*(.+(?:\n[ \t]+\S.*)*)", re.MULTILINE)
OLD_TITLE = re.compile(r"Project Gutenberg(?:'s)? E-?text of (.{2,100}) by ([^*\n]{2,60})", re.IGNORECASE)
LANGUAGES = {"english": "en", "french": "fr", "german": "de", "italian": "it", "spanish": "es", "portuguese": "pt"}


def find_start(text: str) -> int:
    """Return where the book begins: after the header, and after the small print where that follows; -1 without them."""
    starts = [match.end() for match in START.finditer(text)]
    end = END.search(text)
    return max((start for start in starts if not end or start < end.start()), default=-1)


def gutenberg_fields(text: str) -> dict[str, str]:
    """Return title, author and language as a Project Gutenberg header gives them."""
    start = find_start(text)
    header = text[:start] if start >= 0 else ""
    fields = {name: " ".join(value.split()) for name, value in FIELD.findall(header)}
    old = OLD_TITLE.search(header)
    return ({"Title": old[1].rstrip(", "), "Author": old[2].strip()} if old else {}) | fields


def strip_gutenberg(text: str) -> str:
    """Cut Project Gutenberg's header and licence from a text."""
    if "project gutenberg" not in text.lower():
        return text
    start = find_start(text)
    if start < 0:
        return text
    end = END.search(text, start)
    return CREDITS.sub("", text[start : end.start() if end else len(text)], count=1)
