"""Read EPUB: the chapters in spine order, out of the archive, which is never unpacked."""

import posixpath
import re
import zipfile
import zlib
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from pipeline.readers.common.clean import clean, warn_of_invisible
from pipeline.readers.common.gutenberg import strip_gutenberg
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.html.html import decode_markup, parse
from pipeline.readers.html.pruning import EPUB_TYPE, LeftOut, drop
from pipeline.readers.html.raised import flat_text
from pipeline.readers.html.to_markdown import markdown

MAX_ENTRIES = 10_000
MAX_BYTES = 200_000_000  # really inflated, of all members together
MAX_RATIO = 100  # inflated to stored, for members above MIN_RATIO_BYTES
MIN_RATIO_BYTES = 10_000_000
CHUNK_BYTES = 1 << 20
LOCAL_HEADER_BYTES = 30
MAX_FAULTS = 20  # that are told one by one
MIN_LINKS, LINK_SHARE = 5, 0.9  # of a table of contents within a page
CONTAINER = "META-INF/container.xml"
CHAPTERS = (
    "text/xml",
    "application/xml",
    "application/xhtml+xml",
    "text/html",
    "application/x-dtbook+xml",
    "text/x-oeb1-document",
)
NOT_CHAPTERS = re.compile(  # the whole name of a page: a chapter may be called 'ch01-copyright'
    r"(?:nav|toc|contents|cover(?:[-_]?page)?|colophon|imprint|(?:un)?copyright(?:[-_]?page)?|title[-_]?page|genindex"
    r"|(?:ap[-_])?licen[cs]e)"
)
NO_DATES = {"modification", "creation", "conversion", "epub-publication", "ops-publication"}  # events of the file
FIRST_YEAR = 1000  # of a book; 0101 is how Calibre writes that it knows none
OTHER_PAGES = "pages of navigation, titles, colophon or licence"
BODY_TYPES = {"colophon", "copyright-page", "imprint", "titlepage", "toc", "cover", "landmarks", "loi", "index"}


class Archive:
    """A zip file whose members are read one by one, and never more bytes of them than are allowed."""

    def __init__(self, path: Path) -> None:
        """Open the archive and refuse it if its directory is hostile."""
        try:
            self.zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise UnreadableError("broken", f"no zip archive: {error}") from error
        self.left = MAX_BYTES
        members = self.zip.infolist()
        names = [member.filename for member in members]
        if len(names) > MAX_ENTRIES:
            raise UnreadableError("bomb", f"{len(names)} members; at most {MAX_ENTRIES} are read")
        if len(set(names)) < len(names):
            raise UnreadableError("hostile", "two members have one name")
        for member in members:
            check_member(member)
        check_overlap(members)
        self.names = set(names)

    def read(self, name: str) -> bytes:
        """Return a member, counting the bytes that come out rather than those that its header promises.

        Raises:
            UnreadableError: It is missing, broken, or more than may be inflated.
        """
        if name not in self.names:
            raise UnreadableError("broken", f"no member {name}")
        chunks = []
        size = 0
        limit = max(MIN_RATIO_BYTES, MAX_RATIO * self.zip.getinfo(name).compress_size)
        try:
            with self.zip.open(name) as member:
                while chunk := member.read(CHUNK_BYTES):
                    chunks.append(chunk)
                    size += len(chunk)
                    self.left -= len(chunk)
                    if self.left < 0 or size > limit:
                        raise UnreadableError("bomb", f"{name} inflates to more than is read")
        except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError, ValueError) as error:
            raise UnreadableError("broken", f"{name}: {error}") from error
        except zlib.error as error:
            raise UnreadableError("broken", f"{name}: {error}") from error
        return b"".join(chunks)


def check_member(member: zipfile.ZipInfo) -> None:
    """Refuse a member that is encrypted, a link, or lies outside the archive.

    Raises:
        UnreadableError: It is one of these.
    """
    name = member.orig_filename
    if member.flag_bits & 0x1:
        raise UnreadableError("encrypted", f"{name} is encrypted")
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/") or re.match("[A-Za-z]:", name):
        raise UnreadableError("hostile", f"{name!r} lies outside the archive")
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        raise UnreadableError("hostile", f"{name} is a link")


def check_overlap(members: list[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes, as in archives that inflate to far more than they hold.

    Raises:
        UnreadableError: Two do.
    """
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            raise UnreadableError("hostile", f"{member.filename} overlaps the member before it")
        end = member.header_offset + LOCAL_HEADER_BYTES + member.compress_size


def read(path: Path, context: ReadContext) -> Reading:
    """Read a book."""
    del context  # an EPUB has chapters, not pages
    archive = Archive(path)
    if "META-INF/encryption.xml" in archive.names and b"EncryptedData" in archive.read("META-INF/encryption.xml"):
        raise UnreadableError("encrypted", "its chapters are encrypted")
    opf_name, warnings = package_name(archive)
    package = parse_xml(archive.read(opf_name), opf_name)
    left_out: Counter[str] = Counter()
    names = chapter_names(package, posixpath.dirname(opf_name), left_out)
    texts, faults, unseen = chapters(archive, names, left_out)
    warnings += [f"{count} {what} left out" for what, count in sorted(left_out.items())]
    text = "\n\n".join(texts)
    warnings += [*faults, *unseen.warnings, *warn_of_invisible(text)]
    text = strip_gutenberg(clean(text)).strip()
    if not text:
        raise UnreadableError("empty", "; ".join(["no chapter has text", *warnings]))
    return Reading(text=text, reader="zipfile, lxml", warnings=tuple(warnings), **package_metadata(package))


def chapters(archive: Archive, names: list[str], left_out: Counter[str]) -> tuple[list[str], list[str], LeftOut]:
    """Return the texts of chapters, why some have none, and what was left out of the others; count other pages."""
    texts, faults, unseen = [], [], LeftOut()
    for name in names:
        try:
            body = find_chapter_body(archive.read(name))
        except UnreadableError as error:
            if error.kind == "bomb":
                raise
            faults.append(f"chapter left out: {error}")
            continue
        if body is None:
            left_out[OTHER_PAGES] += 1
            continue
        text, hidden = markdown(body)
        unseen += hidden
        if text.strip():
            texts.append(text)
    if len(faults) > MAX_FAULTS:
        faults[MAX_FAULTS:] = [f"{len(faults) - MAX_FAULTS} more chapters left out"]
    return texts, faults, unseen


def parse_xml(data: bytes, name: str) -> Any:
    """Return the tree of an XML member; no entity is expanded and nothing else loaded.

    Raises:
        UnreadableError: It is not well-formed.
    """
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise UnreadableError("broken", f"{name}: {error}") from error


def package_name(archive: Archive) -> tuple[str, list[str]]:
    """Return the name of the package document, which lists what the book is made of, and what is wrong with it."""
    try:
        root = parse_xml(archive.read(CONTAINER), CONTAINER).find(".//{*}rootfile")
    except UnreadableError as error:
        if error.kind == "bomb":
            raise
        root = None
    name = "" if root is None else posixpath.normpath(root.get("full-path") or "")
    if name in archive.names:
        return name, []
    packages = sorted(name for name in archive.names if name.lower().endswith(".opf"))
    if len(packages) != 1:
        raise UnreadableError("broken", f"{CONTAINER} names no package")
    return packages[0], [f"{CONTAINER} names no package: the only one taken"]


def chapter_names(package: Any, folder: str, left_out: Counter[str]) -> list[str]:
    """Return the members that hold the book's text in the order of the spine, each once, and count the others."""
    items = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    names: dict[str, None] = {}
    for reference in package.iterfind(".//{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        place = None if item is None else local_path(item.get("href") or "")
        if item is None or place is None:
            left_out["parts outside the book"] += 1
        elif item.get("media-type") not in CHAPTERS:
            left_out["pictures and the like in the place of chapters"] += 1
        elif "nav" in (item.get("properties") or "").split() or NOT_CHAPTERS.fullmatch(stem(place)):
            left_out[OTHER_PAGES] += 1
        else:
            names[posixpath.normpath(posixpath.join(folder, place))] = None
    return list(names)


def stem(path: str) -> str:
    """Return the name of a member without its folder and suffix."""
    return posixpath.splitext(posixpath.basename(path))[0].lower()


def local_path(href: str) -> str | None:
    """Return the path that a reference names within the book, None if it leads out of it."""
    try:
        parts = urlsplit(href)
    except ValueError:  # no address at all
        return None
    return None if parts.scheme or parts.netloc else unquote(parts.path)


def find_chapter_body(data: bytes) -> Any:
    """Return the body of a chapter without tables of contents, None for pages that are no chapters."""
    root, _ = parse(decode_markup(data).text)
    if root is None:
        raise UnreadableError("broken", "no XHTML")
    body = next(root.iter("{*}body"), None)
    if body is None:
        return None
    kinds = {
        *epub_types(body),
        *(kind for part in list(body.iterchildren("{*}section"))[:1] for kind in epub_types(part)),
    }
    if kinds & BODY_TYPES:
        return None
    for links in list(body.iter("{*}ul", "{*}ol")):
        if is_contents(links):
            drop(links)
    return body


def epub_types(element: Any) -> list[str]:
    """Return what an element is, in EPUB's words."""
    return f"{element.get(EPUB_TYPE, '')} {element.get('epub:type', '')}".split()


def is_contents(links: Any) -> bool:
    """Say whether a list is a table of contents: links within the book, and hardly anything else."""
    inside = [link for link in links.iter("{*}a") if local_path(link.get("href") or "//")]
    return len(inside) >= MIN_LINKS and sum(len(flat_text(link)) for link in inside) >= LINK_SHARE * len(
        flat_text(links)
    )


def package_metadata(package: Any) -> dict[str, Any]:
    """Return what the package document says about the book, by the names of `Reading`."""

    def values(name: str) -> list[str]:
        found = package.iterfind(f".//{{*}}metadata//{{http://purl.org/dc/elements/1.1/}}{name}")
        return [clean(" ".join(element.text.split())) for element in found if element.text]

    language = re.match(r"[a-z]{2}(?=-|$)", (values("language") or [""])[0].lower())
    return {
        "title": (values("title") or [""])[0],
        "authors": tuple(values("creator")),
        "date": publication_date(package),
        "language": language[0] if language else "",
    }


def publication_date(package: Any) -> str:
    """Return when a book was published: of its dates, the one of that event, else the first of no event of the file."""
    dates: dict[str, str] = {}
    for element in package.iterfind(".//{*}metadata//{http://purl.org/dc/elements/1.1/}date"):
        event = (element.get("{http://www.idpf.org/2007/opf}event") or element.get("event") or "").lower()
        found = re.match(r"(\d{4})(?:-\d\d(?:-\d\d)?)?(?!\d)", (element.text or "").strip())
        if found and int(found[1]) >= FIRST_YEAR and event not in NO_DATES:
            dates.setdefault(event, found[0])
    first = next(iter(dates.values()), "")
    return dates.get("original-publication") or dates.get("publication") or first
