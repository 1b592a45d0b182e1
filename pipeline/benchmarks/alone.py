"""What each PDF engine reads by itself: the comparison for `hostile`.

Each file is read in a child with the sandbox's limits. Reads names of files, writes the number of characters of each.
"""

import os
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pypdf
import pypdfium2

from pipeline.processes import die_with_parent
from pipeline.readers.worker import Limits, apply_limits

COUNT = struct.Struct(">q")
LIMITS = Limits(20, 0, 0, 1_500_000_000, 0)
FAILED = -1


def with_pypdfium2(path: Path) -> int:
    """Count the characters that PDFium finds, pages that it cannot load left out."""
    document = pypdfium2.PdfDocument(path)
    count = 0
    for index in range(len(document)):
        with suppress(pypdfium2.PdfiumError):
            count += visible(document[index].get_textpage().get_text_bounded())
    return count


def with_pypdf(path: Path) -> int:
    """Count the characters that pypdf finds, pages that it cannot read left out; an empty password is tried."""
    reader = pypdf.PdfReader(path)
    if reader.is_encrypted:
        reader.decrypt("")
    count = 0
    for index in range(len(reader.pages)):
        with suppress(Exception):
            count += visible(reader.pages[index].extract_text())
    return count


def visible(text: str) -> int:
    """Count the characters that are neither spaces nor control characters."""
    return sum(letter.isprintable() and not letter.isspace() for letter in text)


ENGINES: dict[str, Callable[[Path], int]] = {"pypdfium2": with_pypdfium2, "pypdf": with_pypdf}


def count_in_child(engine: Callable[[Path], int], path: Path) -> int:
    """Return the number of characters of a file, `FAILED` if the engine raises or dies."""
    source, sink = os.pipe()
    parent = os.getpid()
    if (child := os.fork()) == 0:
        die_with_parent(parent)
        with suppress(BaseException):
            apply_limits(LIMITS)
            os.write(sink, COUNT.pack(engine(path)))
        os._exit(0)
    os.close(sink)
    answer = os.read(source, COUNT.size)
    os.close(source)
    os.waitpid(child, 0)
    return int(COUNT.unpack(answer)[0]) if len(answer) == COUNT.size else FAILED


def main() -> None:
    """Read the names on the standard input."""
    engine = ENGINES[sys.argv[1]]
    for line in sys.stdin:
        sys.stdout.write(f"{count_in_child(engine, Path(line.rstrip(chr(10))))}\n")


if __name__ == "__main__":
    main()
