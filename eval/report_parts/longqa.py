"""Questions about held-out documents: five cells, and where the evidence is."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from eval.report_parts.charts import Bar, bars
from eval.report_parts.part import (
    COMPARED,
    Folders,
    Part,
    format_detectable,
    format_hover,
    format_interval,
    format_p,
    judge_difference,
    make_bars,
    read_json,
)

ORDER = 90
WITH_TEXT = {model: f"{model} with the text" for model in COMPARED}
TRAITS = {
    "task": "Score by task",
    "category": "Score by category",
    "position": "Score by the position of the evidence in the text ('lost in the middle')",
    "places": "Score by the number of places that the evidence is in",
    "needs": "Score by whether a question needs the whole text or a part",
}
MEASURES = {
    "score": "score",
    "f1": "F1",
    "exact": "exact",
    "figures": "figures found",
    "evidence": "evidence found",
    "refused_unanswerable": "refused, unanswerable",
    "refused_answerable": "refused, answerable",
}


def make_part(folders: Folders) -> Part:
    """Compare the cells at each length, and the scores by trait."""
    measured = read_json(folders.data / "longqa" / "metrics.json")
    longest = max(measured["cells"], key=int)
    cells, differences = measured["cells"][longest], measured["differences"][longest]
    change = differences["tuned - base, with the text"]
    score = {model: cells[WITH_TEXT[model]]["score"] for model in COMPARED}
    return Part(
        "Questions about held-out documents",
        "Questions about documents that training never saw, answered greedily. Base and tuned model get the text or "
        "nothing; the base model also gets the passages that BM25 finds. A score is the share of the answer's figures "
        "that the reply has (relative tolerance 1 %, with unit and sign), F1 of words for an answer without figures, "
        "and for an unanswerable question whether the reply says so. Brackets are 95 % bootstrap intervals over "
        "documents, each with the weight of its questions; n is the number of documents. Differences are paired by "
        "document, p is that of a sign-flip test by Holm's correction. The original's announcement compared tuned "
        "with the text against base without it: one line of the second table.",
        pd.DataFrame(list(list_cells(measured["cells"])), columns=["length", "cell", *MEASURES.values(), "questions"]),
        bars(list(list_bars(measured["cells"])), y_label="score", label="Score by cell and length", limits=(0, 1))
        + draw_positions(measured["traits"]["position"]),
        details=(
            (
                "Differences of scores",
                pd.DataFrame(
                    list(list_differences(measured["differences"])),
                    columns=["length", "what", "difference", "p (Holm)", "detectable", "documents"],
                ),
            ),
            *((title, tabulate(measured["traits"][trait])) for trait, title in TRAITS.items()),
        ),
        overview=(
            (
                f"score of questions about held-out documents, {int(longest):,} tokens",
                *(format_interval(score[model], "{:.2f}") for model in COMPARED),
                f"{change['n']} documents; {format_interval(change, '{:+.2f}')}",
            ),
        ),
        answers={
            "Is it better?": "Answers to questions about held-out documents are "
            f"{describe(judge_difference(change))} ({format_interval(change, '{:+.2f}')} of 1)."
        },
        compared=make_bars("questions", score),
        metrics={"longqa": measured},
    )


def describe(verdict: str) -> str:
    """Return a verdict on scores in words."""
    return {"higher": "better", "lower": "worse"}.get(verdict, "not told apart from the base model's")


def list_cells(cells: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each length and cell."""
    for length, by_cell in sorted(cells.items(), key=lambda item: int(item[0])):
        for cell, found in by_cell.items():
            shown = (format_interval(found[name], "{:.2f}") if name in found else "" for name in MEASURES)
            yield (f"{int(length):,}", cell, *shown, found["num_questions"])


def list_bars(cells: Mapping[str, Mapping[str, Any]]) -> Iterator[Bar]:
    """Yield the bar of each cell, grouped by length."""
    for length, by_cell in sorted(cells.items(), key=lambda item: int(item[0])):
        for cell, found in by_cell.items():
            score, group = found["score"], f"{int(length):,} tokens"
            hover = f"{cell}, {group}: {format_hover(score)} documents"
            yield Bar(group, cell, score["value"], score["low"], score["high"], hover)


def draw_positions(by_part: Mapping[str, Mapping[str, Any]]) -> str:
    """Draw the score with the text by the fifth of the text that the evidence is in."""
    found = [
        Bar(part, model, cell["value"], cell["low"], cell["high"], f"{part} of the text, {model}: {format_hover(cell)}")
        for part, cells in sorted(by_part.items(), key=lambda item: int(item[0].partition("-")[0]))
        for model, name in WITH_TEXT.items()
        for cell in (cells[name],)
    ]
    return bars(found, y_label="score", label="Score by the position of the evidence in the text", limits=(0, 1))


def list_differences(differences: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each length and pair of cells."""
    for length, by_pair in sorted(differences.items(), key=lambda item: int(item[0])):
        for pair, found in by_pair.items():
            yield (
                f"{int(length):,}",
                pair,
                format_interval(found, "{:+.2f}"),
                format_p(found),
                format_detectable(found, "{:.2f}"),
                found["n"],
            )


def tabulate(by_value: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Return the scores with the text by the values of a trait."""
    rows = [
        (
            value,
            *(format_interval(cells[WITH_TEXT[model]], "{:.2f}") for model in COMPARED),
            cells[WITH_TEXT["base"]]["num_questions"],
        )
        for value, cells in by_value.items()
    ]
    return pd.DataFrame(rows, columns=["", *COMPARED, "questions"])
