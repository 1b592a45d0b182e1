"""Read the source of a paper as arXiv serves it: one LaTeX file, or a tar archive.

Nothing is unpacked to the disk. Names within the archive are only looked up among themselves, and only the text files
of LaTeX are looked at: figures and styles are passed over.
"""

import gzip
import io
import re
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from pipeline.readers.common.encodings import decode
from pipeline.readers.common.reading import ReadContext, Reading, UnreadableError
from pipeline.readers.latex import latex
from pipeline.readers.latex.source import is_latex

MAX_BYTES = 400_000_000  # of the archive once it is inflated: figures are most of it
MAX_TEXT_BYTES = 20_000_000  # of all LaTeX in it
MAX_MEMBERS = 10_000
SUFFIXES = (".tex", ".ltx", ".bbl")
INPUT = re.compile(
    r"(?<!\\)\\(?:input|include|subfile)[ \t]*\{([^{}\n]+)\}|(?<!\\)\\input[ \t]+([\w./-]+)"
    r"|(?<!\\)\\(?:sub)?import\*?[ \t]*\{([^{}\n]*)\}[ \t]*\{([^{}\n]+)\}"
)
BIBLIOGRAPHY = re.compile(r"(?<!\\)\\(?:bibliography[ \t]*\{[^{}]*\}|printbibliography(?:\[[^\]]*\])?)")
SUPPLEMENT = re.compile(r"supp|append|rebuttal|response|reply|cover|letter|poster|slides|diff", re.IGNORECASE)
TITLE = re.compile(r"\\(?:title|icmltitle|maketitle)\b")
ENTRY = re.compile(r"\\entry\{([^{}]*)\}(.*?)\\endentry", re.DOTALL)
NAME = re.compile(r"family=\{([^{}]*)\}(?:.*?given=\{([^{}]*)\})?", re.DOTALL)
FIELD = re.compile(r"\\field\{(title|journaltitle|booktitle|volume|year|note|eprint)\}\{([^{}]*)\}")
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
    main = choose_main(mains, files)
    return latex.read_source(inline_inputs(main, files), encoding)


def choose_main(mains: list[str], files: dict[str, str]) -> str:
    """Return the file that is the paper: no supplement by its name, with a title, outermost, longest with its parts."""
    length = {name: len(inline_inputs(name, dict(files))) for name in mains}

    def rank(name: str) -> tuple[bool, bool, int, int, str]:
        is_titled = TITLE.search(files[name]) is not None
        stem = PurePosixPath(name).stem
        return SUPPLEMENT.search(stem) is not None, not is_titled, name.count("/"), -length[name], name

    return min(mains, key=rank)


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
    encodings = sorted({each.encoding for each in decoded.values()})
    return {name: each.text for name, each in decoded.items()}, ", ".join(encodings)


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


def inline_inputs(name: str, files: dict[str, str], folders: tuple[str, ...] = ()) -> str:
    """Return a file with those that it includes in their places, each once: what is included is taken from `files`.

    Args:
        name: The file.
        files: All files, by name.
        folders: Of the files that include it, innermost first; none for the main file.
    """
    own = files.pop(name)
    listed = files.pop(f"{name.rsplit('.', 1)[0]}.bbl", "")
    listed = list_entries(listed) if "\\entry{" in listed else listed
    places = tuple(dict.fromkeys((str(PurePosixPath(name).parent), *folders, ".")))

    def included(match: re.Match[str]) -> str:
        target = str(PurePosixPath((match[3] or "").strip()) / (match[1] or match[2] or match[4]).strip())
        paths = [str(PurePosixPath(folder) / target) for folder in places]
        found = next((each for path in paths for each in (path, f"{path}.tex") if each in files), None)
        return inline_inputs(found, files, places) if found else match[0]

    text = INPUT.sub(included, latex.strip_comments(own))
    if BEGIN in text and folders:  # a subfile is a document of its own
        text = text.split(BEGIN, 1)[1].split("\\end{document}", 1)[0]
    return BIBLIOGRAPHY.sub(lambda match: listed or match[0], text)


def list_entries(source: str) -> str:
    """Return the bibliography that biblatex has sorted as a plain one."""
    items = []
    for key, body in ENTRY.findall(source):
        names = [" ".join(filter(None, (given, family))) for family, given in NAME.findall(body)]
        fields = dict(FIELD.findall(body))
        parts = [", ".join(names), *(fields[field] for field in fields if field != "year"), fields.get("year", "")]
        items.append(f"\\bibitem{{{key}}} {'. '.join(filter(None, parts))}.")
    return "\n".join(["\\begin{thebibliography}{9}", *items, "\\end{thebibliography}"])
