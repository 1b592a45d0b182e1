"""What a format is, how all formats are found, and which one a file has.

A module of this folder that has a `FORMAT` is a format: adding one takes its file and its test, nothing else. These
modules import no parser before `load` is called, so the table of suffixes is cheap for whoever needs only that.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import pipeline.readers.formats
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError

HEAD_BYTES = 20_000
TEXT_PRIORITY = 100  # formats from here on are text: they are asked after known binary files are refused
REFUSED_BINARIES = {
    b"PK\x03\x04": "a zip archive",
    b"BZh": "a bzip2 archive",
    b"{\\rtf": "RTF",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}
MARKS_AND_BLANKS = b"\xef\xbb\xbf\xff\xfe \t\r\n"  # byte order marks of UTF-8 and UTF-16, white space

Read = Callable[[Path, ReadContext], Reading]


@dataclass(frozen=True)
class Sample:
    """What a format is recognised by: the path of a file and its first bytes."""

    path: Path
    head: bytes

    @property
    def suffix(self) -> str:
        """The suffix of the file's name, in lower case."""
        return self.path.suffix.lower()

    @cached_property
    def text_start(self) -> bytes:
        """The head without NULs, so that UTF-16 reads like ASCII, and without byte order marks and leading blanks."""
        return self.head.replace(b"\0", b"").lstrip(MARKS_AND_BLANKS)


@dataclass(frozen=True)
class Format:
    """A file format: how it is recognised, and who reads it."""

    name: str
    media_type: str
    suffixes: dict[str, str]  # suffix -> media type; the first suffix of a media type names a download of that type
    priority: (
        int  # formats are asked in ascending order, and the first that recognises a file has it; see TEXT_PRIORITY
    )
    recognises: Callable[[Sample], bool]
    load: Callable[[], Read]  # imports the parsers and returns the function that reads


@cache
def all_formats() -> dict[str, Format]:
    """Return every format by its name, in the order in which they are asked."""
    folder = pipeline.readers.formats
    names = sorted(module.name for module in pkgutil.iter_modules(pipeline.readers.formats.__path__))
    modules = [importlib.import_module(f"{folder.__name__}.{name}") for name in names]
    found = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {each.name: each for each in sorted(found, key=lambda each: (each.priority, each.name))}


def suffix_media_types() -> dict[str, str]:
    """Return the suffixes of all formats, each with its media type."""
    return {suffix: media_type for each in all_formats().values() for suffix, media_type in each.suffixes.items()}


def detect_format(path: Path) -> Format:
    """Return the format of a file. Its bytes decide; its name decides only where they leave a choice.

    Raises:
        UnreadableError: The file is empty, or no reader knows its format.
    """
    with path.open("rb") as file:
        sample = Sample(path, file.read(HEAD_BYTES))
    if not sample.head:
        raise UnreadableError("empty", "the file has no bytes")
    formats = all_formats().values()
    binary = [each for each in formats if each.priority < TEXT_PRIORITY]
    for each in binary:
        if each.recognises(sample):
            return each
    for start, name in REFUSED_BINARIES.items():
        if sample.head.startswith(start):
            raise UnreadableError("unsupported", f"{name} is not read")
    return next(each for each in formats if each not in binary and each.recognises(sample))
