"""The judge: how often the tuned model's answer is preferred, in both orders."""

import pandas as pd

from eval.report_parts.charts import Bar, bars
from eval.report_parts.part import Folders, Part, format_interval, format_p, format_share, read_json
from pipeline.rejections import list_rejections

ORDER = 75


def make_part(folders: Folders) -> Part | None:
    """Show the shares won, tied and lost; None if nothing was judged."""
    path = folders.data / "judge" / "metrics.json"
    if not path.is_file():
        return None
    measured = read_json(path)
    num = measured["win_rate"]["n"]
    counts = {"tuned wins": measured["wins"], "ties": measured["ties"], "tuned loses": measured["losses"]}
    rows = [
        ("share won by the tuned model, ties half", format_share(measured["win_rate"]), num),
        ("the same at equal length", format_share(measured["length_controlled"]), num),
        ("pairs whose verdict changes with the order", format_share(measured["order_decides"]), num),
        ("verdicts for the answer that came first", f"{measured['first_preferred']:.0%}", 2 * num),
        *((name, str(count), num) for name, count in counts.items()),
        ("cost", f"{measured['cost']['cost']:.4f}", num),
    ]
    difference = measured["difference"]
    return Part(
        "Judge",
        f"{measured['model']} compared both models' answers to each question in both orders (prompt "
        f"{measured['prompt_version']}). A pair counts once, by the mean of its two verdicts. Intervals are 95 %: "
        "Wilson's, which is wide enough for scores of 0, a half and 1; bootstrap over questions at equal length. "
        f"The share differs from a half by {format_interval(difference, '{:+.0%}')}, p = {format_p(difference)} (sign "
        "flips). "
        "Judges favour long answers, the first place and their own kind; read this beside the measures without one. "
        f"Of the pairs, the measure {list_rejections(measured['refused'])}.",
        pd.DataFrame(rows, columns=["what", "value", "n"]),
        bars(
            [Bar(name, "questions", count, None, None, f"{name}: {count} of {num}") for name, count in counts.items()],
            y_label="questions",
            label="Questions won, tied and lost by the tuned model",
            number="{:.0f}",
        ),
        overview=(
            (f"answers preferred by {measured['model']}", "", format_share(measured["win_rate"]), f"{num} pairs"),
        ),
        metrics={"judge": measured},
    )
