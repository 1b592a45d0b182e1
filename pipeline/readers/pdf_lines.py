"""The lines of a PDF page as PDFium finds them, in reading order, with where and how they are set."""

import ctypes
import math
import re
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium_c

BOLD = re.compile(r"bold|black|heavy|semi-?b|demi|medi(?!um)|\bCMBX|CMB\d|CMSSBX|SFBX|-BX", re.IGNORECASE)
CELL_GAP = 0.9  # of the font size: a wider gap parts cells, not words
FONT_NAME_BYTES = 128
LINE = re.compile("[^\r\n\ufffe]+\ufffe?")  # PDFium sets U+FFFE in place of a hyphen and of the line end after it
WORD = re.compile("[^ \t\u00a0\u2000-\u200a\u3000]+")
TEX_FONTS = str.maketrans(  # characters of fonts that do not say what theirs mean: the encodings OT1 and T1
    {0x0B: "ff", 0x0C: "fi", 0x0E: "ffi", 0x0F: "ffl", 0x10: "“", 0x11: "”", 0x12: "„", 0x15: "\u2013", 0x16: "\u2014"}
    | {0x1B: "ff", 0x1C: "fi", 0x1D: "fl", 0x1E: "ffi", 0x1F: "ffl"}
)
SPACING_ACCENT = re.compile("([¨\u00b4\u02c6\u02dc])([aeiouyncAEIOUYNC\u0131])")
COMBINING = {"¨": "\u0308", "\u00b4": "\u0301", "\u02c6": "\u0302", "\u02dc": "\u0303"}


@dataclass(frozen=True)
class Piece:
    """Words of a line that stand close together; all numbers are points, from the lower left corner of the page."""

    text: str
    left: float
    right: float


@dataclass(frozen=True)
class Line:
    """A line of a page."""

    pieces: tuple[Piece, ...]  # from left to right
    bottom: float  # its baseline
    size: float  # of the font, in points; 0 where nothing is known but the text
    bold: bool  # its first and last character: bold words that begin a paragraph make no heading
    first_word: float = 0.0  # its width

    @property
    def text(self) -> str:
        """Return the words of the line."""
        return " ".join(piece.text for piece in self.pieces)

    @property
    def left(self) -> float:
        """Return where the line begins."""
        return self.pieces[0].left

    @property
    def right(self) -> float:
        """Return where the line ends."""
        return self.pieces[-1].right


def plain_lines(text: str) -> list[Line]:
    """Return lines of which nothing is known but the text."""
    return [Line((Piece(line.strip(), 0, 0),), 0, 0, bold=False) for line in text.splitlines() if line.strip()]


def lines_of(textpage: Any) -> list[Line]:
    """Return the lines of a page; without places where PDFium's characters and its text do not agree in number."""
    text = textpage.get_text_range()
    if textpage.count_chars() != len(text):
        return plain_lines(text)
    return [line_of(textpage.raw, match[0], match.start()) for match in LINE.finditer(text) if match[0].strip()]


def line_of(raw: Any, text: str, start: int) -> Line:
    """Return the line whose characters begin at `start`."""
    words = [match.span() for match in WORD.finditer(text)]
    boxes = [(box(raw, start + first), box(raw, start + last - 1)) for first, last in words]
    longest = max(words, key=lambda word: word[1] - word[0])
    sample = start + longest[1] - 1  # an exponent or the number of a footnote would not do
    size = font_size(raw, sample)
    gap = CELL_GAP * max(size, 1.0)
    pieces: list[Piece] = []
    for (first, last), (left, right) in zip(words, boxes, strict=True):
        word = SPACING_ACCENT.sub(accented, text[first:last]).translate(TEX_FONTS)
        if pieces and left.left - pieces[-1].right < gap:
            pieces[-1] = Piece(f"{pieces[-1].text} {word}", pieces[-1].left, max(pieces[-1].right, right.right))
        else:
            pieces.append(Piece(word, left.left, right.right))
    return Line(
        tuple(pieces),
        baseline(raw, sample),
        size,
        bold=is_bold(raw, start + words[0][0]) and is_bold(raw, start + words[-1][1] - 1),
        first_word=boxes[0][1].right - boxes[0][0].left,
    )


def accented(match: re.Match[str]) -> str:
    """Return a letter with the accent that TeX set before it."""
    return match[2].replace("\u0131", "i") + COMBINING[match[1]]


def box(raw: Any, index: int) -> Any:
    """Return the box of a character, as high as its font."""
    rectangle = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(raw, index, rectangle)
    return rectangle


def baseline(raw: Any, index: int) -> float:
    """Return the height at which a character stands."""
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium_c.FPDFText_GetCharOrigin(raw, index, x, y)
    return float(y.value)


def font_size(raw: Any, index: int) -> float:
    """Return the size of a character as it is shown, in half points."""
    matrix = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFText_GetMatrix(raw, index, matrix)
    size: float = pdfium_c.FPDFText_GetFontSize(raw, index)
    return round(2 * size * math.hypot(matrix.c, matrix.d)) / 2


def is_bold(raw: Any, index: int) -> bool:
    """Say whether the font of a character calls itself bold."""
    name = ctypes.create_string_buffer(FONT_NAME_BYTES)
    pdfium_c.FPDFText_GetFontInfo(raw, index, name, FONT_NAME_BYTES, ctypes.c_int())
    return BOLD.search(name.value.decode("latin-1")) is not None
