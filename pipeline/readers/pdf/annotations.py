"""Read the values of form fields, and free text, from the annotations of a PDF page."""

import ctypes
from dataclasses import replace
from typing import Any

import pypdfium2.raw as pdfium_c

from pipeline.readers.pdf.lines import Line, Piece

MAX_ANNOTATIONS = 2_000  # of a page
MAX_VALUE_CHARS = 20_000
HIDDEN_FLAGS = 0x02 | 0x20  # hidden, not shown on a screen
CHECKED, EMPTY = "[x]", "[ ]"
BASELINE = 0.25  # of the height of a field, from its lower edge
MAX_SIZE = 10.0  # points, of a value whose font is not looked up


def annotation_lines(page: Any) -> list[Line]:
    """Return the values of the fields of a page and its notes in free text, as lines at their places."""
    lines = []
    for index in range(min(MAX_ANNOTATIONS, pdfium_c.FPDFPage_GetAnnotCount(page))):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            lines += read_annotation(annotation)
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)
    return lines


def read_annotation(annotation: Any) -> list[Line]:
    """Return the lines of an annotation: of a widget its value, of free text its contents."""
    kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
    if kind not in (pdfium_c.FPDF_ANNOT_WIDGET, pdfium_c.FPDF_ANNOT_FREETEXT):
        return []
    if pdfium_c.FPDFAnnot_GetFlags(annotation) & HIDDEN_FLAGS:
        return []
    text = string_value(annotation, b"Contents") if kind == pdfium_c.FPDF_ANNOT_FREETEXT else field_value(annotation)
    rectangle = pdfium_c.FS_RECTF()
    if not text or not pdfium_c.FPDFAnnot_GetRect(annotation, rectangle):
        return []
    rows = [row.strip() for row in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if row.strip()]
    height = (rectangle.top - rectangle.bottom) / max(1, len(rows))
    size = max(1.0, min(MAX_SIZE, height))
    return [
        Line(
            (Piece(row, rectangle.left, min(rectangle.right, rectangle.left + 0.5 * size * len(row))),),
            rectangle.top - (number + 1) * height + BASELINE * height,
            size,
            bold=False,
        )
        for number, row in enumerate(rows)
    ]


def field_value(annotation: Any) -> str:
    """Return the value of a form field: its text, or whether its box is checked; '' for a button."""
    state = string_value(annotation, b"AS")
    if state:
        return EMPTY if state == "Off" else CHECKED
    return string_value(annotation, b"V")


def string_value(annotation: Any, key: bytes) -> str:
    """Return a text or name in the dictionary of an annotation; '' if it has none."""
    length = pdfium_c.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if not 2 < length <= 2 * MAX_VALUE_CHARS:
        return ""
    buffer = (ctypes.c_ushort * (length // 2 + 1))()
    pdfium_c.FPDFAnnot_GetStringValue(annotation, key, buffer, length)
    return bytes(buffer)[: length - 2].decode("utf-16-le", "replace")


def insert_lines(lines: list[Line], values: list[Line]) -> list[Line]:
    """Return the lines of a page with values behind the last line that is above them or beside them to the left."""
    lines = list(lines)
    for value in values:
        before = [
            index
            for index, line in enumerate(lines)
            if line.size and not line.turned and (line.bottom > value.bottom + value.size / 2 or is_left(line, value))
        ]
        beside = [index for index in before if is_left(lines[index], value)]
        place = (beside[-1] if beside else before[-1] if before else -1) + 1
        if beside:
            label = lines[place - 1]
            joined = (*label.pieces, *value.pieces)
            lines[place - 1] = replace(label, pieces=joined)
        else:
            lines.insert(place, value)
    return lines


def is_left(line: Line, value: Line) -> bool:
    """Say whether a line is left of a value and at its height."""
    return abs(line.bottom - value.bottom) < 0.8 * max(line.size, value.size) and line.right <= value.left + 2
