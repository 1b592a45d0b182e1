"""Pass keys: the share found by length."""

import pandas as pd

from eval import figures
from eval.report_parts.part import Folders, Part, format_share, read_json

ORDER = 60


def make_part(folders: Folders) -> Part:
    """Compare the share of pass keys found by length."""
    measured = read_json(folders.data / "passkey" / "metrics.json")
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
    overview = []
    for length, models in sorted(measured["lengths"].items(), key=lambda item: int(item[0])):
        base, tuned = (format_share(models[model]["found"]) for model in ("base", "tuned"))
        overview.append((f"pass keys found at {int(length):,} tokens", base, tuned))
    return Part(
        "Pass keys",
        "A five-digit key hidden at depths from the start to the end of idle text; it is found when greedy decoding "
        "would give all its digits. Intervals are Wilson's, 95 %.",
        pd.DataFrame(rows, columns=["length", "model", "found", "nats a digit", "trials"]),
        figures.draw_passkeys(frame),
        overview=tuple(overview),
        metrics={"passkey": measured},
    )
