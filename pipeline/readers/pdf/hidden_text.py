"""Find the invisible words of a PDF page: instructions in them must not reach a teacher.

Five ways to hide are known: drawn invisibly (render modes 3 and 7, no opacity), white on nothing, smaller than a point
and a half, off the page, and on a layer that is switched off. Text under a picture, and text in the colour of the shape
behind it, is not found. The invisible layer that OCR lays over a scan is the only text of its page, and stays.
"""

import ctypes
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2.raw as pdfium_c

from pipeline.readers.pdf.chars import Box, Chars
from pipeline.readers.pdf.layers import Layers

INVISIBLE_MODES = (3, 7)  # 7 only adds to the clipping path
FILL_MODES = (0, 4)
MIN_POINTS = 1.5
WHITE = 250  # of 255, in each of red, green and blue
NEARLY_WHITE = WHITE << 24  # the least number of a colour that can be white
MAX_OBJECTS = 5_000  # looked through for what lies behind white words
MAX_DEPTH = 3  # of forms within forms
LAYER = "words of an invisible layer over a scan, kept"


@dataclass
class Page:
    """An open page: what is needed to judge its words, looked up when it is."""

    raw: Any  # FPDF_PAGE
    layers: Layers | None = None
    _box: Box | None = None
    _backgrounds: list[Box] | None = None
    images: list[Box] = field(default_factory=list)

    @property
    def box(self) -> Box:
        """Return what of the page is shown."""
        if self._box is None:
            rectangle = pdfium_c.FS_RECTF()
            pdfium_c.FPDF_GetPageBoundingBox(self.raw, rectangle)
            self._box = (rectangle.left, rectangle.top, rectangle.right, rectangle.bottom)
        return self._box

    @property
    def backgrounds(self) -> list[Box]:
        """Return the shapes on which white words can be read; the images among them are also in `images`."""
        if self._backgrounds is None:
            self._backgrounds = []
            for drawn in page_objects(self.raw):
                if is_coloured(drawn):
                    self._backgrounds.append(bounds(drawn))
                if holds_image(drawn):
                    self.images.append(bounds(drawn))
        return self._backgrounds


def page_objects(page: Any) -> Iterator[Any]:
    """Yield what a page draws."""
    for index in range(min(MAX_OBJECTS, pdfium_c.FPDFPage_CountObjects(page))):
        yield pdfium_c.FPDFPage_GetObject(page, index)


def form_objects(form: Any) -> Iterator[Any]:
    """Yield what a form draws."""
    for index in range(min(MAX_OBJECTS, pdfium_c.FPDFFormObj_CountObjects(form))):
        yield pdfium_c.FPDFFormObj_GetObject(form, index)


def bounds(drawn: Any) -> Box:
    """Return the box of an object."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium_c.FPDFPageObj_GetBounds(drawn, left, bottom, right, top)
    return left.value, top.value, right.value, bottom.value


def is_coloured(drawn: Any, depth: int = 0) -> bool:
    """Say whether an object is a shape that is filled, and not with white."""
    kind = pdfium_c.FPDFPageObj_GetType(drawn)
    if kind in (pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_SHADING):
        return True
    if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
        return depth < MAX_DEPTH and any(is_coloured(inner, depth + 1) for inner in form_objects(drawn))
    mode, stroke = ctypes.c_int(), ctypes.c_int()
    if kind != pdfium_c.FPDF_PAGEOBJ_PATH or not pdfium_c.FPDFPath_GetDrawMode(drawn, mode, stroke) or not mode.value:
        return False
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium_c.FPDFPageObj_GetFillColor(drawn, red, green, blue, alpha):
        return True
    return alpha.value > 0 and min(red.value, green.value, blue.value) < WHITE


def holds_image(drawn: Any, depth: int = 0) -> bool:
    """Say whether an object is an image, or a form with one."""
    kind = pdfium_c.FPDFPageObj_GetType(drawn)
    if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
        return depth < MAX_DEPTH and any(holds_image(inner, depth + 1) for inner in form_objects(drawn))
    return bool(kind == pdfium_c.FPDF_PAGEOBJ_IMAGE)


def within(box: Box, outer: Box) -> bool:
    """Say whether the middle of a box lies within another."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return outer[0] <= x <= outer[2] and outer[3] <= y <= outer[1]


def is_white(colour: int) -> bool:
    """Say whether a colour, four bytes from red to alpha, is white or nearly so."""
    return min(colour >> 24, colour >> 16 & 255, colour >> 8 & 255) >= WHITE


def find_hidden_words(
    page: Page, chars: Chars, firsts: list[int], boxes: list[Box]
) -> tuple[dict[int, str], Counter[str]]:
    """Return which words are to be left out.

    Args:
        page: The page.
        chars: Its characters.
        firsts: The index of the first character of each word.
        boxes: The box of each word.

    Returns:
        The number of each word -> how it is hidden, and counts for the warnings.
    """
    page_left, page_top, page_right, page_bottom = page.box
    found: dict[int, str] = {}
    for number, (box, (mode, colour, marked)) in enumerate(zip(boxes, chars.ink(firsts), strict=True)):
        left, top, right, bottom = box
        if mode in INVISIBLE_MODES or (mode in FILL_MODES and colour >= 0 and not colour & 255):
            found[number] = "invisible"
        elif marked and page.layers and page.layers.is_off(marked):
            found[number] = "layer that is off"
        elif right <= page_left or left >= page_right or top <= page_bottom or bottom >= page_top:
            found[number] = "off the page"
        elif colour >= NEARLY_WHITE and mode in FILL_MODES and is_white(colour) and not on_background(page, box):
            found[number] = "white"
        elif -MIN_POINTS < top - bottom < MIN_POINTS and chars.style(firsts[number]).size < MIN_POINTS:
            found[number] = "tiny"
    return keep_ocr_layer(page, boxes, found)


def on_background(page: Page, box: Box) -> bool:
    """Say whether a word has something behind it that is not white."""
    return any(within(box, background) for background in page.backgrounds)


def keep_ocr_layer(page: Page, boxes: list[Box], found: dict[int, str]) -> tuple[dict[int, str], Counter[str]]:
    """Take from the hidden words those of an OCR layer: invisible, over an image, and most of what the page says."""
    layer = [n for n, how in found.items() if how == "invisible"]
    if 2 * len(layer) > len(boxes) and page.backgrounds:
        layer = [n for n in layer if any(within(boxes[n], image) for image in page.images)]
        if 2 * len(layer) > len(boxes):
            found = {n: how for n, how in found.items() if n not in set(layer)}
            return found, Counter(found.values()) + Counter({LAYER: len(layer)})
    return found, Counter(found.values())
