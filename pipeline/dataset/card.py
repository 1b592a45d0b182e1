"""Write the card of a dataset, the README.md that the Hub shows, from its counts."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
SPLITS = ("train", "test")
MAIN = "12k"
BAR = 40  # characters of the longest bar of the histogram


def write_card(path: Path, report: Mapping[str, Any]) -> None:
    """Write the card from the report of `mix`."""
    template = resources.files("pipeline.dataset").joinpath("card.md").read_text(encoding="utf-8")
    unknown = report["rows_of_unknown_licence"]
    body = template.format(
        train=report["train"],
        test=report["test"],
        kinds=table("category/task", "kinds", report),
        families=families_table(report["families"]),
        lengths=histogram(report),
        editions=editions_table(report["editions"]),
        licences=table("licence", "licences", report),
        sources=table("place and licence (documents)", "sources", report),
        teachers=table("teacher", "teachers", report),
        places=table("places of the evidence", "places_of_evidence", report),
        checks=table("check", "checks", report),
        refused=listed(report["refused"]),
        candidates=f"{sum(report['candidates'].values()):,}",
        doubts=describe_doubts(report.get("doubts", {})),
        unknown=f"{unknown} rows are about documents whose licence is not known: for private use alone."
        if unknown
        else "The licence of every document is known.",
    )
    path.write_text(f"---\n{yaml.safe_dump(build_header(report), sort_keys=False)}---\n{body}", encoding="utf-8")


def describe_doubts(doubts: Mapping[str, Any]) -> str:
    """Return how many examples the checks could not decide, and what became of them."""
    if not doubts.get("examples"):
        return "The checks left no example in doubt."
    return (
        f"The checks left {doubts['examples']:,} examples in doubt: a judge, who is a model, found"
        f" {doubts['found_sound_by_the_judge']:,} of them sound, and {doubts['refused_because_nobody_judges']:,} were"
        " refused because nobody judged."
    )


def build_header(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return the YAML header that tells the Hub licence, size and files."""
    licences = list_licences(report)
    num_rows = sum(report[split]["rows"] for split in SPLITS)
    languages = sorted({code for split in SPLITS for code in report[split]["languages"]} | {"en"})
    header: dict[str, Any] = {
        "pretty_name": "LongAlpaca-12k, rebuilt with evidence",
        "license": licences[0].lower() if len(licences) == 1 and licences[0] != "unknown" else "other",
    }
    if header["license"] == "other":
        header["license_name"] = "per-row"
        header["license_link"] = "README.md"
    return {
        **header,
        "language": languages,
        "task_categories": ["question-answering", "text-generation", "summarization"],
        "size_categories": [next((name for bound, name in SIZES if num_rows < bound), "n>1M")],
        "tags": ["long-context", "instruction-tuning", "longlora", "longalpaca", "provenance"],
        "configs": [edition_config(edition) for edition in report["editions"]],
    }


def list_licences(report: Mapping[str, Any]) -> list[str]:
    """Return the licences of all rows."""
    return sorted({name for split in SPLITS for name in report[split]["licences"]})


def edition_config(edition: str) -> dict[str, Any]:
    """Return the Hub's configuration of an edition; the main one is what is loaded without a name."""
    folder = "" if edition == MAIN else f"{edition}/"
    files = [{"split": split, "path": f"{folder}{split}-*.parquet"} for split in SPLITS]
    return {"config_name": edition, **({"default": True} if edition == MAIN else {}), "data_files": files}


def table(title: str, name: str, report: Mapping[str, Any]) -> str:
    """Return a Markdown table of one counter over both splits."""
    keys = sorted(set(report["train"][name]) | set(report["test"][name]))
    rows = [f"| {key} | {report['train'][name].get(key, 0)} | {report['test'][name].get(key, 0)} |" for key in keys]
    return "\n".join([f"| {title} | train | test |", "|---|---:|---:|", *rows])


def histogram(report: Mapping[str, Any]) -> str:
    """Return the lengths of the rows as a table with bars."""
    lengths = {split: report[split]["lengths"] for split in SPLITS}
    keys = sorted(set(lengths["train"]) | set(lengths["test"]), key=lambda key: (int(key.split()[1]), key[0] == ">"))
    most = max([1, *lengths["train"].values()])
    rows = []
    for key in keys:
        train, test = (lengths[split].get(key, 0) for split in SPLITS)
        rows.append(f"| {key} | {train} | {test} | {'█' * -(-BAR * train // most)} |")
    return "\n".join(["| tokens | train | test | |", "|---|---:|---:|---|", *rows])


def families_table(families: Mapping[str, Mapping[str, int]]) -> str:
    """Return how many long training rows each family has, beside how many it was to have."""
    rows = [f"| {name} | {family['target']} | {family['rows']} |" for name, family in families.items()]
    return "\n".join(["| family | target | rows |", "|---|---:|---:|", *rows])


def editions_table(editions: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the sizes of the editions."""
    rows = [
        f"| `{name}` | {edition['max_tokens']:,} | {edition['train']['rows']} | {edition['test']['rows']} "
        f"| {edition['train']['tokens']:,} | {listed(edition['left_out'])} |"
        for name, edition in editions.items()
    ]
    head = "| configuration | tokens of a row at most | train | test | training tokens | left out |"
    return "\n".join([head, "|---|---:|---:|---:|---:|---|", *rows])


def listed(counts: Mapping[str, int]) -> str:
    """Return '3 evidence too wide, 1 other', or 'none'."""
    return ", ".join(f"{number} {reason}" for reason, number in sorted(counts.items())) or "none"
