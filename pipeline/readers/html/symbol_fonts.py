"""The signs that the fonts Symbol and Wingdings show for letters and codes.

Source  https://www.unicode.org/Public/MAPPINGS/VENDORS/ADOBE/symbol.txt; Wingdings by what its glyphs show
"""

import re
from typing import Any

FONT_FAMILY = re.compile(r"font-family\s*:\s*[\"']?(symbol|wingdings)\b", re.IGNORECASE)
SYMBOL = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖαβχδεφγηιϕκλμνοπθρστυϖωξψζ",
        strict=True,
    )
) | {
    '"': "∀",
    "$": "∃",
    "'": "∋",
    "*": "∗",
    "-": "−",
    "@": "≅",
    "\\": "∴",
    "^": "⊥",
    "~": "∼",
    **dict(zip(map(chr, range(0xA1, 0xB0)), "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓", strict=True)),
    **dict(zip(map(chr, range(0xB0, 0xC0)), "°±″≥×∝∂•÷≠≡≈…⏐⎯↵", strict=True)),
    **dict(zip(map(chr, range(0xC0, 0xD0)), "ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉", strict=True)),
    **dict(zip(map(chr, range(0xD0, 0xE2)), "∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨", strict=True)),
    "\u00e5": "∑",
    "\u00f1": "⟩",
    "\u00f2": "∫",
}
WINGDINGS = {
    "n": "■",
    "l": "●",
    "o": "□",
    "q": "❑",
    "r": "❒",
    "u": "◆",
    "v": "❖",
    "w": "◆",
    "x": "☒",
    "J": "☺",
    "s": "⬧",
    "\u00a7": "▪",
    "\u00a8": "☐",
    "\u00b7": "•",
    "\u00d8": "➢",
    "\u00e0": "→",
    "\u00e8": "➔",
    "\u00f0": "⇨",
    "\u00fb": "✗",
    "\u00fc": "✓",
    "\u00fd": "☒",
    "\u00fe": "☑",
}
FONTS = {"symbol": SYMBOL, "wingdings": WINGDINGS}


def translate_symbol_fonts(root: Any) -> int:
    """Write the text of elements in these fonts as the signs that they show, and return in how many elements."""
    count = 0
    for element in root.iter("*"):
        face = (element.get("face") or "").strip().lower().split(",")[0].strip("\"' ")
        if face not in FONTS:
            style = element.get("style")
            match = FONT_FAMILY.search(style) if style else None
            face = match[1].lower() if match else ""
        if face:
            table = str.maketrans(FONTS[face])
            for inner in element.iter():
                inner.text = inner.text.translate(table) if inner.text else inner.text
                if inner is not element and inner.tail:
                    inner.tail = inner.tail.translate(table)
            count += 1
    return count
