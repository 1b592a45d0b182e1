"""RULER: the mean over its tasks by length, and the score of each task."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from eval.report_parts.charts import Mark, Point, Series, lines
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
from pipeline.rejections import list_rejections

ORDER = 62
MODELS = ("base", "tuned")
COLUMNS = ["length", "task", *MODELS, "samples", "difference", "p (Holm)", "detectable"]


def make_part(folders: Folders) -> Part:
    """Compare the scores by length and task."""
    measured = read_json(folders.data / "ruler" / "metrics.json")
    lengths = sorted(measured["lengths"], key=int)
    scored = [length for length in lengths if length in measured["differences"]]
    effective = " and ".join(f"{format_length(measured['effective_lengths'][model])} ({model})" for model in MODELS)
    limit = measured["max_reply_tokens"]
    return Part(
        "RULER",
        "The mean share of the reference strings that a reply has, over RULER's tasks, and by task; topics and "
        "lines are LongChat's, mrcr is the likeness of a repeated text (difflib's ratio), and neither is in the "
        "mean. The samples are generated here: essays are held-out documents, questions are about entries drawn for "
        "each sample. So compare these figures with each other, and with published ones only roughly. "
        + (f"Replies had at most {limit} tokens, where RULER allows up to 128. " if limit else "")
        + "Intervals are 95 %: Wilson's, which is wide enough for any scores from 0 to 1; bootstrap over samples for "
        "the paired differences (tuned minus base), whose p is that of a sign-flip test by Holm's correction over "
        "the "
        f"lengths. Effective length: {effective}; the threshold is the base model's score at the shortest length. "
        f"Of the samples, the measure {list_rejections(measured['refused'])}.",
        pd.DataFrame([row for length in lengths for row in list_rows(length, measured)], columns=COLUMNS),
        draw(measured, scored) if scored else "",
        overview=tuple(make_overview_row(length, measured) for length in scored[-1:]),
        compared=tuple(
            bar
            for length in scored[-1:]
            for bar in make_bars(
                f"RULER, {int(length):,}", {model: measured["lengths"][length][model]["score"] for model in MODELS}
            )
        ),
        metrics={"ruler": measured},
    )


def draw(measured: Mapping[str, Any], lengths: list[str]) -> str:
    """Draw the mean by length, with the threshold of the effective length."""
    series = []
    for model in MODELS:
        cells = {int(length): measured["lengths"][length][model]["score"] for length in lengths}
        points = [
            Point(
                at, cell["value"], cell["low"], cell["high"],
                f"{model} at {at:,} tokens: {format_share(cell)}, n = {cell['n']}",
            )
            for at, cell in cells.items()
        ]  # fmt: skip
        series.append(Series(model, tuple(points)))
    threshold = measured["lengths"][lengths[0]]["base"]["score"]["value"]
    return lines(
        series,
        x_label="length (tokens)",
        y_label="mean over the tasks",
        label="Mean score over RULER's tasks by length and model",
        log_x=True,
        limits=(0, 1),
        numbers=("{:,.0f}", "{:.0%}"),
        at_y=Mark(threshold, "threshold"),
    )


def list_rows(length: str, measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a length: the mean over RULER's tasks, and each task."""
    cells = measured["lengths"][length]
    if difference := measured["differences"].get(length):
        compared = format_interval(difference, "{:+.0%}"), format_p(difference), format_detectable(difference, "{:.0%}")
        means = (format_share(cells[model]["score"]) for model in MODELS)
        yield (f"{int(length):,}", f"mean of {cells['base']['num_tasks']} tasks", *means, difference["n"], *compared)
    names = dict.fromkeys(task for model in MODELS for task in cells.get(model, {"tasks": {}})["tasks"])
    for task in names:
        found = [cells.get(model, {"tasks": {}})["tasks"].get(task) for model in MODELS]
        shares = (format_share(cell) if cell else "" for cell in found)
        yield (f"{int(length):,}", task, *shares, max(cell["n"] for cell in found if cell), "", "", "")


def make_overview_row(length: str, measured: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the row of the first table for a length."""
    cells, difference = measured["lengths"][length], measured["differences"][length]
    shares = (format_share(cells[model]["score"]) for model in MODELS)
    note = f"{difference['n']} samples; {format_interval(difference, '{:+.0%}')}"
    return (f"RULER, mean of {cells['base']['num_tasks']} tasks at {int(length):,} tokens", *shares, note)
