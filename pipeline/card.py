"""Count the rows of a dataset and write its card from the counts: the README.md that the Hub shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from pipeline.records import DocumentStore, MixedExample, read_mixed

LENGTH_BUCKETS = (1_024, 4_096, 8_192, 16_384, 32_768, 65_536, 131_072, 262_144)  # upper bounds, tokens
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
SPLITS = ("train", "test")


def count_rows(dataset: Path, store: DocumentStore) -> dict[str, Any]:
    """Count the rows of both splits by kind, licence, teacher, check and length.

    Args:
        dataset: A folder with train*.parquet and test*.parquet.
        store: The documents that the rows name.
    """
    return {split: count_split(read_mixed(dataset, f"{split}*.parquet"), store) for split in SPLITS}


def count_split(rows: Iterable[MixedExample], store: DocumentStore) -> dict[str, Any]:
    """Count the rows of one split."""
    counters: dict[str, Counter[str]] = {name: Counter() for name in ("kinds", "licences", "teachers", "lengths")}
    documents: set[str] = set()
    num_rows = num_tokens = 0
    for row in rows:
        example = row.example
        category = store.categories[example.doc_ids[0]] if example.doc_ids else "none"
        counters["kinds"][f"{category}/{example.task}"] += 1
        counters["licences"][example.licence or "unknown"] += 1
        counters["teachers"][example.teacher] += 1
        counters["lengths"][bucket_of(row.num_tokens)] += 1
        documents.update(example.doc_ids)
        num_rows += 1
        num_tokens += row.num_tokens
    return {"documents": len(documents), "rows": num_rows, "tokens": num_tokens, **counters}


def bucket_of(num_tokens: int) -> str:
    """Return the upper bound of the bucket that a length falls into."""
    return next((f"<= {bound}" for bound in LENGTH_BUCKETS if num_tokens <= bound), f"> {LENGTH_BUCKETS[-1]}")


def write_card(path: Path, counts: Mapping[str, Any]) -> None:
    """Write the card of a dataset from the counts of `count_rows` and its `refused`."""
    template = resources.files("pipeline").joinpath("card.md").read_text(encoding="utf-8")
    body = template.format(
        train=counts["train"],
        test=counts["test"],
        kinds=table("category/task", "kinds", counts),
        lengths=table("tokens", "lengths", counts, sorted_by_bound=True),
        licences=table("licence", "licences", counts),
        teachers=table("teacher", "teachers", counts),
        refused=", ".join(f"{number} {reason}" for reason, number in sorted(counts["refused"].items())) or "none",
    )
    path.write_text(f"---\n{yaml.safe_dump(header_of(counts), sort_keys=False)}---\n{body}", encoding="utf-8")


def header_of(counts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the YAML header by which the Hub knows licence, size and files."""
    licences = sorted(set(counts["train"]["licences"]) | set(counts["test"]["licences"]))
    num_rows = counts["train"]["rows"] + counts["test"]["rows"]
    return {
        "license": licences[0].lower() if len(licences) == 1 else "other",
        "language": ["en"],
        "task_categories": ["question-answering", "text-generation"],
        "size_categories": [next((name for bound, name in SIZES if num_rows < bound), "n>1M")],
        "tags": ["long-context", "instruction-tuning", "longlora"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"{split}-*.parquet"} for split in SPLITS],
            }
        ],
    }


def table(title: str, name: str, counts: Mapping[str, Any], *, sorted_by_bound: bool = False) -> str:
    """Return a Markdown table of one counter over both splits."""
    keys = set(counts["train"][name]) | set(counts["test"][name])
    ordered = sorted(keys, key=(lambda key: int(key.split()[1])) if sorted_by_bound else None)
    rows = [f"| {key} | {counts['train'][name].get(key, 0)} | {counts['test'][name].get(key, 0)} |" for key in ordered]
    return "\n".join([f"| {title} | train | test |", "|---|---:|---:|", *rows])
