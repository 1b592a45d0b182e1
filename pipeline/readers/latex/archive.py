"""Read the source of a paper as arXiv gives it: one LaTeX file under gzip, or several in a tar archive under gzip.

Nothing is unpacked to the disk. Names within the archive are only looked up among themselves, and only the text files
of LaTeX are looked at: figures and styles are passed over.
"""

import gzip
import io
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.common.text import decode
from pipeline.readers.latex import latex
from pipeline.readers.latex.source import is_latex

MAX_BYTES = 400_000_000  # of the archive once it is inflated: figures are most of it
MAX_TEXT_BYTES = 20_000_000  # of all LaTeX in it
MAX_MEMBERS = 10_000
SUFFIXES = (".tex", ".ltx", ".bbl")
INPUT = re.compile(r"(?<!\\)\\(?:input|include|subfile)[ \t]*\{([^{}\n]+)\}|(?<!\\)\\input[ \t]+([\w./-]+)")
BIBLIOGRAPHY = re.compile(r"(?<!\\)\\bibliography[ \t]*\{[^{}]*\}")
BEGIN = "\\begin{document}"


def read(path: Path, context: ReadContext) -> Reading:
    """Read an archive.

    Raises:
        UnreadableError: It is broken, too large, or holds no LaTeX document.
    """
    del context  # its pages are not made yet
    files, encoding = decode_members(inflate(path))
    mains = [name for name, text in files.items() if BEGIN in text and is_latex(latex.strip_comments(text))]
    if not mains:
        raise UnreadableError("unsupported", "a gzip archive is not read, unless it holds a LaTeX document")
    main = min(mains, key=lambda name: (name.count("/"), -len(files[name]), name))
    return latex.read_source(inline_inputs(main, files), encoding)


def inflate(path: Path) -> bytes:
    """Return what is compressed.

    Raises:
        UnreadableError: It is broken or too large.
    """
    try:
        with gzip.open(path) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableError("broken", "a gzip archive that ends early or is damaged") from error
    if len(data) > MAX_BYTES:
        raise UnreadableError("too large", f"more than {MAX_BYTES} bytes under gzip")
    return data


def decode_members(data: bytes) -> tuple[dict[str, str], str]:
    """Return the LaTeX files of an archive by their names, and the encoding of the last.

    Raises:
        UnreadableError: They are too large, or the archive is broken.
    """
    members = read_tar(data) if is_tar(data) else {"main.tex": data}
    if sum(map(len, members.values())) > MAX_TEXT_BYTES:
        raise UnreadableError("too large", f"more than {MAX_TEXT_BYTES} bytes of LaTeX")
    decoded = {name: decode(body) for name, body in sorted(members.items()) if body}
    encodings = sorted({encoding for _, encoding in decoded.values()})
    return {name: text for name, (text, _) in decoded.items()}, ", ".join(encodings)


def is_tar(data: bytes) -> bool:
    """Say whether bytes are a tar archive."""
    return data[257:262] == b"ustar" or tarfile.is_tarfile(io.BytesIO(data))


def read_tar(data: bytes) -> dict[str, bytes]:
    """Return the LaTeX files of a tar archive; links and devices are none.

    Raises:
        UnreadableError: It is broken, or has too many members.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for number, member in enumerate(archive):
                if number >= MAX_MEMBERS:
                    raise UnreadableError("too large", f"more than {MAX_MEMBERS} files")
                if member.isreg() and member.name.lower().endswith(SUFFIXES) and member.size <= MAX_TEXT_BYTES:
                    file = archive.extractfile(member)
                    found[str(PurePosixPath(member.name))] = file.read() if file else b""
    except (tarfile.TarError, ValueError, OverflowError) as error:
        raise UnreadableError("broken", "a tar archive that is damaged") from error
    return found


def inline_inputs(name: str, files: dict[str, str]) -> str:
    """Return a file with those that it includes in their places, each once: what is included is taken from `files`."""
    own = files.pop(name)
    listed = files.pop(f"{name.rsplit('.', 1)[0]}.bbl", "")

    def included(match: re.Match[str]) -> str:
        target = str(PurePosixPath((match[1] or match[2]).strip()))
        found = next((each for each in (target, f"{target}.tex") if each in files), None)
        return inline_inputs(found, files) if found else match[0]

    text = INPUT.sub(included, latex.strip_comments(own))
    return BIBLIOGRAPHY.sub(lambda match: listed or match[0], text)
