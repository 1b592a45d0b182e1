"""Perplexity by length, and the loss beyond the length that the base model was trained to."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from eval import figures
from eval.report_parts.part import Folders, Part, format_difference, read_json, require_file

ORDER = 50


def make_part(folders: Folders) -> Part:
    """Compare perplexity by length, with the paired difference over documents."""
    measured = read_json(folders.data / "perplexity" / "metrics.json")
    positions = pd.read_csv(require_file(folders.data / "perplexity" / "positions.csv"))
    native_length = read_json(folders.models / "base" / "config.json")["max_position_embeddings"]
    rows = []
    for length, cell in sorted(measured["lengths"].items(), key=lambda item: int(item[0])):
        difference = format_difference(cell["difference_nats"])
        rows.append(
            (f"{int(length):,}", f"{cell['base']:.2f}", f"{cell['tuned']:.2f}", difference, cell["num_documents"])
        )
    return Part(
        "Perplexity",
        "On documents that training never saw, by the protocol per_doc: the first L tokens of each document in one "
        "forward pass with full attention. The difference is tuned minus base in nats a token, with a 95 % bootstrap "
        "interval over documents, which says little below ten documents. The base model was trained to "
        f"{native_length:,} tokens{describe_beyond(measured['beyond_native'])}.",
        pd.DataFrame(rows, columns=["length", "base", "tuned", "difference (nats)", "documents"]),
        figures.draw_positions(positions, native_length),
        overview=tuple(overview_rows(measured)),
        metrics={"perplexity": measured},
    )


def overview_rows(measured: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the perplexity at the longest length, and the loss beyond the base model's length if it was measured."""
    longest = max(measured["lengths"], key=int)
    cell = measured["lengths"][longest]
    rows = [(f"perplexity at {int(longest):,} tokens", f"{cell['base']:.2f}", f"{cell['tuned']:.2f}")]
    if beyond := measured["beyond_native"]:
        name = f"loss beyond {beyond['from_position']:,} tokens (nats a token)"
        rows.append((name, f"{beyond['base']:.3f}", f"{beyond['tuned']:.3f}"))
    return rows


def describe_beyond(beyond: Mapping[str, Any]) -> str:
    """Say what the loss is beyond the length that the base model was trained to; '' if it was not measured."""
    if not beyond:
        return ""
    return (
        f"; beyond, the loss of a token is {beyond['base']:.3f} nats for it and {beyond['tuned']:.3f} tuned, a "
        f"difference of {format_difference(beyond['difference_nats'])} over {beyond['num_documents']} documents"
    )
