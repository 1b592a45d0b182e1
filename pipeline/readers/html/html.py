"""Read HTML and XHTML: articles, reports, and the filings of EDGAR with inline XBRL."""

import html
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from lxml import etree
from lxml.html import HTMLParser

from pipeline.readers.common.clean import clean, warn_of_invisible
from pipeline.readers.common.encodings import BOMS, Decoded, decode, wide_encoding
from pipeline.readers.common.gutenberg import strip_gutenberg
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.html.nesting import flatten
from pipeline.readers.html.raised import flat_text
from pipeline.readers.html.to_markdown import local_name, markdown
from pipeline.readers.html.xbrl import filing_metadata, find_numbers, locate_facts

CHARSET = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?([A-Za-z0-9_.:-]{2,30})""")
ALIASES = {  # names that pages use for more than they mean, as browsers read them
    **dict.fromkeys(("iso-8859-1", "latin1", "latin-1", "us-ascii", "ascii"), "cp1252"),
    **dict.fromkeys(("sjis", "shift_jis", "shift-jis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("gb2312", "gbk", "gb_2312-80"), "gb18030"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "ksc5601"), "cp949"),
    "big5": "big5hkscs",
    "tis-620": "cp874",
    "iso-8859-9": "cp1254",
    "iso-8859-8-i": "iso-8859-8",
    "mac-cyrillic": "mac_cyrillic",
    "utf8": "utf-8",
}
NEVER_MEANT = ("utf-16", "utf-16le", "utf-16be", "utf-32", "utf-7", "unicode")  # in a name that could be read
SEVEN_BIT = ("iso-2022", "hz")
MAX_UNKNOWN_RATIO = 0.01  # of the characters, that the named encoding does not know
HEAD_BYTES = 4096  # the encoding is named within these
XML_ENTITIES = {"amp", "lt", "gt", "quot", "apos"}
ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,30});")
DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
DECLARATIONS = re.compile(
    r"""<!DOCTYPE\b[^>\[]*+\[(?:[^\]"'<]++|"[^"]*+"|'[^']*+'|<(?:!--.*?--)?+)*+\]\s*+>""", re.DOTALL | re.IGNORECASE
)
FOLDED = re.compile(r"<(?:p|br|div|a|img|b|i|em|strong|ul|table|h[1-6]|font|span|center)\b[^<>]*>", re.IGNORECASE)
PART = re.compile(r"PART\s+[IV]{1,3}\b\.?(?:\s+\S.{0,60})?", re.IGNORECASE)
ITEM = re.compile(r"ITEM\s+\d{1,2}[A-C]?\s*[.:\u2013\u2014-]?(?:\s+\S.{0,120})?", re.IGNORECASE)
MAX_HEADING_CHARS = 100


def read(path: Path, context: ReadContext) -> Reading:
    """Read a web page or a filing."""
    del context  # HTML has no pages
    return read_markup(path.read_bytes())


def read_markup(data: bytes) -> Reading:
    """Return what a web page or a filing says."""
    decoded = decode_markup(data)
    source = decoded.text
    root, warnings = parse(source)
    if root is None:
        raise UnreadableError("empty", "no text between the tags")
    found = head_metadata(root) | filing_metadata(root)
    numbers = find_numbers(root)
    if local_name(root.tag) != "html":
        parse_embedded_pages(root)
    text, unseen = markdown(root, filing_heading if is_filing(source) else None)
    warnings += decoded.warnings + unseen.warnings + warn_of_invisible(text)
    text = without_cover_headings(strip_gutenberg(clean(text))).strip()
    if not text:
        where = "but in menus, forms, pictures or hidden parts" if flat_text(parse(source)[0]) else "between the tags"
        raise UnreadableError("empty", "; ".join([f"no text {where}", *warnings]))
    return Reading(text=text, reader="lxml", warnings=tuple(warnings), facts=locate_facts(numbers, text), **found)


def decode_markup(data: bytes) -> Decoded:
    """Return the text of a page in the encoding that it names, or in one that fits.

    Raises:
        UnreadableError: No encoding makes sense of it.
    """
    if data.startswith(tuple(BOMS)) or wide_encoding(data[:HEAD_BYTES]):
        return decode(data)
    named = CHARSET.search(data[:HEAD_BYTES])
    name = named[1].decode().lower() if named else ""
    encoding = ALIASES.get(name.removeprefix("x-"), name.removeprefix("x-"))
    if not encoding.startswith(SEVEN_BIT):
        with suppress(UnicodeDecodeError):
            return Decoded(data.decode(), "utf-8")  # what is UTF-8 is hardly ever anything else
    if not encoding or encoding in NEVER_MEANT:
        return decode(data)
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        return decode(data)
    if text.count("\ufffd") > MAX_UNKNOWN_RATIO * len(text) or encoding == "utf-8":
        return decode(data)
    return Decoded(text, encoding)


def parse(source: str) -> tuple[Any, list[str]]:
    """Return the tree of a page and what is to be said of it, by XML's rules where they hold and else by HTML's.

    No entity but HTML's own is expanded, and nothing outside the page is loaded. The tree is None if it would be empty.
    """
    source = ENTITY.sub(expand_entity, without_declarations(source))
    if "<?xml" in source[:200] or "http://www.w3.org/1999/xhtml" in source[:HEAD_BYTES]:
        safe = etree.XMLParser(encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False)
        try:
            return etree.fromstring(source.encode("utf-8", "replace"), safe), []
        except etree.XMLSyntaxError:
            pass  # XHTML by name only
    root, is_whole = parse_html(source)
    if is_whole:
        return root, []
    return parse_html(flatten(source))[0], ["tags nested too deeply: the innermost left out"]


def without_declarations(source: str) -> str:
    """Return a page without the entities that it declares."""
    doctype = DOCTYPE.search(source[:HEAD_BYTES])
    declarations = DECLARATIONS.match(source, doctype.start()) if doctype else None
    return source[: declarations.start()] + source[declarations.end() :] if declarations else source


def parse_html(source: str) -> tuple[Any, bool]:
    """Return the tree of a page, and whether all of it lies no deeper than the parser goes."""
    parser = HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(source.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        root = None
    return root, not any(error.type_name == "ERR_RESOURCE_LIMIT" for error in parser.error_log)


def parse_embedded_pages(root: Any) -> None:
    """Put in place the pages that a feed holds as text; what these hold as text stays text."""
    for element in list(root.iter("*")):
        if len(element) == 0 and element.text and FOLDED.search(element.text):
            page, _ = parse_html(element.text)
            body = None if page is None else page.find("body")
            if body is not None:
                element.text = None
                element.append(body)


def expand_entity(match: re.Match[str]) -> str:
    """Return the character of one of HTML's entities; XML's own stay."""
    return match[0] if match[1] in XML_ENTITIES else html.unescape(match[0])


def is_filing(source: str) -> bool:
    """Say whether a page is a filing, whose headings are set in bold and have no tags of their own."""
    return (
        re.search(r"<h[1-6][\s>]", source, re.IGNORECASE) is None
        and re.search(r"item\s+1a?\b", source, re.I) is not None
    )


def filing_heading(block: str, bold: bool) -> str:
    """Mark the parts, the items and the bold lines of a filing as headings."""
    title = " ".join(block.split())
    if len(title) > MAX_HEADING_CHARS or title.startswith("|") or not any(char.isalpha() for char in title):
        return block
    if PART.fullmatch(title):
        return f"## {title}"
    if ITEM.fullmatch(title):
        return f"### {title}"
    return f"#### {title}" if bold and title[0].isalnum() and title[-1] not in ".,;:" else block


def without_cover_headings(text: str) -> str:
    """Unmark the bold lines before a filing's first item: its cover is bold almost everywhere."""
    first = re.search(r"^###? (?:PART|ITEM) ", text, re.MULTILINE | re.IGNORECASE)
    return re.sub(r"^#### ", "", text[: first.start()], flags=re.MULTILINE) + text[first.start() :] if first else text


def head_metadata(root: Any) -> dict[str, Any]:
    """Return what a page says about itself, by the names of `Reading`."""
    if root is None:
        return {}
    found: dict[str, Any] = {}
    head = next(root.iter("{*}head"), root)
    title = next(head.iter("{*}title"), None)
    if title is not None and title.text:
        found["title"] = clean(" ".join(title.text.split()))
    names = {meta.get("name", "").lower(): meta.get("content", "") for meta in head.iter("{*}meta")}
    if author := clean(names.get("author", "") or names.get("dc.creator", "")).strip():
        found["authors"] = (author,)
    if date := re.match(r"\d{4}(?:-\d\d(?:-\d\d)?)?", names.get("date", "") or names.get("dc.date", "")):
        found["date"] = date[0]
    language = root.get("lang") or root.get("{http://www.w3.org/XML/1998/namespace}lang") or ""
    if code := re.match(r"[a-z]{2}(?=-|$)", language.lower()):
        found["language"] = code[0]
    return found
