"""The lines of a PDF page as PDFium finds them, with their places and fonts.

Hidden text is left out and counted; a number raised above its line, as the mark of a footnote is, comes
between the two signs of `RAISED`; a line that runs up or down the page comes after the others, marked as turned.
"""

import ctypes
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Any, NamedTuple

from pipeline.readers.pdf.chars import Box, Chars, Style, page_chars
from pipeline.readers.pdf.control_glyphs import CONTROL, name_control_glyphs
from pipeline.readers.pdf.hidden_text import Page, find_hidden_words
from pipeline.readers.pdf.layers import Layers
from pipeline.readers.pdf.rules import Rule, attach_rules, count_objects, find_rules, has_stacked_headers
from pipeline.readers.pdf.slanted import CELL_WIDTH, Word, split_slanted
from pipeline.readers.pdf.struck_out import MAX_OBJECTS, STRUCK, find_struck_words, mark_struck

CELL_GAP = 0.9  # of the font size: a wider gap separates cells, not words
LINE = re.compile("[^\r\n\ufffe]+\ufffe?")  # PDFium sets U+FFFE in place of a hyphen and of the line end after it
WORD = re.compile("[^ \t\u00a0\u2000-\u200a\u3000]+")
MIN_PITCH_CHARS = 2  # of a word by which the width of a character is measured
SAME_PITCH = 0.01  # of it
SMALLER = 0.9  # than those of its line, a raised character is
RAISED = "\ufff9\ufffb"  # characters that no text keeps
MARKS = "*∗†‡§¶"
MAX_WORD = 60  # characters: longer runs without a space are no words
MAX_RAISED = 4  # characters: what is longer is small print, not a mark or an exponent
RAISED_TEXT = re.compile(rf"[-+\u2212\u2013]?\d{{1,4}}|\d?[-+\u2212]|[{MARKS}]{{1,3}}")
TEX_FONTS = str.maketrans(  # characters of fonts that do not say what theirs mean: the encodings OT1 and T1
    {
        0x88: "•",
        0x0B: "ff",
        0x0C: "fi",
        0x0E: "ffi",
        0x0F: "ffl",
        0x10: "“",
        0x11: "”",
        0x12: "„",
        0x15: "\u2013",
        0x16: "\u2014",
    }
    | {0x1B: "ff", 0x1C: "fi", 0x1D: "fl", 0x1E: "ffi", 0x1F: "ffl"}
)
TEX_CHARS = re.compile("[\x88\x0b-\x1f¨\u00b4\u02c6\u02dc]")
SPACING_ACCENT = re.compile("([¨\u00b4\u02c6\u02dc])([aeiouyncAEIOUYNC\u0131])")
COMBINING = {"¨": "\u0308", "\u00b4": "\u0301", "\u02c6": "\u0302", "\u02dc": "\u0303"}


@dataclass(frozen=True)
class Piece:
    """Words of a line that are close together; all numbers are points, from the lower left corner of the page."""

    text: str
    left: float
    right: float
    rule: Rule | None = None  # the next one below, where it was looked for


@dataclass(frozen=True)
class Line:
    """A line of a page."""

    pieces: tuple[Piece, ...]  # from left to right
    bottom: float  # its baseline
    size: float  # of the font, in points; 0 where nothing is known but the text
    bold: bool  # its first and last character: bold words that begin a paragraph make no heading
    first_word: float = 0.0  # its width
    turned: bool = False  # it runs in another direction than most of the page
    pitch: float = 0.0  # width of a character, where all have the same
    fixed: bool = False  # it belongs to a listing
    rise: float = 0.0  # points that it climbs, where it is set aslant

    @cached_property
    def text(self) -> str:
        """Return the words of the line."""
        return " ".join(piece.text for piece in self.pieces)

    @cached_property
    def left(self) -> float:
        """Return where the line begins."""
        return self.pieces[0].left

    @cached_property
    def right(self) -> float:
        """Return where the line ends."""
        return self.pieces[-1].right


class Frame(NamedTuple):
    """How a page is viewed: turned to the right so often, from its lower left corner."""

    turn: int
    left: float
    bottom: float


def plain_lines(text: str) -> list[Line]:
    """Return lines of which nothing is known but the text."""
    return [Line((Piece(line.strip(), 0, 0),), 0, 0, bold=False) for line in text.splitlines() if line.strip()]


def extract_lines(page: Any, textpage: Any, layers: Layers | None = None) -> tuple[list[Line], Counter[str]]:
    """Return the lines of an open page of PDFium and counts of its hidden words."""
    text, chars = page_chars(textpage)
    if chars is None:
        return plain_lines(text), Counter()
    if CONTROL.search(text):
        text = name_control_glyphs(text, page, chars)
    shown = Page(page.raw, layers)
    found, hidden = visible_words(text, shown, chars)
    struck = find_struck(page, found)
    hidden += Counter({STRUCK: len(struck)})
    words = [part for line in found for part in split_slanted(line)]
    styles = [chars.style(typical_char(line)) for line in words]
    turns: Counter[int] = Counter()
    for line, style in zip(words, styles, strict=True):
        turns[style.turn] += line[-1].end - line[0].start
    turn = max(turns, key=lambda key: (turns[key], -key), default=0)
    left, _, _, bottom = rotate_box(shown.box, turn)
    frame = Frame(turn, left, bottom)
    lines = [make_line(text, chars, line, style, frame, struck) for line, style in zip(words, styles, strict=True)]
    if has_stacked_headers(lines):
        lines = attach_rules(lines, find_rules(page.raw, lambda box: to_frame(box, frame)))
    if turn:
        lines.sort(key=lambda line: -line.bottom)  # PDFium's order of lines that do not run to the right is not theirs
    return sorted(lines, key=lambda line: line.turned), hidden


def visible_words(text: str, page: Page, chars: Chars) -> tuple[list[list[Word]], Counter[str]]:
    """Return the visible words of each line, and counts of the others."""
    spans = [[word.span() for word in WORD.finditer(text, *line.span())] for line in LINE.finditer(text)]
    flat = [span for line in spans for span in line]
    numbers = chars.boxes([index for start, end in flat for index in (start, end - 1)])
    boxes = list(zip(*[iter(numbers)] * 4, strict=True))
    outer = list(map(enclosing_box, boxes[::2], boxes[1::2]))
    hidden, counts = find_hidden_words(page, chars, [start for start, _ in flat], outer)
    visible, number = [], 0
    for line in spans:
        places = [n for n in range(number, number + len(line)) if n not in hidden]
        number += len(line)
        if places:
            visible.append([Word(*flat[n], boxes[2 * n], boxes[2 * n + 1]) for n in places])
    return visible, counts


def find_struck(page: Any, lines: list[list[Word]]) -> frozenset[int]:
    """Return the places in the text of a page at which words begin that are struck out."""
    if count_objects(ctypes.cast(page.raw, ctypes.c_void_p).value or 0) > MAX_OBJECTS:
        return frozenset()
    rules = find_rules(page.raw, lambda box: box)
    if not rules:
        return frozenset()
    words = [word for line in lines for word in line]
    struck = find_struck_words([enclosing_box(word.first, word.last) for word in words], rules)
    return frozenset(words[number].start for number in struck)


def enclosing_box(first: Box, last: Box) -> Box:
    """Return the box around those of the first and the last character of a word, whichever way it runs."""
    left, top, right, bottom = first
    other_left, other_top, other_right, other_bottom = last
    return (
        left if left < other_left else other_left,
        top if top > other_top else other_top,
        right if right > other_right else other_right,
        bottom if bottom < other_bottom else other_bottom,
    )


def typical_char(line: list[Word]) -> int:
    """Return a character that is set like most of its line: at either end of a word there may be the mark of a note."""
    longest = max(line, key=lambda word: word.end - word.start)
    return (longest.start + longest.end) // 2


def upright(words: list[Word], frame: Frame) -> list[Word]:
    """Return words from left to right, with their places in a frame."""
    if frame == (0, 0, 0):
        return words
    moved = [Word(start, end, to_frame(first, frame), to_frame(last, frame)) for start, end, first, last in words]
    return sorted(moved, key=lambda word: word.first[0]) if frame.turn else moved


def to_frame(box: Box, frame: Frame) -> Box:
    """Return the place of a box in a frame."""
    left, top, right, bottom = rotate_box(box, frame.turn)
    return left - frame.left, top - frame.bottom, right - frame.left, bottom - frame.bottom


def rotate_box(box: Box, turn: int) -> Box:
    """Return a box after so many quarter turns to the right."""
    left, top, right, bottom = box
    for _ in range(turn):
        left, top, right, bottom = bottom, -left, top, -right
    return left, top, right, bottom


def make_line(
    text: str, chars: Chars, words: list[Word], style: Style, frame: Frame, struck: frozenset[int] = frozenset()
) -> Line:
    """Return the line that some words make in a frame; `struck` are the places of words that are struck out."""
    if style.turn != frame.turn:
        whole = " ".join(text[word.start : word.end] for word in words)
        left, _, right, bottom = words[0].first
        return Line((Piece(whole, left, right),), bottom, 0, bold=False, turned=True)
    words = upright(words, frame)
    if words[0].rise:
        left, _, _, bottom = words[0].first
        whole = " ".join(text[word.start : word.end] for word in words)
        piece = Piece(whole, left, left + CELL_WIDTH * style.size)
        return Line((piece,), bottom, style.size, bold=False, rise=words[-1].last[3] - bottom)
    texts = mark_raised_words(text, chars, words, style, frame)
    if struck:
        texts = mark_struck(texts, [word.start for word in words], struck)
    return Line(
        tuple(split_pieces(texts, words, CELL_GAP * max(style.size, 1.0))),
        to_frame((style.x, style.y, style.x, style.y), frame)[3],
        style.size,
        bold=chars.is_bold(words[0].start) and chars.is_bold(words[-1].end - 1),
        first_word=words[0].last[2] - words[0].first[0],
        pitch=measure_pitch(words),
    )


def measure_pitch(words: list[Word]) -> float:
    """Return the width of a character if the characters of all words are equally wide, else 0."""
    pitch = 0.0
    for start, end, first, last in words:
        if end - start >= MIN_PITCH_CHARS:
            width = (last[2] - first[0]) / (end - start)
            if pitch and abs(width - pitch) > SAME_PITCH * pitch:
                return 0.0
            pitch = pitch or width
    return pitch


def split_pieces(texts: list[str], words: list[Word], gap: float) -> Iterator[Piece]:
    """Yield the pieces of a line: it is split at gaps wider than a space."""
    begun, left, right = 0, words[0].first[0], words[0].last[2]
    for number in range(1, len(words)):
        start, end = words[number].first[0], words[number].last[2]
        if start - right < gap:
            right = max(right, end)
        else:
            yield Piece(decode_tex_font(" ".join(texts[begun:number])), left, right)
            begun, left, right = number, start, end
    yield Piece(decode_tex_font(" ".join(texts[begun:])), left, right)


def decode_tex_font(text: str) -> str:
    """Return a text without the characters of TeX's fonts that others take for controls."""
    return SPACING_ACCENT.sub(combine_accent, text).translate(TEX_FONTS) if TEX_CHARS.search(text) else text


def mark_raised_words(text: str, chars: Chars, words: list[Word], style: Style, frame: Frame) -> list[str]:
    """Return words as they are to be read, raised characters between the signs of `RAISED`."""
    texts = [text[word.start : word.end] for word in words]
    level = to_frame(chars.box(typical_char(words)), frame)
    height = SMALLER * (level[1] - level[3])
    gap = 3 * CELL_GAP * max(style.size, 1.0)
    for number, word in enumerate(words):
        first, last = word.first, word.last
        if last[1] - last[3] < height or first[1] - first[3] < height:
            is_apart = number > 0 and first[0] - words[number - 1].last[2] > gap  # a cell of its own
            texts[number] = mark_raised(texts[number], word, chars, level, style, frame, is_apart=is_apart)
    return texts


def mark_raised(whole: str, word: Word, chars: Chars, level: Box, style: Style, frame: Frame, *, is_apart: bool) -> str:
    """Return a word with its raised characters between the signs of `RAISED`; all of them raised is smaller print."""
    if len(whole) > MAX_WORD:
        return whole
    raised = [is_raised(to_frame(chars.box(index), frame), level, style.size) for index in range(word.start, word.end)]
    if all(raised) and ((is_apart and len(whole) > 1) or len(whole) > MAX_RAISED):  # one character alone is a mark
        return whole
    parts = []
    for is_high, group in groupby(range(len(whole)), key=raised.__getitem__):
        text = "".join(whole[index] for index in group)
        parts.append(f"{RAISED[0]}{text}{RAISED[1]}" if is_high and RAISED_TEXT.fullmatch(text) else text)
    return "".join(parts)


def is_raised(box: Box, level: Box, size: float) -> bool:
    """Say whether a character is smaller than those of its line and higher."""
    return box[1] - box[3] < SMALLER * (level[1] - level[3]) and box[3] - level[3] > 0.12 * size


def combine_accent(match: re.Match[str]) -> str:
    """Return a letter with the accent that TeX set before it."""
    return match[2].replace("\u0131", "i") + COMBINING[match[1]]
