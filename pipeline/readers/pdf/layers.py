"""Layers of a PDF (optional content) that are switched off when the file is opened."""

import ctypes
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import pypdf
import pypdfium2.raw as pdfium_c

NAME_BYTES = 512
MARK = "OC"  # of content that belongs to a layer


def find_hidden_layers(reader: pypdf.PdfReader) -> frozenset[str]:
    """Return the names of the layers that are off at first.

    Source  ISO 32000-1, 8.11.4.3: `/BaseState` says what all layers are, `/OFF` and `/ON` name the exceptions
    """
    properties = resolve(reader.root_object.get("/OCProperties")) or {}
    default = resolve(properties.get("/D")) or {}
    off = set(layer_names(default.get("/OFF")))
    if default.get("/BaseState") == "/OFF":
        off |= set(layer_names(properties.get("/OCGs"))) - set(layer_names(default.get("/ON")))
    return frozenset(off)


def resolve(value: Any) -> Any:
    """Return what a reference refers to."""
    return value.get_object() if hasattr(value, "get_object") else value


def layer_names(layers: Any) -> Iterator[str]:
    """Yield the names of layers."""
    for layer in resolve(layers) or []:
        name = (resolve(layer) or {}).get("/Name")
        if name is not None:
            yield str(name)


class Layers:
    """Tells whether what draws a text is on a layer that is switched off."""

    def __init__(self, list_hidden: Callable[[], frozenset[str]]) -> None:
        """Take what lists the hidden layers of the file; it is asked once some content is on a layer."""
        self._hidden = lru_cache(maxsize=1)(list_hidden)
        self._known: dict[int, bool] = {}

    def is_off(self, drawn: int) -> bool:
        """Say whether the object at an address belongs to a layer that is off; addresses hold for one open page."""
        if drawn not in self._known:
            names = set(read_layer_names(drawn))
            self._known[drawn] = bool(names and names & self._hidden())
        return self._known[drawn]

    def forget(self) -> None:
        """Forget the objects of the page before."""
        self._known.clear()


def read_layer_names(drawn: int) -> Iterator[str]:
    """Yield the names of the layers that an object is marked with."""
    handle = ctypes.cast(drawn, pdfium_c.FPDF_PAGEOBJECT)
    for index in range(pdfium_c.FPDFPageObj_CountMarks(handle)):
        mark = pdfium_c.FPDFPageObj_GetMark(handle, index)
        if read_string(pdfium_c.FPDFPageObjMark_GetName, mark) == MARK:
            yield read_string(pdfium_c.FPDFPageObjMark_GetParamStringValue, mark, b"Name")


def read_string(function: Any, *arguments: Any) -> str:
    """Return the text that a function of PDFium writes in UTF-16."""
    buffer, length = ctypes.create_string_buffer(NAME_BYTES), ctypes.c_ulong()
    text = ctypes.cast(buffer, ctypes.POINTER(pdfium_c.FPDF_WCHAR))
    function(*arguments, text, NAME_BYTES, length)
    return buffer.raw[: min(length.value, NAME_BYTES)].decode("utf-16-le", "replace").rstrip("\0")
