"""Put formulas into a page as TeX: of MathML, of MathJax scripts, and of pictures that carry it.

A screen often does not show the MathML itself: that is hidden beside a picture of it, or a script draws it. Each
formula is written once.
"""

import re
from typing import Any

from pipeline.readers.html.css import compute_style
from pipeline.readers.html.mathml import write_formula

PICTURED = re.compile(r"(?:^|[\s_-])(?:latex|tex|math|mwe-math-fallback-image)", re.IGNORECASE)
TEX_SIGN = re.compile(r"\\[A-Za-z]+|[\^_]\{|\w[\^_]\w")
SIGN_NAMES = {
    "minus": "\u2212",
    "plus": "+",
    "times": "×",
    "equals": "=",
    "degree": "°",
    "degrees": "°",
    "plus-minus": "±",
}
DRAWN = re.compile(r"MathJax(?:_Preview|_SVG|_CHTML|_Display)?(?:\s|$)|katex-html|mjx-chtml")
MAX_ABOVE = 4  # elements between a formula and the hidden one around it


def write_formulas(formulas: list[Any], scripts: list[Any], pictures: list[Any]) -> None:
    """Replace formulas by their TeX between dollar signs."""
    for script in scripts:
        if (script.get("type") or "").startswith("math/tex"):
            write_script(script)
    for formula in formulas:
        if formula.getparent() is not None:
            write_math(formula)
    for picture in pictures:
        if picture.getparent() is not None:
            write_picture(picture)


def replace_by_text(element: Any, text: str) -> None:
    """Leave of an element a span with a text, which no style hides."""
    element.clear(keep_tail=True)
    element.tag, element.text = "span", text


def write_script(script: Any) -> None:
    """Write the formula that a MathJax script holds, in place of what it has drawn."""
    source = " ".join((script.text or "").split())
    previous = script.getprevious()
    while previous is not None and DRAWN.search(previous.get("class") or "") and not (previous.tail or "").strip():
        replace_by_text(previous, "")
        previous = previous.getprevious()
    mark = "$$" if "mode=display" in script.get("type") else "$"
    replace_by_text(script, f"{mark}{source}{mark}" if source else "")


def write_math(formula: Any) -> None:
    """Write a formula in MathML; one that is hidden beside its picture is shown in the place of the picture."""
    text = write_formula(formula)
    if not text:
        return
    hidden = find_hidden(formula)
    replace_by_text(formula, text)
    if hidden is None:
        return
    pictures = [picture for picture in hidden.itersiblings("{*}img") if picture.get("alt")]
    if pictures:
        replace_by_text(hidden, text)
        for picture in pictures:
            picture.set("alt", "")


def find_hidden(formula: Any) -> Any:
    """Return the hidden element around a formula, None if it is shown."""
    for above, element in enumerate(formula.iterancestors()):
        if above >= MAX_ABOVE:
            break
        if compute_style(element.get("style") or "").hidden or "mathml-a11y" in (element.get("class") or ""):
            return element
    return None


def write_picture(picture: Any) -> None:
    """Write the formula or the sign that a picture shows, where its alternative text is one."""
    text = " ".join((picture.get("alt") or "").split())
    if not text:
        return
    if TEX_SIGN.search(text) and (PICTURED.search(picture.get("class") or "") or "\\" in text):
        replace_by_text(picture, text if text.startswith("$") else f"${text}$")
    elif text.lower() in SIGN_NAMES:
        replace_by_text(picture, SIGN_NAMES[text.lower()])
    elif len(text) == 1 and not text.isalnum():
        replace_by_text(picture, text)
