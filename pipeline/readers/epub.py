"""Read EPUB: the chapters in the order of the spine, straight out of the archive, which is never unpacked."""

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

from pipeline.readers.clean import clean
from pipeline.readers.html import parse
from pipeline.readers.markup import markdown
from pipeline.readers.reading import Allow, Reading, UnreadableError
from pipeline.readers.text import decode, without_gutenberg

MAX_ENTRIES = 10_000
MAX_BYTES = 200_000_000  # really inflated, of all members together
MAX_RATIO = 100  # inflated to stored, for members above MIN_RATIO_BYTES
MIN_RATIO_BYTES = 10_000_000
CHUNK_BYTES = 1 << 20
CONTAINER = "META-INF/container.xml"
CHAPTERS = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")
NOT_CHAPTERS = re.compile(
    r"(?:^|[\W_])(?:un)?(?:nav|toc|cover|colophon|imprint|copyright|uncopyright|title-?page|genindex|licen[cs]e)(?:$|[\W_])"
)
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
            refuse(member)
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


def refuse(member: zipfile.ZipInfo) -> None:
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


def read(path: Path, allow: Allow) -> Reading:
    """Read a book."""
    del allow  # an EPUB has chapters, not pages
    archive = Archive(path)
    if "META-INF/encryption.xml" in archive.names and b"EncryptedData" in archive.read("META-INF/encryption.xml"):
        raise UnreadableError("encrypted", "its chapters are encrypted")
    opf_name = package_name(archive)
    package = parse_xml(archive.read(opf_name), opf_name)
    texts, warnings = [], []
    for name in chapter_names(package, posixpath.dirname(opf_name)):
        try:
            texts.append(chapter(archive.read(name)))
        except UnreadableError as error:
            if error.kind == "bomb":
                raise
            warnings.append(f"chapter left out: {error}")
    text = without_gutenberg(clean("\n\n".join(filter(None, texts))))
    if not text.strip():
        raise UnreadableError("empty", "; ".join(["no chapter has text", *warnings]))
    return Reading(text=clean(text), reader="zipfile, lxml", warnings=tuple(warnings), **metadata(package))


def parse_xml(data: bytes, name: str) -> Any:
    """Return the tree of an XML member; no entity is expanded and nothing else loaded.

    Raises:
        UnreadableError: It is not well-formed.
    """
    try:
        return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))
    except etree.XMLSyntaxError as error:
        raise UnreadableError("broken", f"{name}: {error}") from error


def package_name(archive: Archive) -> str:
    """Return the name of the package document, which lists what the book is made of."""
    root = parse_xml(archive.read(CONTAINER), CONTAINER).find(".//{*}rootfile")
    if root is None or not root.get("full-path"):
        raise UnreadableError("broken", f"{CONTAINER} names no package")
    return str(root.get("full-path"))


def chapter_names(package: Any, folder: str) -> Iterator[str]:
    """Yield the members that hold the book's text, in the order of the spine."""
    items = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    for reference in package.iterfind(".//{*}spine/{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in CHAPTERS or "nav" in (item.get("properties") or "").split():
            continue
        href = urlsplit(item.get("href") or "")
        stem = posixpath.splitext(posixpath.basename(href.path))[0]
        if not href.scheme and not NOT_CHAPTERS.search(stem.lower()):
            yield posixpath.normpath(posixpath.join(folder, unquote(href.path)))


def chapter(data: bytes) -> str:
    """Return the Markdown of a chapter, '' for pages that are none."""
    root, _ = parse(decode(data)[0])
    if root is None:
        raise UnreadableError("broken", "no XHTML")
    body = root.find(".//{*}body")
    if body is None:
        return ""
    kinds = f"{body.get('{http://www.idpf.org/2007/ops}type', '')} {body.get('epub:type', '')}".split()
    sections = [str(s.get("{http://www.idpf.org/2007/ops}type", "")) for s in body.iterchildren("{*}section")]
    if BODY_TYPES & {*kinds, *(kind for section in sections[:1] for kind in section.split())}:
        return ""
    return markdown(body)[0]


def metadata(package: Any) -> dict[str, Any]:
    """Return what the package document says about the book, by the names of `Reading`."""

    def values(name: str) -> list[str]:
        found = package.iterfind(f".//{{*}}metadata//{{http://purl.org/dc/elements/1.1/}}{name}")
        return [clean(" ".join(element.text.split())) for element in found if element.text]

    language = re.match(r"[a-z]{2}(?=-|$)", (values("language") or [""])[0].lower())
    date = re.match(r"\d{4}(?:-\d\d(?:-\d\d)?)?", (values("date") or [""])[0])
    return {
        "title": (values("title") or [""])[0],
        "authors": tuple(values("creator")),
        "date": date[0] if date else "",
        "language": language[0] if language else "",
    }
