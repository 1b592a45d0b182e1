"""Perplexity by length, and what the tokens far into a document, and behind less context, lose."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from eval.report_parts.charts import Mark, Point, Series, lines
from eval.report_parts.part import (
    Folders,
    Part,
    format_detectable,
    format_difference,
    format_interval,
    format_p,
    judge_difference,
    read_json,
    require_file,
)

ORDER = 50
MODELS = ("base", "tuned")
PROTOCOLS = {
    "per_doc": "the first L tokens of each document in one forward pass",
    "sliding": "windows of L tokens over one stream of documents, of which the last tokens are scored, each once",
    "longlora": "windows of L tokens over one stream of documents, scored at every position, as in LongLoRA's eval.py",
}
COLUMNS = ["what", *MODELS, "difference (nats)", "p (Holm)", "detectable (nats)", "documents"]
Cell = Mapping[str, Any]


def make_part(folders: Folders) -> Part:
    """Compare perplexity by length, with the paired difference over documents."""
    measured = read_json(folders.data / "perplexity" / "metrics.json")
    native_length = read_json(folders.models / "base" / "config.json")["max_position_embeddings"]
    protocol = measured["protocol"]
    rows = [*list_lengths(measured), *list_beyond(measured), *list_contexts(measured), *list_key_tokens(measured)]
    return Part(
        "Perplexity",
        f"On documents that training never saw, by the protocol {protocol}: {PROTOCOLS[protocol]}, in full "
        "attention. Figures of other protocols are not comparable. Brackets are 95 % bootstrap intervals over "
        "documents; those of fewer than ten documents are too narrow: of three, they hold the truth in about 75 % of "
        "cases. A difference is tuned minus base in nats a token, paired by document; p is that of a sign-flip test, "
        "by Holm's correction over the rows of one kind; 'detectable' is the difference that as many documents, as "
        f"varied, would show in 80 % of cases. The base model was trained to {native_length:,} tokens.",
        pd.DataFrame(rows, columns=COLUMNS),
        draw(folders, native_length) if protocol == "per_doc" else "",
        overview=tuple(overview_rows(measured)),
        answers={"Is it better?": describe_longest(measured), "How sure is that?": describe_power(measured)},
        metrics={"perplexity": measured},
    )


def draw(folders: Folders, native_length: int) -> str:
    """Draw the loss by position."""
    positions = pd.read_csv(require_file(folders.data / "perplexity" / "positions.csv"))
    series = [Series(str(model), tuple(list_points(group))) for model, group in positions.groupby("model", sort=False)]
    return lines(
        series,
        x_label="position in the document (tokens)",
        y_label="loss (nats a token)",
        label="Loss by position in the document",
        at_x=Mark(native_length, "base trained to here"),
    )


def list_points(rows: pd.DataFrame) -> Iterator[Point]:
    """Yield the points of a model's loss by position."""
    for row in rows.to_dict("records"):
        place, (value, low, high) = int(row["position"]), (float(row[name]) for name in ("nll", "low", "high"))
        said = f"{row['model']}, up to token {place:,}: {value:.3f} [{low:.3f}, {high:.3f}] nats, n = {row['n']}"
        yield Point(place, value, low, high, said)


def make_row(what: str, cell: Cell, number: str) -> tuple[Any, ...]:
    """Return the row of a cell, whose values `number` formats."""
    difference = cell["difference_nats"]
    return (
        what,
        *(format_interval(cell["intervals"][model], number) for model in MODELS),
        format_difference(difference),
        format_p(difference),
        format_detectable(difference, "{:.3f}"),
        difference["n"],
    )


def list_lengths(measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of perplexity by length, and of the loss of the last quarter."""
    lengths = sorted(measured["lengths"].items(), key=lambda item: int(item[0]))
    for length, cell in lengths:
        yield make_row(f"perplexity at {int(length):,} tokens", cell, "{:.2f}")
    for length, cell in lengths:
        if "last_quarter" in cell:
            yield make_row(f"loss in the last quarter of {int(length):,} tokens", cell["last_quarter"], "{:.3f}")


def list_beyond(measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the row of the tokens beyond the length that the base model was trained to, if any was read."""
    if beyond := measured.get("beyond_native"):
        yield make_row(f"loss beyond {beyond['from_position']:,} tokens", beyond, "{:.3f}")


def list_contexts(measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of the same tokens behind less context and behind all, and of what all of it gains."""
    if not (found := measured.get("contexts")):
        return
    for context, cell in sorted(found["loss"].items(), key=sort_contexts):
        behind = "all before them" if context == "all" else f"{int(context):,} tokens and more"
        yield make_row(f"loss of the last {found['num_last']:,} tokens behind {behind}", cell, "{:.3f}")
    for context, cell in sorted(found["gain"].items(), key=sort_contexts):
        yield make_row(f"gain of these by all context instead of {int(context):,} tokens", cell, "{:+.3f}")


def sort_contexts(item: tuple[str, Cell]) -> tuple[bool, int]:
    """Return the key that sorts contexts by their tokens, all of them last."""
    return (True, 0) if item[0] == "all" else (False, int(item[0]))


def list_key_tokens(measured: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of LongPPL by short context."""
    for context, cell in sorted(measured.get("longppl", {}).items(), key=sort_contexts):
        what = f"LongPPL, short context {int(context):,} tokens, {cell['num_tokens']:,} key tokens of the base model"
        yield make_row(what, cell, "{:.2f}")


def describe_longest(measured: Mapping[str, Any]) -> str:
    """Say in a sentence whether the tuned model predicts the longest texts better."""
    longest = max(measured["lengths"], key=int)
    difference = measured["lengths"][longest]["difference_nats"]
    verdicts = {"lower": "better than", "higher": "worse than"}
    verdict = verdicts.get(judge_difference(difference), "in a way not told apart from")
    change = format_difference(difference)
    return f"Held-out text of {int(longest):,} tokens is predicted {verdict} before training: {change} nats a token."


def describe_power(measured: Mapping[str, Any]) -> str:
    """Say which difference so few documents could show at all."""
    difference = measured["lengths"][max(measured["lengths"], key=int)]["difference_nats"]
    if difference["detectable"] is None:
        return f"Of {difference['n']} documents no difference of prediction can be told from chance."
    return (
        f"{difference['n']} documents as varied as these show a difference of prediction of "
        f"{difference['detectable']:.2f} nats in 80 % of cases, and smaller ones less often."
    )


def overview_rows(measured: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the perplexity at the longest length, and the loss beyond the base model's length if it was measured."""
    longest = max(measured["lengths"], key=int)
    cell = measured["lengths"][longest]
    name = f"perplexity at {int(longest):,} tokens"
    yield name, f"{cell['base']:.2f}", f"{cell['tuned']:.2f}", describe_difference(cell)
    if beyond := measured.get("beyond_native"):
        name = f"loss beyond {beyond['from_position']:,} tokens (nats a token)"
        yield name, f"{beyond['base']:.3f}", f"{beyond['tuned']:.3f}", describe_difference(beyond)


def describe_difference(cell: Cell) -> str:
    """Return the number of documents and the difference, like '3 documents; -0.690 nats [-0.800, -0.500]'."""
    difference = cell["difference_nats"]
    return f"{difference['n']} documents; {format_difference(difference)} nats"
