"""Pass keys: the share found by length and depth."""

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
    judge_difference,
    make_bars,
    read_json,
)

ORDER = 60
MODELS = ("base", "tuned")


def make_part(folders: Folders) -> Part:
    """Compare the share of pass keys found by length."""
    measured = read_json(folders.data / "passkey" / "metrics.json")
    lengths = sorted(measured["lengths"], key=int)
    effective = " and ".join(f"{format_length(measured['effective_lengths'][model])} ({model})" for model in MODELS)
    overview = [
        (
            f"pass keys found at {int(length):,} tokens",
            *(format_share(measured["lengths"][length][model]["found"]) for model in MODELS),
            describe_found(measured["differences"][length]["found"]),
        )
        for length in lengths
    ]
    return Part(
        "Pass keys",
        "A five-digit key hidden at depths from the start to the end of idle text; it is found when greedy decoding "
        "would give all its digits. Intervals are 95 %: Wilson's for shares, Newcombe's for their paired differences "
        "(tuned minus base, the same trials), bootstrap over trials for losses. p is McNemar's exact test for shares "
        "and a sign-flip test for losses, by Holm's correction over the lengths. 'Detectable' is the difference "
        f"that as many trials would show in 80 % of cases. Effective length: {effective}; it is the longest length up "
        "to which a model finds as many as the base model does in the shortest text.",
        pd.DataFrame(
            [row for length in lengths for row in list_rows(int(length), measured)],
            columns=["length", "what", *MODELS, "difference", "p (Holm)", "detectable", "trials"],
        ),
        heat_map(
            list(list_cells(measured, lengths)),
            row_label="depth of the key",
            column_label="model and length (tokens)",
            label="Share of pass keys found by depth, length and model",
        ),
        overview=tuple(overview),
        answers={"Is it better?": describe_longest(measured, lengths[-1])},
        compared=make_bars(
            f"pass keys, {int(lengths[-1]):,}",
            {model: measured["lengths"][lengths[-1]][model]["found"] for model in MODELS},
        ),
        metrics={"passkey": measured},
    )


def describe_longest(measured: Mapping[str, Any], length: str) -> str:
    """Say in a sentence whether the tuned model finds more keys in the longest text."""
    change = measured["differences"][length]["found"]
    verdict = {"higher": "found more often", "lower": "found less often"}.get(
        judge_difference(change), "found as often"
    )
    return f"Pass keys in {int(length):,} tokens are {verdict}, as far as {change['n']} trials tell."


def list_cells(measured: Mapping[str, Any], lengths: list[str]) -> Iterator[Cell]:
    """Yield the cell of each depth, length and model."""
    for model in MODELS:
        for length in lengths:
            depths = measured["lengths"][length][model]["depths"]
            for cell in depths:
                part = f"{20 * cell['depth']}-{20 * cell['depth'] + 20}%"
                where = f"{model}, {int(length):,} tokens"
                hover = f"{where}, {part}: {format_share(cell)}, n = {cell['n']}"
                yield Cell(part, where, cell["value"], (f"{cell['value']:.0%}", f"n = {cell['n']}"), hover)


def describe_found(difference: Mapping[str, Any]) -> str:
    """Return the number of trials and the difference of shares, like '10 trials; +0% [-28%, +28%]'."""
    return f"{difference['n']} trials; {format_interval(difference, '{:+.0%}')}"


def list_rows(length: int, measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a length: the share found, and the loss of a digit."""
    models, differences = measured["lengths"][str(length)], measured["differences"][str(length)]
    for what, key, number, signed in (
        ("found", "found", "{:.0%}", "{:+.0%}"),
        ("nats a digit", "nll", "{:.2f}", "{:+.2f}"),
    ):
        difference = differences[key]
        yield (
            f"{length:,}",
            what,
            *(format_interval(models[model][key], number) for model in MODELS),
            format_interval(difference, signed),
            format_p(difference),
            format_detectable(difference, number),
            difference["n"],
        )
