"""Draw heat maps, lines and bars as SVG, with the figure, its interval and its n on hover.

The page that shows them includes `chart_frame.CSS`, whose variables are the colours in its light and dark themes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from eval.report_parts.chart_frame import (
    BOTTOM,
    HEIGHT,
    INK,
    LEFT,
    PALETTE,
    RIGHT,
    TOP,
    WIDTH,
    Axis,
    Scale,
    choose_linear_axis,
    choose_log_axis,
    draw_legend,
    draw_x_axis,
    draw_y_axis,
    join_svg,
    make_element,
    make_scale,
    make_text,
)

ROW_HEIGHT = 36.0


@dataclass(frozen=True)
class Cell:
    """A cell of a heat map: its value, from 0 to 1 the paler the lower, the lines written in it, and the hover."""

    row: str
    column: str
    value: float
    lines: tuple[str, ...]
    hover: str


@dataclass(frozen=True)
class Point:
    """A point of a line, with the ends of its interval where it has one."""

    x: float
    y: float
    low: float | None
    high: float | None
    hover: str


@dataclass(frozen=True)
class Series:
    """A line: its name in the legend and its points by x."""

    name: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Bar:
    """A bar: the group it is drawn in, the series it is of, its value with the ends of its interval, and the hover."""

    group: str
    series: str
    value: float
    low: float | None
    high: float | None
    hover: str


@dataclass(frozen=True)
class Mark:
    """A line across a chart at a value of x, or of y, with what it means."""

    at: float
    text: str


def heat_map(cells: Sequence[Cell], *, row_label: str, column_label: str, label: str) -> str:
    """Return a heat map, whose rows and columns are in the order in which the cells name them first.

    Args:
        cells: Without an order; combinations that are missing stay empty.
        row_label: What the rows are.
        column_label: What the columns are.
        label: What the chart shows, for those who cannot see it.
    """
    rows = list(dict.fromkeys(cell.row for cell in cells))
    columns = list(dict.fromkeys(cell.column for cell in cells))
    height = 12 + ROW_HEIGHT * len(rows) + BOTTOM
    width = (WIDTH - LEFT - RIGHT) / len(columns)
    elements = [
        part for cell in cells for part in draw_cell(cell, rows.index(cell.row), columns.index(cell.column), width)
    ]
    elements += [make_text(LEFT - 8, 12 + ROW_HEIGHT * (place + 0.5) + 4, row, "end") for place, row in enumerate(rows)]
    middles = [LEFT + width * (place + 0.5) for place in range(len(columns))]
    elements += [make_text(at, height - BOTTOM + 18, column) for at, column in zip(middles, columns, strict=True)]
    elements.append(make_text((LEFT + WIDTH - RIGHT) / 2, height - 8, column_label))
    middle = (12 + height - BOTTOM) / 2
    elements.append(make_text(14, middle, row_label, transform=f"rotate(-90 14 {middle:.0f})"))
    return join_svg(elements, label, height)


def draw_cell(cell: Cell, row: int, column: int, width: float) -> Iterator[str]:
    """Yield the rectangle of a cell and its lines of text; colour says the value, and so does the text."""
    left, top = LEFT + column * width, 12 + row * ROW_HEIGHT
    size = {"x": left + 1, "y": top + 1, "width": width - 2, "height": ROW_HEIGHT - 2}
    opacity = 0.06 + 0.6 * min(1.0, max(0.0, cell.value))
    yield make_element("rect", {**size, "rx": 3, "fill": PALETTE[1], "fill_opacity": opacity}, hover=cell.hover)
    first = top + ROW_HEIGHT / 2 + 4 - 6.5 * (len(cell.lines) - 1)
    for number, line in enumerate(cell.lines):
        yield make_text(left + width / 2, first + 13 * number, line, font_size=11, pointer_events="none")


def lines(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    label: str,
    log_x: bool = False,
    limits: tuple[float, float] | None = None,
    numbers: tuple[str, str] = ("{:,.0f}", "{:g}"),
    at_x: Mark | None = None,
    at_y: Mark | None = None,
) -> str:
    """Return lines with the bands of their intervals.

    Args:
        series: At least one, each with a point.
        x_label: What x is, with its unit.
        y_label: What y is, with its unit.
        label: What the chart shows, for those who cannot see it.
        log_x: Whether x is on a logarithmic scale, with a tick at each value.
        limits: The ends of y; None for those of the data.
        numbers: How values of x and of y are formatted.
        at_x: A vertical line, drawn where it lies within the chart.
        at_y: A horizontal one.
    """
    points = [point for one in series for point in one.points]
    places = [point.x for point in points]
    heights = [end for point in points for end in (point.y, point.low, point.high) if end is not None]
    x_axis = choose_log_axis(x_label, places, numbers[0]) if log_x else fit_x_axis(x_label, places, numbers[0])
    y_axis = choose_linear_axis(y_label, [*heights, *([at_y.at] if at_y else [])], limits, numbers[1])
    x, y = make_scale(x_axis, LEFT + 12, WIDTH - RIGHT - 12), make_scale(y_axis, HEIGHT - BOTTOM, TOP)
    elements = [*draw_y_axis(y_axis, y), *draw_x_axis(x_axis, x), *draw_legend([one.name for one in series])]
    if at_x and x_axis.low <= at_x.at <= x_axis.high:
        elements += draw_mark(at_x, x1=x(at_x.at), x2=x(at_x.at), y1=TOP, y2=HEIGHT - BOTTOM)
    if at_y:
        elements += draw_mark(at_y, x1=LEFT, x2=WIDTH - RIGHT, y1=y(at_y.at), y2=y(at_y.at))
    for place, one in enumerate(series):
        elements += draw_line(one, PALETTE[place % len(PALETTE)], x, y)
    return join_svg(elements, label)


def fit_x_axis(label: str, places: Sequence[float], number: str) -> Axis:
    """Return a linear axis that ends where the data does."""
    limits = (min(places), max(places))
    return choose_linear_axis(label, places, limits if limits[0] < limits[1] else None, number)


def draw_line(series: Series, colour: str, x: Scale, y: Scale) -> Iterator[str]:
    """Yield the band of the intervals, the line, and a mark a point."""
    ordered = sorted(series.points, key=lambda point: point.x)
    bounded = [
        (point.x, point.low, point.high) for point in ordered if point.low is not None and point.high is not None
    ]
    if len(bounded) > 1:
        upper = [f"{x(at):.1f},{y(high):.1f}" for at, _, high in bounded]
        lower = [f"{x(at):.1f},{y(low):.1f}" for at, low, _ in reversed(bounded)]
        yield make_element("polygon", {"points": " ".join([*upper, *lower]), "fill": colour, "fill_opacity": 0.14})
    if len(bounded) == 1:
        ((at, low, high),) = bounded
        yield make_element("line", {"x1": x(at), "x2": x(at), "y1": y(low), "y2": y(high), "stroke": colour})
    path = " ".join(f"{x(point.x):.1f},{y(point.y):.1f}" for point in ordered)
    yield make_element("polyline", {"points": path, "fill": "none", "stroke": colour, "stroke_width": 2})
    for point in ordered:
        yield make_element("circle", {"cx": x(point.x), "cy": y(point.y), "r": 3.5, "fill": colour}, hover=point.hover)


def draw_mark(mark: Mark, **ends: float) -> Iterator[str]:
    """Yield a dashed line and its text at its upper or left end."""
    yield make_element("line", {**ends, "stroke": PALETTE[5], "stroke_dasharray": "5 4"}, hover=mark.text)
    yield make_text(
        ends["x1"] + 5, ends["y1"] + (12 if ends["x1"] == ends["x2"] else -5), mark.text, "start", fill=PALETTE[5]
    )


def bars(
    given: Sequence[Bar],
    *,
    y_label: str,
    label: str,
    limits: tuple[float, float] | None = None,
    number: str = "{:g}",
) -> str:
    """Return bars in groups, with the whiskers of their intervals.

    Args:
        given: At least one; groups and series are in the order in which they are named first.
        y_label: What the bars' height is, with its unit.
        label: What the chart shows, for those who cannot see it.
        limits: The ends of y; None for those of the data and 0.
        number: How values of y are formatted.
    """
    groups = list(dict.fromkeys(bar.group for bar in given))
    series = list(dict.fromkeys(bar.series for bar in given))
    heights = [end for bar in given for end in (bar.value, bar.low, bar.high) if end is not None]
    axis = choose_linear_axis(y_label, [0.0, *heights], limits, number)
    y = make_scale(axis, HEIGHT - BOTTOM, TOP)
    width = (WIDTH - LEFT - RIGHT) / len(groups)
    elements = [*draw_y_axis(axis, y), *draw_legend(series)]
    for bar in given:
        thickness = min(56.0, 0.8 * width / len(series))
        centre = LEFT + width * (groups.index(bar.group) + 0.5)
        left = centre + thickness * (series.index(bar.series) - len(series) / 2)
        elements += draw_bar(bar, left, thickness, PALETTE[series.index(bar.series) % len(PALETTE)], y)
    elements += [
        make_text(LEFT + width * (place + 0.5), HEIGHT - BOTTOM + 18 + 14 * (len(groups) > 6 and place % 2), group)
        for place, group in enumerate(groups)
    ]
    return join_svg(elements, label)


def draw_bar(bar: Bar, left: float, thickness: float, colour: str, y: Scale) -> Iterator[str]:
    """Yield a bar from 0 to its value, and its whisker."""
    top, bottom = sorted((y(bar.value), y(0)))
    size = {"x": left + 1, "y": top, "width": thickness - 2, "height": max(1.0, bottom - top)}
    yield make_element("rect", {**size, "fill": colour}, hover=bar.hover)
    if bar.low is not None and bar.high is not None:
        middle, low, high = left + thickness / 2, y(bar.low), y(bar.high)
        for x1, x2, y1, y2 in (
            (middle, middle, low, high),
            (middle - 4, middle + 4, low, low),
            (middle - 4, middle + 4, high, high),
        ):
            yield make_element("line", {"x1": x1, "x2": x2, "y1": y1, "y2": y2, "stroke": INK, "stroke_width": 1.5})
