"""The frame of a chart: SVG elements, scales, axes with their ticks, and the legend.

Colours are CSS variables, so that a page's light and dark themes reach into its charts; each has a light colour to fall
back on where a chart is opened alone. A chart has the same bytes for the same figures.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720.0, 300.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 16.0, 34.0, 50.0  # margins
INK, GRID = "var(--chart-ink, #333)", "var(--chart-grid, #ddd)"
PALETTE = tuple(
    f"var(--chart-{number}, {colour})"
    for number, colour in enumerate(("#7a7a7a", "#0b6e99", "#b5651d", "#4f7f3a", "#8a4f8f", "#a33b3b"), 1)
)
CSS = """
:root { --chart-ink: #333; --chart-grid: #ddd; --chart-1: #6f6f6f; --chart-2: #0b6e99; --chart-3: #b5651d;
  --chart-4: #4f7f3a; --chart-5: #8a4f8f; --chart-6: #a33b3b; }
@media (prefers-color-scheme: dark) {
  :root { --chart-ink: #ddd; --chart-grid: #444; --chart-1: #a8a8a8; --chart-2: #5bb8de; --chart-3: #e0995a;
    --chart-4: #94c47d; --chart-5: #cf9ad4; --chart-6: #e08585; }
}
"""  # for the page that shows charts
Scale = Callable[[float], float]


@dataclass(frozen=True)
class Axis:
    """What an axis is about: its label, its ends in units of the data, and where ticks are, with their texts."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    is_log: bool = False


def choose_linear_axis(label: str, values: Sequence[float], limits: tuple[float, float] | None, number: str) -> Axis:
    """Return an axis over the values, or between the limits, with about five round ticks that `number` formats."""
    low, high = limits or (min(values), max(values))
    if low == high:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / 5
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * magnitude for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= raw * 0.999)
    if limits is None:
        low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return Axis(
        label, low, high, tuple((index * step, number.format(index * step)) for index in range(first, last + 1))
    )


def choose_log_axis(label: str, values: Sequence[float], number: str) -> Axis:
    """Return a logarithmic axis with a tick at each value, of which those too close to the one before are left out."""
    ordered = sorted(set(values))
    low, high = ordered[0], ordered[-1] if len(ordered) > 1 else ordered[0] * 2
    ticks = [ordered[0]]
    for value in ordered[1:]:
        if math.log(value / ticks[-1]) > 0.06 * math.log(high / low):
            ticks.append(value)
    return Axis(label, low, high, tuple((value, number.format(value)) for value in ticks), is_log=True)


def make_scale(axis: Axis, start: float, end: float) -> Scale:
    """Return the function from a value to its place between `start` and `end`, in pixels."""

    def scale(value: float) -> float:
        low, high, at = (math.log(one) if axis.is_log else one for one in (axis.low, axis.high, value))
        return start + (end - start) * (at - low) / (high - low)

    return scale


def make_element(name: str, attributes: Mapping[str, str | float], *, hover: str = "", text: str = "") -> str:
    """Return an SVG element with what a pointer over it shows; attributes' underscores become hyphens."""
    given = "".join(f' {key.replace("_", "-")}="{format_value(value)}"' for key, value in attributes.items())
    title = f"<title>{escape(hover)}</title>" if hover else ""
    return f"<{name}{given}>{title}{escape(text)}</{name}>"


def format_value(value: str | float) -> str:
    """Return an attribute's value, numbers with at most two decimals."""
    return escape(value) if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def make_text(x: float, y: float, text: str, anchor: str = "middle", **attributes: str | float) -> str:
    """Return a text in the ink's colour, unless another one is given."""
    given: dict[str, str | float] = {"x": x, "y": y, "fill": INK, "font_size": 12, "text_anchor": anchor, **attributes}
    return make_element("text", given, text=text)


def draw_x_axis(axis: Axis, x: Scale, height: float = HEIGHT) -> Iterator[str]:
    """Yield the ticks and the label below a chart."""
    for value, text in axis.ticks:
        ends = {"x1": x(value), "x2": x(value), "y1": height - BOTTOM, "y2": height - BOTTOM + 4}
        yield make_element("line", {**ends, "stroke": INK})
        yield make_text(x(value), height - BOTTOM + 18, text)
    yield make_text((LEFT + WIDTH - RIGHT) / 2, height - 8, axis.label)


def draw_y_axis(axis: Axis, y: Scale) -> Iterator[str]:
    """Yield the lines of the grid with their values, and the label at the left."""
    for value, text in axis.ticks:
        yield make_element("line", {"x1": LEFT, "x2": WIDTH - RIGHT, "y1": y(value), "y2": y(value), "stroke": GRID})
        yield make_text(LEFT - 8, y(value) + 4, text, "end")
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield make_text(14, middle, axis.label, transform=f"rotate(-90 14 {middle:.0f})")


def draw_legend(names: Sequence[str]) -> Iterator[str]:
    """Yield a square and a name for each series, in one row above the chart; nothing for a single one."""
    if len(names) < 2:
        return
    at = LEFT
    for place, name in enumerate(names):
        square: dict[str, str | float] = {
            "x": at,
            "y": 8,
            "width": 11,
            "height": 11,
            "rx": 2,
            "fill": PALETTE[place % len(PALETTE)],
        }
        yield make_element("rect", square)
        yield make_text(at + 17, 18, name, "start")
        at += 34 + 7 * len(name)


def join_svg(elements: Sequence[str], label: str, height: float = HEIGHT) -> str:
    """Return the SVG element of a chart, which `label` describes to those who cannot see it."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img" '
        f'aria-label="{escape(label)}" font-family="system-ui, sans-serif">'
    )
    return "\n".join([head, *elements, "</svg>"])
