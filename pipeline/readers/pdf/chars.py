"""Ask PDFium about the characters of a page.

A call through ctypes costs a quarter of a microsecond if it makes no object, and four times as much if it does. So the
functions are bound to plain addresses, answers go into one buffer a page, and styles are asked for once a line.
"""

import ctypes
import math
import re
from array import array
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium_c

BOLD = re.compile(r"bold|black|heavy|semi-?b|demi|medi(?!um)|\bCMBX|CMB\d|CMSSBX|SFBX|-BX", re.IGNORECASE)
FONT_NAME_BYTES = 128
FLOAT_BYTES = 4
MIN_PRINTABLE = 0x20
Box = tuple[float, float, float, float]  # left, top, right, bottom: points from the lower left corner of the page


def bind(function: Any, result: Any, *arguments: Any) -> Any:
    """Return a function of PDFium that takes addresses as plain numbers."""
    return ctypes.PYFUNCTYPE(result, *arguments)(ctypes.cast(function, ctypes.c_void_p).value or 0)


ADDRESS, INT = ctypes.c_void_p, ctypes.c_int
loose_box = bind(pdfium_c.FPDFText_GetLooseCharBox, INT, ADDRESS, INT, ADDRESS)
char_origin = bind(pdfium_c.FPDFText_GetCharOrigin, INT, ADDRESS, INT, ADDRESS, ADDRESS)
char_matrix = bind(pdfium_c.FPDFText_GetMatrix, INT, ADDRESS, INT, ADDRESS)
char_font_size = bind(pdfium_c.FPDFText_GetFontSize, ctypes.c_double, ADDRESS, INT)
fill_colour = bind(pdfium_c.FPDFText_GetFillColor, INT, ADDRESS, INT, ADDRESS, ADDRESS, ADDRESS, ADDRESS)
text_object = bind(pdfium_c.FPDFText_GetTextObject, ADDRESS, ADDRESS, INT)
render_mode = bind(pdfium_c.FPDFTextObj_GetTextRenderMode, INT, ADDRESS)
object_font = bind(pdfium_c.FPDFTextObj_GetFont, ADDRESS, ADDRESS)
count_marks = bind(pdfium_c.FPDFPageObj_CountMarks, INT, ADDRESS)
font_name = bind(pdfium_c.FPDFFont_GetBaseFontName, ctypes.c_size_t, ADDRESS, ADDRESS, ctypes.c_size_t)


@dataclass(frozen=True)
class Style:
    """How a character is set."""

    size: float  # of its font as it is shown, in half points
    turn: int  # quarter turns to the left: 0 for a line that runs to the right, 1 for one that runs up
    x: float  # its origin
    y: float


@dataclass
class Chars:
    """The characters of a text page, by their index in its text; valid while the page is open."""

    textpage: int  # its address
    places: list[int] | None = None  # index in the text -> PDFium's index, where these differ
    bold_fonts: dict[int, bool] = field(default_factory=dict)

    def place(self, index: int) -> int:
        """Return PDFium's index of a character of the text."""
        return index if self.places is None else self.places[index]

    def boxes(self, indices: list[int]) -> list[float]:
        """Return the boxes of characters, as high as their fonts: four numbers each, as in `Box`."""
        numbers = array("f", bytes(4 * FLOAT_BYTES * len(indices)))
        address, textpage = numbers.buffer_info()[0], self.textpage
        for index in indices if self.places is None else map(self.place, indices):
            loose_box(textpage, index, address)
            address += 4 * FLOAT_BYTES
        return numbers.tolist()

    def box(self, index: int) -> Box:
        """Return the box of one character."""
        left, top, right, bottom = self.boxes([index])
        return left, top, right, bottom

    def style(self, index: int) -> Style:
        """Return how a character is set."""
        place = self.place(index)
        matrix, origin = array("f", bytes(6 * FLOAT_BYTES)), array("d", bytes(16))
        char_matrix(self.textpage, place, matrix.buffer_info()[0])
        address = origin.buffer_info()[0]
        char_origin(self.textpage, place, address, address + 8)
        a, b, c, d, _, _ = matrix
        size = char_font_size(self.textpage, place) * math.hypot(c, d)
        turn = 0 if b == 0 and a > 0 else round(math.atan2(b, a) / (math.pi / 2)) % 4
        return Style(round(2 * size) / 2 if size < 1_000 else 0.0, turn, *origin)

    def is_bold(self, index: int) -> bool:
        """Say whether the font of a character calls itself bold."""
        found = text_object(self.textpage, self.place(index))
        font = object_font(found) if found else None
        if not font:
            return False
        if font not in self.bold_fonts:
            name = ctypes.create_string_buffer(FONT_NAME_BYTES)
            font_name(font, ctypes.addressof(name), FONT_NAME_BYTES)
            self.bold_fonts[font] = BOLD.search(name.value.decode("latin-1")) is not None
        return self.bold_fonts[font]

    def ink(self, indices: list[int]) -> list[tuple[int, int, int]]:
        """Return the render mode and the fill colour (red, green, blue, alpha as bytes) of characters.

        Characters that no object draws, and colours that cannot be told, come as -1. Third is the address of the object
        that draws a character, if its content is marked in any way, else 0.
        """
        textpage = self.textpage
        numbers = (ctypes.c_uint * 4)()
        red = ctypes.addressof(numbers)
        green, blue, alpha = red + 4, red + 8, red + 12
        found = []
        before = marked = None
        for index in indices if self.places is None else map(self.place, indices):
            drawn = text_object(textpage, index)
            if drawn != before:
                before, marked = drawn, drawn if drawn and count_marks(drawn) > 0 else 0
            told = drawn and fill_colour(textpage, index, red, green, blue, alpha)
            colour = numbers[0] << 24 | numbers[1] << 16 | numbers[2] << 8 | numbers[3] if told else -1
            found.append((render_mode(drawn) if drawn else -1, colour, marked or 0))
        return found


def page_text(textpage: Any) -> str:
    """Return the text of a page as PDFium has it."""
    num_chars = pdfium_c.FPDFText_CountChars(textpage.raw)
    if num_chars <= 0:
        return ""
    buffer = (ctypes.c_ushort * (num_chars + 1))()
    length = pdfium_c.FPDFText_GetText(textpage.raw, 0, num_chars, buffer)
    return bytes(buffer)[: 2 * max(0, length - 1)].decode("utf-16-le", "surrogatepass")


def page_chars(textpage: Any) -> tuple[str, Chars | None]:
    """Return the text of a page and its characters; None where PDFium's text and characters cannot be matched."""
    text = page_text(textpage)
    address = ctypes.cast(textpage.raw, ctypes.c_void_p).value or 0
    if len(text) == pdfium_c.FPDFText_CountChars(textpage.raw):
        return text, Chars(address)
    places = [pdfium_c.FPDFText_GetCharIndexFromTextIndex(textpage.raw, index) for index in range(len(text))]
    if not text or min(places) < 0 or pdfium_c.FPDFText_GetUnicode(textpage.raw, places[-1]) != ord(text[-1]):
        return text, None
    text, places = insert_controls(text, places, textpage.raw)
    return text, Chars(address, places)


def insert_controls(text: str, places: list[int], textpage: Any) -> tuple[str, list[int]]:
    """Return a text, and PDFium's index of each character, with the glyphs that PDFium leaves out as controls."""
    known = set(places)
    missing = [
        index
        for index in range(pdfium_c.FPDFText_CountChars(textpage))
        if index not in known
        and pdfium_c.FPDFText_GetUnicode(textpage, index) < MIN_PRINTABLE
        and pdfium_c.FPDFText_IsGenerated(textpage, index) == 0
    ]
    if not missing or places != sorted(places):
        return text, places
    control = {index: chr(pdfium_c.FPDFText_GetUnicode(textpage, index)) for index in missing}
    shown = dict(zip(places, text, strict=True)) | {index: c for index, c in control.items() if c not in "\t\n\r"}
    return "".join(shown[index] for index in sorted(shown)), sorted(shown)
