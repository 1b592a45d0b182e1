"""Gather what every stage counted and measured into one page.

Reads   DATA      the outputs of the stages that read, mix and measure, one folder a stage
        MODELS    the models of one recipe: base, extend and sft
Writes  OUT/report.html    one file, the figures inside
        OUT/report.md      the same text and tables
        OUT/metrics.json   the figures that `dvc metrics show` prints
        OUT/losses.csv     training loss by stage and step, for `dvc plots`

Each part of the page is a module of eval/report_parts, which finds them all.
"""

import logging
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import jinja2
import pandas as pd

from eval.report_parts.chart_frame import CSS
from eval.report_parts.charts import bars
from eval.report_parts.part import QUESTIONS, Folders, Part, find_parts
from pipeline.cli import run_stage
from pipeline.files import replacing, write_json
from pipeline.params import Params

ESCAPED = r"\|"  # a bar within a cell of a Markdown table
log = logging.getLogger(__name__)


class ReportParams(Params):
    """Section `report` of params.yaml."""

    title: str


def run(params: ReportParams, *, data: Path, models: Path, out: Path) -> None:
    """Write the report from the folders of the stages."""
    folders = Folders(data, models)
    made: list[Part | None] = [module.make_part(folders) for module in find_parts()]
    parts = [part for part in made if part is not None]
    parts.insert(0, make_overview(parts))
    with replacing(out) as beside:
        beside.mkdir()
        (beside / "report.html").write_text(to_html(params.title, parts), encoding="utf-8")
        (beside / "report.md").write_text(to_markdown(params.title, parts), encoding="utf-8")
        for part in parts:
            for name, frame in part.plots.items():
                frame.to_csv(beside / name, index=False, float_format="%.6f")
        write_json(beside / "metrics.json", {stage: found for part in parts for stage, found in part.metrics.items()})
    log.info("report: %d parts in %s", len(parts), out / "report.html")


def make_overview(parts: Sequence[Part]) -> Part:
    """Return the first screen: what went in, what came out, whether it is better, how sure that is, and one picture."""
    rows = [(*row, "")[:4] for part in parts for row in part.overview]
    found = {question: [part.answers[question] for part in parts if question in part.answers] for question in QUESTIONS}
    found["How sure is that?"].append(
        "Every figure has its own part below, with its n and a 95 % interval. Small runs move little: read the "
        "intervals before the figures."
    )
    compared = [bar for part in parts for bar in part.compared]
    label = "Scores of base and tuned model, each with its 95 % interval"
    return Part(
        "In short",
        "",
        pd.DataFrame(rows, columns=["", "before", "after", "n, and the difference"]),
        bars(compared, y_label="score", label=label, limits=(0, 1)) if compared else "",
        answers={question: " ".join(sentences) for question, sentences in found.items()},
    )


def to_markdown(title: str, parts: Sequence[Part]) -> str:
    """Return the text and tables of the report as Markdown."""
    blocks = [f"# {title}"]
    for part in parts:
        blocks += [f"## {part.title}", *([part.text] if part.text else [])]
        if part is parts[0]:
            blocks += [f"**{question}** {sentences}" for question, sentences in part.answers.items()]
        if part.table is not None:
            blocks.append(write_table(part.table))
        for name, table in part.details:
            blocks += [f"### {name}", write_table(table)]
    return "\n\n".join(blocks) + "\n"


def write_table(table: pd.DataFrame) -> str:
    """Return a table as Markdown."""
    cells = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(str(cell).replace('|', ESCAPED) for cell in row)} |" for row in cells)


def to_html(title: str, parts: Sequence[Part]) -> str:
    """Return the report as one HTML page."""
    template = resources.files("eval").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(title=title, parts=parts, chart_css=CSS)


if __name__ == "__main__":
    run_stage(run)
