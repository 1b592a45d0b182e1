"""What a part of the report is, and how the report finds all of them.

A part is a module of this package with `ORDER`, its position in the report, and `make_part(folders)`, which returns
None where a measure that is no stage of the graph has not run. A new measure adds one here; nothing lists them.
"""

import importlib
import json
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

import pandas as pd

import eval.report_parts
from eval.report_parts.charts import Bar
from pipeline.errors import InputError

Question = Literal["What went in?", "What came out?", "Is it better?", "How sure is that?"]
QUESTIONS: tuple[Question, ...] = get_args(Question)
COMPARED = ("base", "tuned")


@dataclass(frozen=True)
class Folders:
    """Where the stages wrote their outputs, one folder a stage in each of these."""

    data: Path  # of documents, the dataset and measures
    models: Path  # of the recipe's base, extend and sft


@dataclass(frozen=True)
class Part:
    """One part of the report, and what it adds to the files that are about all parts."""

    title: str
    text: str
    table: pd.DataFrame | None = None
    figure: str = ""  # SVG elements
    details: tuple[tuple[str, pd.DataFrame], ...] = ()  # further tables, each with its title, folded away at first
    answers: Mapping[Question, str] = field(default_factory=dict)  # sentences for the first screen
    compared: tuple[Bar, ...] = ()  # scores from 0 to 1 for the picture of the first screen, series as in COMPARED
    overview: tuple[tuple[str, ...], ...] = ()  # rows of the table at the top: what, before, after, and if measured n
    metrics: Mapping[str, Any] = field(default_factory=dict)  # by stage, for metrics.json
    plots: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # by file name, for `dvc plots`


def find_parts() -> list[ModuleType]:
    """Return the modules of all parts, in their order."""
    names = sorted(module.name for module in pkgutil.iter_modules(eval.report_parts.__path__))
    modules = [importlib.import_module(f"eval.report_parts.{name}") for name in names]
    return sorted((module for module in modules if hasattr(module, "make_part")), key=lambda module: module.ORDER)


def read_json(path: Path) -> Any:
    """Return what a stage wrote as JSON.

    Raises:
        InputError: The stage has not run.
    """
    return json.loads(require_file(path).read_text(encoding="utf-8"))


def require_file(path: Path) -> Path:
    """Return the path of a file that a stage writes.

    Raises:
        InputError: The stage has not run.
    """
    if not path.is_file():
        raise InputError(
            path, found="no such file", expected="an output of an earlier stage", fix="Run 'dvc repro', or that stage."
        )
    return path


def format_difference(difference: Mapping[str, Any]) -> str:
    """Return a difference with its interval, like '-0.690 [-0.800, -0.500]'."""
    return format_interval(difference, "{:+.3f}")


def format_share(found: Mapping[str, Any]) -> str:
    """Return a share with its interval in per cent, like '90% [45%, 100%]'."""
    return format_interval(found, "{:.0%}")


def format_interval(interval: Mapping[str, Any], number: str) -> str:
    """Return an estimate with its interval, each as `number` formats it, or saying that n is too small for one."""
    if interval["low"] is None:
        return f"{number.format(interval['value'])} [no interval: n = {interval['n']}]"
    return f"{number} [{number}, {number}]".format(*(interval[key] for key in ("value", "low", "high")))


def make_bars(group: str, intervals: Mapping[str, Mapping[str, Any]]) -> tuple[Bar, ...]:
    """Return the bars of base and tuned model for the first screen, from their intervals by model."""
    return tuple(
        Bar(group, model, found["value"], found["low"], found["high"], f"{group}, {model}: {format_hover(found)}")
        for model, found in intervals.items()
    )


def format_hover(found: Mapping[str, Any]) -> str:
    """Return a share as the hover of a chart says it, like '90% [45%, 100%], n = 10'."""
    return f"{format_share(found)}, n = {found['n']}"


def judge_difference(difference: Mapping[str, Any]) -> str:
    """Say in words which way a difference goes, as far as its interval tells: 'higher', 'lower' or 'not told apart'."""
    if difference["low"] is None or difference["low"] <= 0 <= difference["high"]:
        return "not told apart"
    return "higher" if difference["low"] > 0 else "lower"


def format_p(difference: Mapping[str, Any]) -> str:
    """Return the p of a difference after Holm's correction, like '0.25'."""
    return f"{difference['p_holm']:.2g}"


def format_detectable(difference: Mapping[str, Any], number: str) -> str:
    """Return the difference that would have been found in 80 % of cases, or 'none' where n is too small for any."""
    return "none" if difference["detectable"] is None else number.format(difference["detectable"])


def format_length(length: int | None) -> str:
    """Return an effective length, like '8,192 tokens', or 'none' where not even the shortest text is handled."""
    return "none" if length is None else f"{length:,} tokens"
