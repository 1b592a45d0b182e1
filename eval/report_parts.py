"""The parts of the report, each made from what one stage measured: a title, a text, a table and a figure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from eval import figures
from pipeline.records import Document
from pipeline.rejections import count_reasons, list_rejections


@dataclass(frozen=True)
class Part:
    """One part of the report."""

    title: str
    text: str
    table: pd.DataFrame | None = None
    figure: str = ""  # an SVG element


def overview(measured: Mapping[str, Any]) -> Part:
    """Sum up the run in a few lines."""
    lengths = measured["perplexity"]["lengths"]
    longest = max(lengths, key=int)
    nll = measured["sft"]["answer_nll"]
    rows: list[tuple[str, ...]] = [
        ("training rows (long and short)", "", str(measured["mix"]["train"]["rows"])),
        ("answer loss on held-out rows (nats a token)", f"{nll['before']:.3f}", f"{nll['after']:.3f}"),
        (
            f"perplexity at {int(longest):,} tokens",
            f"{lengths[longest]['base']:.2f}",
            f"{lengths[longest]['tuned']:.2f}",
        ),
    ]
    if beyond := measured["perplexity"]["beyond_native"]:
        name = f"loss beyond {beyond['from_position']:,} tokens (nats a token)"
        rows.append((name, *(f"{beyond[model]:.3f}" for model in ("base", "tuned"))))
    rows += [
        (f"pass keys found at {int(length):,} tokens", *(share(cell[model]["found"]) for model in ("base", "tuned")))
        for length, cell in sorted(measured["passkey"]["lengths"].items(), key=lambda item: int(item[0]))
    ]
    return Part(
        "In short",
        "What went in, and what training changed. Every figure has its own part below, with the number of measurements "
        "behind it. Small runs move little: read the intervals before the figures.",
        pd.DataFrame(rows, columns=["", "before", "after"]),
    )


def documents(read: Iterable[Document], refused: pd.DataFrame) -> Part:
    """Count the documents by category and reader, and the refusals by reason."""
    counts: Counter[tuple[str, str]] = Counter()
    pages: Counter[tuple[str, str]] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    for document in read:
        key = (document.category, document.reader or "unreadable")
        counts[key] += 1
        pages[key] += document.num_pages or 0
        tokens[key] += document.num_tokens
    rows = [(*key, counts[key], pages[key] or "", f"{tokens[key]:,}") for key in sorted(counts)]
    reasons = count_reasons(refused["reason"]) if len(refused) else {}
    return Part(
        "Documents",
        f"Of {sum(counts.values())} files, curation {list_rejections(reasons)}.",
        pd.DataFrame(rows, columns=["category", "reader", "files", "pages", "tokens"]),
    )


def questions(verified: Mapping[str, Any]) -> Part:
    """Count the accepted examples by task, and the refused ones by reason."""
    rows = sorted(verified["accepted_by_task"].items())
    return Part(
        "Questions",
        "Each accepted answer carries the words of the document that hold it, at the place where they stand; "
        f"verification {list_rejections(verified['refused_by_reason'])}.",
        pd.DataFrame(rows, columns=["task", "accepted"]),
    )


def dataset(mixed: Mapping[str, Any]) -> Part:
    """Count the rows of the dataset by kind and split."""
    splits = ("train", "test")
    kinds = sorted({kind for split in splits for kind in mixed[split]["kinds"]})
    rows = [(kind, *(mixed[split]["kinds"].get(kind, 0) for split in splits)) for kind in kinds]
    return Part(
        "Dataset",
        f"{mixed['train']['rows']} training rows over {mixed['train']['documents']} documents and "
        f"{mixed['test']['rows']} test rows over {mixed['test']['documents']} others; no document is on both sides.",
        pd.DataFrame(rows, columns=["category/task", *splits]),
    )


def training(extend: Mapping[str, Any], sft: Mapping[str, Any], losses: pd.DataFrame) -> Part:
    """Show what was trained, for how long, and the loss."""
    rows = [
        (name, f"{stage['trainable_parameters']['total']:,}", stage["steps"], f"{num_tokens:,}")
        for name, stage, num_tokens in (("extend", extend, extend["tokens_seen"]), ("sft", sft, sft["train"]["tokens"]))
    ]
    return Part(
        "Training",
        "LoRA on the attention projections, with embeddings and norms trained as well, under shifted sparse attention. "
        f"The loss is that of the training batches. On {sft['test']['rows']} held-out rows "
        f"({sft['test']['answer_tokens']} answer tokens) the loss of the answers went from "
        f"{sft['answer_nll']['before']:.3f} to {sft['answer_nll']['after']:.3f} nats a token; "
        f"rows refused because they were too long even when cut to their evidence: {sum(sft['refused'].values())}.",
        pd.DataFrame(rows, columns=["stage", "trained parameters", "steps", "tokens"]),
        figures.draw_losses(losses),
    )


def perplexity(measured: Mapping[str, Any], positions: pd.DataFrame, native_length: int) -> Part:
    """Compare perplexity by length, with the paired difference over documents."""
    rows = []
    for length, cell in sorted(measured["lengths"].items(), key=lambda item: int(item[0])):
        interval = signed(cell["difference_nats"])
        rows.append(
            (f"{int(length):,}", f"{cell['base']:.2f}", f"{cell['tuned']:.2f}", interval, cell["num_documents"])
        )
    return Part(
        "Perplexity",
        "On documents that training never saw, by the protocol per_doc: the first L tokens of each document in one "
        "forward pass with full attention. The difference is tuned minus base in nats a token, with a 95 % bootstrap "
        "interval over documents, which says little below ten documents. The base model was trained to "
        f"{native_length:,} tokens{beyond_in_words(measured['beyond_native'])}.",
        pd.DataFrame(rows, columns=["length", "base", "tuned", "difference (nats)", "documents"]),
        figures.draw_positions(positions, native_length),
    )


def beyond_in_words(beyond: Mapping[str, Any]) -> str:
    """Return what the loss is beyond the length that the base model was trained to, '' where it was not measured."""
    if not beyond:
        return ""
    return (
        f"; beyond, the loss of a token is {beyond['base']:.3f} nats for it and {beyond['tuned']:.3f} tuned, a "
        f"difference of {signed(beyond['difference_nats'])} over {beyond['num_documents']} documents"
    )


def passkey(measured: Mapping[str, Any]) -> Part:
    """Compare the share of pass keys found by length."""
    cells = [
        {"length": int(length), "model": model, "trials": cell["num_trials"], "nll": cell["nll"], **cell["found"]}
        for length, models in measured["lengths"].items()
        for model, cell in models.items()
    ]
    frame = pd.DataFrame(cells).sort_values(["length", "model"])
    rows = [
        (f"{row.length:,}", row.model, f"{row.value:.0%} [{row.low:.0%}, {row.high:.0%}]", f"{row.nll:.2f}", row.trials)
        for row in frame.itertuples()
    ]
    return Part(
        "Pass keys",
        "A five-digit key hidden at depths from the start to the end of idle text; it is found when greedy decoding "
        "would give all its digits. Intervals are Wilson's, 95 %.",
        pd.DataFrame(rows, columns=["length", "model", "found", "nats a digit", "trials"]),
        figures.draw_passkeys(frame),
    )


def signed(difference: Mapping[str, float]) -> str:
    """Return a difference with its interval."""
    return f"{difference['value']:+.3f} [{difference['low']:+.3f}, {difference['high']:+.3f}]"


def share(found: Mapping[str, float]) -> str:
    """Return a share with its interval in per cent."""
    return f"{found['value']:.0%} [{found['low']:.0%}, {found['high']:.0%}]"
