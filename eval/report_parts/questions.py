"""The questions: how many examples verification accepted by task, and how many it refused, by reason."""

import pandas as pd

from eval.report_parts.part import Folders, Part, read_json
from pipeline.rejections import list_rejections

ORDER = 20


def make_part(folders: Folders) -> Part:
    """Count the accepted examples by task, and the refused ones by reason."""
    verified = read_json(folders.data / "verify" / "report.json")
    rows = sorted(verified["accepted_by_task"].items())
    places = ", ".join(f"{number} in {bucket}" for bucket, number in verified["places_of_evidence"].items())
    return Part(
        "Questions",
        "Each accepted answer carries the words of the document that hold it, at the place where they stand; "
        f"verification {list_rejections(verified['refused_by_reason'])}. By the number of places of their documents "
        f"that their evidence is in: {places}.",
        pd.DataFrame(rows, columns=["task", "accepted"]),
        metrics={"verify": verified},
    )
