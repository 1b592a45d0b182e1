"""Draw the figures of the report as SVG, the same bytes for the same numbers."""

import io
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

STYLE: Any = {
    "svg.hashsalt": "longalpaca",  # element ids are random otherwise
    "svg.fonttype": "none",  # text stays text, in the reader's own font
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
}
COLOURS = {"base": "#888888", "tuned": "#0b6e99", "extend": "#b5651d", "sft": "#0b6e99"}


def draw_losses(logs: pd.DataFrame) -> str:
    """Draw the training loss: columns stage, step, loss."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7, 3), layout="constrained")
        stages = list(logs.groupby("stage", sort=False))
        for axes, (stage, group) in zip(figure.subplots(1, len(stages), squeeze=False)[0], stages, strict=True):
            axes.plot(group["step"], group["loss"], marker="o", markersize=3, color=COLOURS[str(stage)])
            axes.set(title=str(stage), xlabel="step", ylabel="loss (nats a token)")
            axes.xaxis.get_major_locator().set_params(integer=True)
        return to_svg(figure)


def draw_positions(positions: pd.DataFrame, native_length: int) -> str:
    """Draw the loss by position: columns model, position, nll, low, high; a line marks the base model's own length."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7, 3.2), layout="constrained")
        axes = figure.subplots()
        for model, group in positions.groupby("model", sort=False):
            axes.plot(group["position"], group["nll"], label=str(model), color=COLOURS[str(model)])
            axes.fill_between(group["position"], group["low"], group["high"], color=COLOURS[str(model)], alpha=0.15)
        if native_length < positions["position"].max():
            axes.axvline(native_length, color="#aa3333", linewidth=1, linestyle="--")
            axes.annotate(" base trained to here", (native_length, axes.get_ylim()[1]), va="top", color="#aa3333")
        axes.set(xlabel="position in the document (tokens)", ylabel="loss (nats a token)")
        axes.legend()
        return to_svg(figure)


def to_svg(figure: Figure) -> str:
    """Return a figure as an SVG element, without the clock that matplotlib writes into it."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()[buffer.getvalue().index("<svg") :]
