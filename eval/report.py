"""Gather what every stage counted and measured into one page.

Reads   the folders of the stages named by the options
Writes  OUT/report.html    one file, the figures inside
        OUT/report.md      the same text and tables
        OUT/metrics.json   the figures that `dvc metrics show` prints
        OUT/losses.csv     training loss by stage and step, for `dvc plots`
"""

import json
import logging
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from eval import report_parts as parts
from eval.report_parts import Part
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.storage.parquet import read_documents

log = logging.getLogger(__name__)


class ReportParams(Params):
    """Section `report` of params.yaml."""

    title: str


def read_json(path: Path) -> Any:
    """Read what a stage counted.

    Raises:
        InputError: The stage has not run.
    """
    return json.loads(require_file(path).read_text(encoding="utf-8"))


def require_file(path: Path) -> Path:
    """Return the path of a file that a stage wrote.

    Raises:
        InputError: The stage has not run.
    """
    if not path.is_file():
        raise InputError(
            path, found="no such file", expected="what the stage before wrote", fix="Run 'dvc repro', or that stage."
        )
    return path


def read_losses(folders: dict[str, Path]) -> pd.DataFrame:
    """Return the training loss of the stages: columns stage, step, loss."""
    logs = [
        pd.read_json(require_file(folder / "log.jsonl"), lines=True).assign(stage=stage)
        for stage, folder in folders.items()
    ]
    return pd.concat(logs).dropna(subset=["loss"])[["stage", "step", "loss"]].reset_index(drop=True)


def to_markdown(title: str, sections: Sequence[Part]) -> str:
    """Return the text and tables of the report as Markdown."""
    blocks = [f"# {title}"]
    for part in sections:
        blocks += [f"## {part.title}", part.text]
        if part.table is not None:
            cells = [list(part.table.columns), ["---"] * len(part.table.columns), *part.table.to_numpy().tolist()]
            blocks.append("\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in cells))
    return "\n\n".join(blocks) + "\n"


def to_html(title: str, sections: Sequence[Part]) -> str:
    """Return the report as one HTML page."""
    template = resources.files("eval").joinpath("report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined)
    return environment.from_string(template).render(title=title, parts=sections)


def run(
    params: ReportParams,
    *,
    extract: Path,
    curate: Path,
    verify: Path,
    dataset: Path,
    base: Path,
    extend: Path,
    sft: Path,
    perplexity: Path,
    passkey: Path,
    out: Path,
) -> None:
    """Write the report from the folders of the stages."""
    losses = read_losses({"extend": extend, "sft": sft})
    measured = {
        "verify": read_json(verify / "report.json"),
        "mix": read_json(dataset / "report.json"),
        "extend": read_json(extend / "metrics.json"),
        "sft": read_json(sft / "metrics.json"),
        "perplexity": read_json(perplexity / "metrics.json"),
        "passkey": read_json(passkey / "metrics.json"),
    }
    native_length = read_json(base / "config.json")["max_position_embeddings"]
    refused = pd.read_json(require_file(curate / "refused.jsonl"), lines=True)
    sections = [
        parts.overview(measured),
        parts.documents(read_documents(extract), refused),
        parts.questions(measured["verify"]),
        parts.dataset(measured["mix"]),
        parts.training(measured["extend"], measured["sft"], losses),
        parts.perplexity(measured["perplexity"], pd.read_csv(perplexity / "positions.csv"), native_length),
        parts.passkey(measured["passkey"]),
    ]
    with replacing(out) as beside:
        beside.mkdir()
        (beside / "report.html").write_text(to_html(params.title, sections), encoding="utf-8")
        (beside / "report.md").write_text(to_markdown(params.title, sections), encoding="utf-8")
        losses.to_csv(beside / "losses.csv", index=False, float_format="%.6f")
        write_json(beside / "metrics.json", measured)
    log.info("report: %d parts in %s", len(sections), out / "report.html")


if __name__ == "__main__":
    run_stage(run)
