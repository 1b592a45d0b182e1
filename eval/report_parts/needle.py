"""Needles: the share found by length and depth."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from eval.report_parts.charts import Cell, heat_map
from eval.report_parts.part import (
    Folders,
    Part,
    format_detectable,
    format_interval,
    format_length,
    format_p,
    format_share,
    make_bars,
    read_json,
)

ORDER = 61
MODELS = ("base", "tuned")
COLUMNS = ["length", *MODELS, "difference", "p (Holm)", "detectable", "texts", "needles"]


def make_part(folders: Folders) -> Part:
    """Compare the share of needles found by length."""
    measured = read_json(folders.data / "needle" / "metrics.json")
    lengths = sorted(measured["differences"], key=int)  # those that both models have
    effective = " and ".join(f"{format_length(measured['effective_lengths'][model])} ({model})" for model in MODELS)
    return Part(
        "Needles in prose",
        "Each text is prose of held-out documents with a needle at each depth, about different towns; each is asked "
        "for in turn, and the others are there to mislead. A local model finds a number if greedy decoding would "
        "write it, one behind an endpoint if its reply has it. Intervals are 95 %: Wilson's for shares, with n "
        "reduced where the needles of a text are found or missed together; bootstrap over texts for the paired "
        "differences (tuned minus base), whose p is that of a sign-flip test by Holm's correction over the lengths. "
        "'Detectable' is the difference that as many texts, as varied, would show in 80 % of cases. "
        f"Effective length: {effective}; the threshold is the base model's share in the shortest text.",
        pd.DataFrame([make_row(length, measured) for length in lengths], columns=COLUMNS),
        heat_map(
            list(list_cells(measured, lengths)),
            row_label="depth of the needle",
            column_label="model and length (tokens)",
            label="Share of needles found by depth, length and model",
        ),
        overview=tuple(make_overview_row(length, measured) for length in lengths[-1:]),
        compared=tuple(
            bar
            for length in lengths[-1:]
            for bar in make_bars(
                f"needles, {int(length):,}", {model: measured["lengths"][length][model]["found"] for model in MODELS}
            )
        ),
        metrics={"needle": measured},
    )


def make_row(length: str, measured: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the row of a length."""
    cells, difference = measured["lengths"][length], measured["differences"][length]
    return (
        f"{int(length):,}",
        *(format_share(cells[model]["found"]) for model in MODELS),
        format_interval(difference, "{:+.0%}"),
        format_p(difference),
        format_detectable(difference, "{:.0%}"),
        cells["base"]["num_texts"],
        cells["base"]["num_trials"],
    )


def make_overview_row(length: str, measured: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the row of the first table for a length."""
    cells, difference = measured["lengths"][length], measured["differences"][length]
    shares = (format_share(cells[model]["found"]) for model in MODELS)
    note = f"{cells['base']['num_trials']} needles in {difference['n']} texts; {format_interval(difference, '{:+.0%}')}"
    return (f"needles found at {int(length):,} tokens", *shares, note)


def list_cells(measured: Mapping[str, Any], lengths: list[str]) -> Iterator[Cell]:
    """Yield the cell of each depth, length and model."""
    for model in MODELS:
        for length in lengths:
            for cell in measured["lengths"][length][model]["depths"]:
                where, depth = f"{model}, {int(length):,} tokens", f"{cell['depth']:.0%}"
                hover = f"{where}, depth {depth}: {format_share(cell)}, n = {cell['n']}"
                yield Cell(depth, where, cell["value"], (f"{cell['value']:.0%}", f"n = {cell['n']}"), hover)
