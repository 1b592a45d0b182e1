"""Compare runs side by side: the figures of each measure, and how far each run is from the first, with intervals.

`dvc metrics diff` subtracts figures; this pairs the records behind them. Runs are folders, Git revisions or experiments
of DVC. Records that one of two runs lacks are left out, and counted; all differences together are one family for Holm's
correction.
"""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from eval.report_parts.part import format_detectable, format_interval, format_p
from eval.run_records import MEASURES, Measure, open_run, read_records, read_settings
from eval.stats import (
    Difference,
    Interval,
    bootstrap_mean,
    compare_means,
    compare_shares,
    correct_family,
    wilson,
)
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.files import write_json

COLUMNS = ("measure", "length", "run", "value", "difference to the first", "p (Holm)", "detectable", "n", "left out")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Compared:
    """A run at one length of a measure, beside the first run."""

    measure: str
    length: int
    run: str
    value: dict[str, Any]
    difference: Difference | None  # None for the first run, and where nothing can be paired
    num_left_out: int  # records of either run that the other lacks
    remark: str = ""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own.add_argument("runs", nargs="+", metavar="RUN", help="a folder, or a revision or experiment of DVC")
    own.add_argument("--model", choices=("tuned", "base"), default="tuned", help="which of the two models of a run")
    own.add_argument("--resamples", type=int, default=10_000, help="of the bootstrap")
    own.add_argument("--seed", type=int, default=2023, help="of the bootstrap")
    own.add_argument("--out", type=Path, default=None, metavar="FILE", help="also written as JSON")
    return own


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca compare`."""
    own = parser()
    options = own.parse_args(argv)
    if len(options.runs) < 2:
        own.error("name at least two runs")
    log_to_stderr()
    with exit_on_input_error("compare"), ExitStack() as stack:
        folders = {run: stack.enter_context(open_run(run)) for run in dict.fromkeys(options.runs)}
        found = [one for measure in MEASURES for one in compare_measure(measure, folders, options)]
        corrected = correct_family({f"{number}": one.difference for number, one in enumerate(found) if one.difference})
        rows = [(one, corrected.get(f"{number}")) for number, one in enumerate(found)]
        sys.stdout.write(write_table(rows))
        if options.out:
            write_json(options.out, [{**asdict(one), "difference": difference} for one, difference in rows])


def compare_measure(measure: Measure, folders: dict[str, Path], options: argparse.Namespace) -> Iterator[Compared]:
    """Yield each run at each length of a measure."""
    records = {run: read_records(folder, measure, options.model) for run, folder in folders.items()}
    own = {run: rows for run, rows in records.items() if rows is not None and len(rows)}
    settings = {run: read_settings(folders[run], measure) for run in own}
    for length in sorted({int(length) for rows in own.values() for length in rows["length"]}):
        first: tuple[str, pd.DataFrame] | None = None
        for run, rows in own.items():
            here = rows[rows["length"] == length]
            if len(here):
                is_alike = first is None or settings[run] == settings[first[0]]
                yield compare_run(measure, length, run, here, first, options, is_alike=is_alike)
                first = first or (run, here)


def compare_run(
    measure: Measure,
    length: int,
    run: str,
    rows: pd.DataFrame,
    first: tuple[str, pd.DataFrame] | None,
    options: argparse.Namespace,
    *,
    is_alike: bool,
) -> Compared:
    """Return a run beside the first one."""
    value = asdict(estimate(rows, measure, options))
    if first is None:
        return Compared(measure.name, length, run, value, None, 0)
    if not is_alike:
        said = f"not comparable: another {' or '.join(measure.same)}"
        return Compared(measure.name, length, run, value, None, len(rows), said)
    identity = list(dict.fromkeys((*measure.unit, *measure.identity)))
    pairs = first[1].merge(rows, on=identity, suffixes=("_first", "_run"))
    num_left_out = len(first[1]) + len(rows) - 2 * len(pairs)
    if pairs.empty:
        return Compared(measure.name, length, run, value, None, num_left_out, "not comparable: nothing in common")
    return Compared(measure.name, length, run, value, pair(pairs, measure, options), num_left_out)


def estimate(rows: pd.DataFrame, measure: Measure, options: argparse.Namespace) -> Interval:
    """Return the mean of a run: a share with Wilson's interval where each unit is found or not."""
    grouped = rows.groupby(list(measure.unit))[measure.value]
    means, counts = grouped.mean(), list(grouped.size())
    if is_yes_or_no(means) and max(counts) == 1:
        return wilson(int(means.sum()), len(means))
    return bootstrap_mean(list(means), options.resamples, options.seed, counts)


def pair(pairs: pd.DataFrame, measure: Measure, options: argparse.Namespace) -> Difference:
    """Return the paired difference of a run and the first one, over what is independent."""
    grouped = pairs.groupby(list(measure.unit))
    left, right = (grouped[f"{measure.value}_{side}"].mean() for side in ("run", "first"))
    counts = list(grouped.size())
    if is_yes_or_no(left) and is_yes_or_no(right) and max(counts) == 1:
        return compare_shares(list(left == 1), list(right == 1))
    return compare_means(list(left), list(right), options.resamples, options.seed, counts)


def is_yes_or_no(values: "pd.Series[float]") -> bool:
    """Say whether all values are 0 or 1."""
    return bool(values.isin([0.0, 1.0]).all())


def write_table(rows: Sequence[tuple[Compared, dict[str, Any] | None]]) -> str:
    """Return the comparison as a Markdown table."""
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    for one, difference in rows:
        said = format_interval(difference, "{:+.3f}") if difference else one.remark
        tested = (format_p(difference), format_detectable(difference, "{:.3f}")) if difference else ("", "")
        number = difference["n"] if difference else one.value["n"]
        value = format_interval(one.value, "{:.3f}")
        lines.append(
            (one.measure, f"{one.length:,}", one.run, value, said, *tested, str(number), str(one.num_left_out))
        )
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


if __name__ == "__main__":
    main()
