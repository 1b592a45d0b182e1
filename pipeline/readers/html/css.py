"""Compute from its style which text of a page is invisible.

Styles come from `style` attributes, from the old attributes for colours, and from the simple rules (a tag, a class, an
id) of the page's own style sheets. Nothing is loaded, so what a linked style sheet does is not known.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

Colour = tuple[int, int, int]
WHITE: Colour = (255, 255, 255)
NAMED_COLOURS = {"white": WHITE, "snow": (255, 250, 250), "ivory": (255, 255, 240), "black": (0, 0, 0)}
MAX_SAME = 12  # of 255: colours that differ by no more are one to the eye
TINY_POINTS = 1.5  # smaller letters are not read
FAR_OFF_PIXELS = 400  # left of or above the page
POINTS = {"px": 0.75, "pt": 1.0, "em": 12.0, "rem": 12.0, "ex": 6.0, "pc": 12.0, "in": 72.0, "cm": 28.3, "mm": 2.83}
LENGTH = re.compile(r"(-?(?:\d+\.?\d*|\.\d+))(px|pt|r?em|ex|pc|in|cm|mm|%)?")
COLOUR = re.compile(r"#([0-9a-f]{3,8})\b|rgba?\(([^)]*)\)|\b(white|snow|ivory|black|transparent)\b")
COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
SIMPLE = re.compile(r"[a-z][a-z0-9]*|[.#][\w-]+|[a-z][a-z0-9]*\.[\w-]+", re.IGNORECASE)
BOLD = re.compile(r"bold|bolder|[6-9]00")
PAGE_BREAKS = ("page-break-after", "page-break-before", "break-after", "break-before")


class ComputedStyle(NamedTuple):
    """What a style does to the text of an element."""

    hidden: bool = False  # with all that it holds
    tiny: bool = False  # until an element within it sets its own size
    sized: bool = False  # sets a size that can be read
    bold: bool = False
    raised: bool = False
    ink: Colour | None = None
    ground: Colour | None = None
    pictured: bool = False  # an image lies behind the text, so its ground is not known
    breaks_page: bool = False


DEFAULT_STYLE = ComputedStyle()


@lru_cache(maxsize=10_000)
def compute_style(style: str) -> ComputedStyle:
    """Return what the declarations of a style do."""
    values: dict[str, str] = {}
    for declaration in style.lower().split(";"):
        name, _, value = declaration.partition(":")
        values[name.strip()] = value.replace("!important", "").strip()
    size = to_points(values.get("font-size", ""))
    ground = values.get("background-color") or values.get("background", "")
    colour = values.get("color", "")
    return ComputedStyle(
        hidden=is_hidden(values) or colour.startswith("transparent"),
        tiny=size is not None and size < TINY_POINTS,
        sized=size is not None and size >= TINY_POINTS,
        bold=BOLD.match(values.get("font-weight", "")) is not None,
        raised=values.get("vertical-align") in ("super", "text-top") or is_lifted(values),
        ink=parse_colour(colour),
        ground=parse_colour(ground),
        pictured="url(" in ground or "gradient" in ground or "background-image" in values,
        breaks_page=any(values.get(name) in ("always", "page") for name in PAGE_BREAKS),
    )


def is_hidden(values: dict[str, str]) -> bool:
    """Say whether declarations take an element from sight."""
    get = values.get
    if get("display") == "none" or get("visibility") in ("hidden", "collapse") or is_zero(get("opacity", "")):
        return True
    if get("position") in ("absolute", "fixed") and any(is_far_off(get(side, "")) for side in ("left", "top")):
        return True
    if is_far_off(get("text-indent", "")) or is_far_off(get("margin-left", "")):
        return True
    clipped = re.sub(r"[^\d]+", "", get("clip", "")), get("clip-path", "")
    if (get("position") in ("absolute", "fixed") and clipped[0] in ("0000", "1111")) or re.match(
        r"inset\((?:50|100)%", clipped[1]
    ):
        return True
    sides = ("height", "width", "max-height", "max-width")
    return get("overflow") in ("hidden", "clip") and any(is_zero(get(side, "")) for side in sides)


def is_lifted(values: dict[str, str]) -> bool:
    """Say whether declarations lift text a little above its line, as filings do for the marks of notes."""
    top = to_points(values.get("top", "")) if values.get("position") == "relative" else None
    return top is not None and -8 <= top <= -1


def to_points(value: str) -> float | None:
    """Return a length in points, None for what is none; shares of other lengths are shares of 12 points."""
    match = LENGTH.fullmatch(value)
    if match is None:
        return None
    return float(match[1]) * (0.12 if match[2] == "%" else POINTS[match[2] or "px"])


def is_zero(value: str) -> bool:
    """Say whether a length or number is nought."""
    match = LENGTH.fullmatch(value)
    return match is not None and float(match[1]) == 0


def is_far_off(value: str) -> bool:
    """Say whether a place is so far left of or above the page that no one sees it."""
    match = LENGTH.fullmatch(value)
    length = to_points(value) if match and match[2] != "%" else None
    return length is not None and length <= -FAR_OFF_PIXELS * POINTS["px"]


def parse_colour(value: str) -> Colour | None:
    """Return the colour that a value names, None if it names none that is known."""
    match = COLOUR.search(value) if value else None
    if match is None:
        return None
    if match[3]:
        return NAMED_COLOURS.get(match[3])
    if match[1]:
        digits = match[1] if len(match[1]) >= 6 else "".join(digit * 2 for digit in match[1][:3])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    parts = re.findall(r"\d{1,3}(?![\d.]*%)", match[2])[:3]
    red, green, blue = (min(255, int(part)) for part in parts) if len(parts) == 3 else WHITE
    return red, green, blue


def parse_style_sheets(styles: Iterable[str]) -> dict[str, str]:
    """Return the declarations of style sheets by their simple selectors; rules for print and the like are left out."""
    sheet: dict[str, list[str]] = {}
    for style in styles:
        for selectors, declarations in iter_rules(COMMENT.sub("", style)):
            for selector in selectors.split(","):
                if SIMPLE.fullmatch(name := selector.strip()):
                    sheet.setdefault(name, []).append(declarations)
    return {name: ";".join(declarations) for name, declarations in sheet.items()}


def iter_rules(style: str) -> Iterator[tuple[str, str]]:
    """Yield selectors and declarations of a style sheet, without the blocks that hold rules of their own."""
    start = depth = 0
    selectors: str | None = None
    for match in re.finditer("[{};]", style):
        if match[0] == "{" and (depth or style[start : match.start()].lstrip().startswith("@")):
            depth += 1
        elif match[0] == "{":
            selectors = style[start : match.start()]
        elif match[0] == "}" and depth:
            depth -= 1
        elif match[0] == "}" and selectors is not None:
            yield selectors, style[start : match.start()]
            selectors = None
        elif selectors is not None:
            continue  # between two declarations
        start = match.end()


def declarations_for(element: Any, sheet: dict[str, str]) -> str:
    """Return the declarations for an element, the strongest last; '' if there are none."""
    get = element.get
    own = str(get("style") or "")
    if ground := get("bgcolor"):
        own = f"background-color:{ground};{own}"
    if ink := get("color"):
        own = f"color:{ink};{own}"
    if not sheet:
        return own
    tag = element.tag.rpartition("}")[2].lower() if isinstance(element.tag, str) else ""
    classes = (get("class") or "").split()
    names = [tag, *(f"{start}.{name}" for name in classes for start in ("", tag)), f"#{get('id')}"]
    return ";".join([*(sheet[name] for name in names if name in sheet), own])


def are_indistinguishable(ink: Colour, ground: Colour) -> bool:
    """Say whether the eye cannot tell two colours apart."""
    return max(abs(a - b) for a, b in zip(ink, ground, strict=True)) <= MAX_SAME


def blends_in(element: Any, ink: Colour, sheet: dict[str, str]) -> bool:
    """Say whether text in `ink` has the colour of its background: the nearest around it, or white."""
    for around in (element, *element.iterancestors()):
        behind = compute_style(declarations_for(around, sheet))
        if behind.pictured:
            return False
        if behind.ground is not None:
            return are_indistinguishable(ink, behind.ground)
    return are_indistinguishable(ink, WHITE)
