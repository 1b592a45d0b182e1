"""Name glyphs that a PDF's font maps to control characters by what the page shows.

Such a glyph is often a minus: losing it turns -2.4 into 2.4. Each one beside a figure is drawn and measured: a flat bar
at half height is a minus, nothing at all is a space, and any other becomes U+FFFD, so that it can be counted. Controls
among letters are left to the encodings of TeX's fonts, unless a line is full of them.
"""

import re
from typing import Any

from pipeline.readers.pdf.chars import Chars

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
LINE = re.compile("[^\r\n]+")
MAX_CONTROLS = 0.25  # of the characters of a line: with more of them none is a ligature
MAX_DRAWN = 500  # glyphs of a page that are looked up in its picture
SCALE = 4.0  # pixels a point
MAX_SIDE = 3_000  # points: no picture is made of a larger page
DARK = 128  # of 255: a darker pixel is ink
FLAT, WIDE = 0.22, 0.4  # of the font's height and of the glyph's width: a bar is no higher, and no narrower
LOWEST, HIGHEST = 0.2, 0.75  # of the height from above, between which a bar is a minus
MINUS, UNKNOWN = "\u2212", "\ufffd"


def name_control_glyphs(text: str, page: Any, chars: Chars) -> str:
    """Return the text of a page, as long as before, with controls that are glyphs as minus, space or U+FFFD."""
    glyphs = list(find_glyphs(text))
    if not glyphs:
        return text
    width, height = page.get_size()
    picture = page.render(scale=SCALE, grayscale=True).to_numpy() if max(width, height) < MAX_SIDE else None
    named = list(text)
    for count, index in enumerate(glyphs):
        is_drawn = picture is not None and count < MAX_DRAWN
        named[index] = name_glyph(picture, chars.box(index), height) if is_drawn else UNKNOWN
    return "".join(named)


def find_glyphs(text: str) -> list[int]:
    """Return the places of controls that are no ligature or dash of TeX's fonts: beside figures, or very many."""
    found = []
    for line in LINE.finditer(text):
        places = [line.start() + match.start() for match in CONTROL.finditer(line[0])]
        if not places:
            continue
        num_shown = sum(not char.isspace() for char in line[0])
        if len(places) > MAX_CONTROLS * num_shown and num_shown > 1:
            found += places
        else:
            found += [place for place in places if is_sign(text, place)]
    return found


def is_sign(text: str, place: int) -> bool:
    """Say whether a control may be the sign of a figure: right before a digit, and not within a word or a range."""
    before, after = text[place - 1 : place], text[place + 1 : place + 3]
    is_figure = after[:1].isdigit() or (after[:1] in (".", "$", "£", "€") and after[1:].isdigit())
    return is_figure and (before.isspace() or before in ("", "(", "["))


def name_glyph(picture: Any, box: tuple[float, float, float, float], page_height: float) -> str:
    """Return what a glyph is by its ink: a minus, a space, or unknown."""
    left, top, right, bottom = (round(SCALE * number) for number in box)
    height = round(SCALE * page_height)
    region = picture[max(0, height - top) : max(0, height - bottom), max(0, left) : max(0, right)]
    ink = region.reshape(region.shape[0], -1) < DARK if region.size else region
    if not region.size or not ink.any():
        return " " if region.size else UNKNOWN
    rows, columns = ink.any(axis=1).nonzero()[0], ink.any(axis=0).nonzero()[0]
    is_flat = rows[-1] - rows[0] + 1 <= FLAT * ink.shape[0]
    is_wide = columns[-1] - columns[0] + 1 >= WIDE * ink.shape[1]
    middle = (rows[0] + rows[-1]) / 2 / ink.shape[0]
    return MINUS if is_flat and is_wide and LOWEST <= middle <= HIGHEST else UNKNOWN
