"""The dataset: its rows by kind and split."""

import pandas as pd

from eval.report_parts.part import Folders, Part, read_json

ORDER = 30


def make_part(folders: Folders) -> Part:
    """Count the rows of the dataset by kind and split."""
    mixed = read_json(folders.data / "mix" / "report.json")
    splits = ("train", "test")
    kinds = sorted({kind for split in splits for kind in mixed[split]["kinds"]})
    rows = [(kind, *(mixed[split]["kinds"].get(kind, 0) for split in splits)) for kind in kinds]
    return Part(
        "Dataset",
        f"{mixed['train']['rows']} training rows over {mixed['train']['documents']} documents and "
        f"{mixed['test']['rows']} test rows over {mixed['test']['documents']} others; no document is on both sides.",
        pd.DataFrame(rows, columns=["category/task", *splits]),
        answers={
            "What came out?": f"A dataset of {mixed['train']['rows']:,} training rows and {mixed['test']['rows']:,} "
            "test rows, each answer with the words of its documents that bear it out."
        },
        overview=(("training rows (long and short)", "", str(mixed["train"]["rows"])),),
        metrics={"mix": mixed},
    )
