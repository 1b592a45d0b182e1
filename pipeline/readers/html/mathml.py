"""Write MathML as TeX: fractions, roots, powers, indices, matrices.

Source  MathML 3, presentation markup, https://www.w3.org/TR/MathML3/chapter3.html
"""

import re
from typing import Any

from lxml import etree

TEX = etree.XPath(".//*[local-name()='annotation'][contains(translate(@encoding, 'TEX', 'tex'), 'tex')]")
LIKE_TEX = re.compile(r"[\\^_{}]")
DISPLAY_STYLE = re.compile(r"^\{\\(?:display|text)style (.*)\}$")
WORDS = re.compile(r"[^\W\d_]{3,}(?: +[^\W\d_]{2,}){2,}")  # an alternative text in words, as 'text not available'
MAX_DEPTH = 60  # of elements within elements; deeper ones are flat text
ACCENTS = {"\u00af": "bar", "_": "bar", "\u203e": "bar", "^": "hat", "\u02c6": "hat", "~": "tilde", "\u02dc": "tilde",
           "\u2192": "vec", "\u20d7": "vec", "\u02d9": "dot", ".": "dot", "\u00a8": "ddot"}  # fmt: skip
FUNCTIONS = {"sin", "cos", "tan", "log", "ln", "exp", "lim", "max", "min", "sup", "inf", "det", "arg", "cot", "sec"}
INVISIBLE = str.maketrans("", "", "\u2061\u2062\u2063\u2064\u200b")
SKIPPED = {"annotation", "annotation-xml", "mphantom", "mprescripts", "none", "maligngroup", "malignmark"}


def write_formula(formula: Any) -> str:
    """Return a formula between dollar signs: its TeX where it carries that, else what its elements say; '' if empty."""
    notes = TEX(formula)
    alternative = " ".join((formula.get("alttext") or "").split())
    source = " ".join((notes[0].text or "").split()) if notes else ""
    if not source and LIKE_TEX.search(alternative):
        source = alternative
    source = source or " ".join(write(formula, 0).split())
    if not source and not WORDS.search(alternative):
        source = alternative
    source = DISPLAY_STYLE.sub(r"\1", source).strip()
    return f"${source}$" if source else ""


def write(element: Any, depth: int) -> str:
    """Return an element of MathML as TeX."""
    name = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
    if name in SKIPPED or not name:
        return ""
    if depth > MAX_DEPTH:
        return " ".join("".join(element.itertext()).split())
    if len(element) == 0:
        return write_token(name, (element.text or "").translate(INVISIBLE).strip())
    parts = [write(child, depth + 1) for child in element if isinstance(child.tag, str)]
    return write_layout(name, parts, element)


def write_token(name: str, text: str) -> str:
    """Return an identifier, a number, an operator or words."""
    if name in ("mtext", "ms"):
        return f"\\text{{{text}}}" if re.search(r"[^\W\d_]{2,}", text) else text
    if name == "mi" and text in FUNCTIONS:
        return f"\\{text} "
    if name == "mspace":
        return " "
    return {"\u2212": "-", "{": r"\{", "}": r"\}", "%": r"\%", "#": r"\#", "$": r"\$"}.get(text, text)


def write_layout(name: str, parts: list[str], element: Any) -> str:
    """Return an element that holds others."""
    first, second, third = [*parts, "", "", ""][:3]
    if name == "mfrac":
        is_short = all(re.fullmatch(r"[\w.,]+", part) for part in (first, second))
        return f"{first}/{second}" if is_short else f"\\frac{{{first}}}{{{second}}}"
    if name == "msqrt":
        return f"\\sqrt{{{''.join(parts)}}}"
    if name == "mroot":
        return f"\\sqrt[{second}]{{{first}}}"
    if name in ("msup", "msub", "msubsup"):
        below, above = {"msup": ("", second), "msub": (second, "")}.get(name, (second, third))
        return base(first) + attach("_", below) + attach("^", above)
    if name in ("munder", "mover", "munderover"):
        if name == "mover" and second in ACCENTS:
            return f"\\{ACCENTS[second]}{{{first}}}"
        below, above = {"mover": ("", second), "munder": (second, "")}.get(name, (second, third))
        return first + attach("_", below) + attach("^", above)
    if name == "mfenced":
        sides = element.get("open", "("), element.get("close", ")")
        return f"{sides[0]}{(element.get('separators', ',').strip()[:1] + ' ').lstrip().join(parts)}{sides[1]}"
    if name in ("mtr", "mlabeledtr"):
        return " & ".join(parts)
    if name == "mtable":
        return r"\begin{matrix} " + r" \\ ".join(parts) + r" \end{matrix}"
    if name == "mmultiscripts":
        return base(first) + attach("_", second) + attach("^", third)
    if name == "semantics":
        return first
    return "".join(parts)


def base(text: str) -> str:
    """Return what a power or an index belongs to, in braces where it has one of its own."""
    return f"{{{text}}}" if re.search(r"[\^_/]", text) and not text.startswith(("{", "(")) else text


def attach(sign: str, text: str) -> str:
    """Return a power or an index: in braces unless it is a number or one character."""
    if not text:
        return ""
    return (
        f"{sign}{text}"
        if re.fullmatch(r"-?\d+|.", text) and not (sign == "_" and len(text) > 1)
        else f"{sign}{{{text}}}"
    )
