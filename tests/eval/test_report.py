"""The report is one page with every figure in it."""

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

import eval.report_parts
from eval.report import ReportParams, run
from eval.report_parts.training import describe_training
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import write_documents

MODELS = ("base", "extend", "sft")
STAGES = ("extract", "curate", "verify", "mix", *MODELS, "perplexity", "passkey", "needle", "ruler", "longqa", "demos")
LORA = {
    "method": "lora",
    "lora_rank": 8,
    "lora_targets": ["q_proj", "v_proj"],
    "fully_trained": ["embed_tokens", "norm"],
    "group_size": 2_048,
}
FULL = {"method": "full", "lora_rank": 8, "lora_targets": [], "fully_trained": [], "group_size": None}
NEW_PART = """
from eval.report_parts.part import Part

ORDER = 55


def make_part(folders):
    found = (folders.data / "guess.txt").read_text()
    return Part("Guesses", f"It guessed {found}.", overview=(("guess", "", found),), metrics={"guess": found})
"""


def split(**counts: int) -> dict[str, object]:
    return {"rows": 3, "tokens": 9, "documents": 2, "kinds": counts, "licences": {}, "teachers": {}, "lengths": {}}


def interval(value: float, low: float | None, high: float | None, n: int = 3) -> dict[str, object]:
    return {"value": value, "low": low, "high": high, "n": n}


def difference(value: float, low: float | None, high: float | None, n: int = 3) -> dict[str, object]:
    return {**interval(value, low, high, n), "p": 0.25, "p_holm": 0.5, "detectable": 1.625}


def compared(base: float, tuned: float, of_difference: tuple) -> dict[str, object]:
    intervals = {"base": interval(base, base - 1, base + 1), "tuned": interval(tuned, None, None, 1)}
    values = {"base": base, "tuned": tuned, "num_documents": 3}
    return {**values, "intervals": intervals, "difference_nats": difference(*of_difference)}


def cell(value: float) -> dict[str, object]:
    depths = [{"depth": 0, **interval(value, value / 2, value, 10)}]
    found = {"found": interval(value, value / 2, value, 10), "nll": interval(1.5, 1.25, 1.75, 10), "num_trials": 10}
    return {**found, "depths": depths}


def make_longqa() -> dict[str, object]:
    cells = ("base with the text", "base without it", "base with passages", "tuned with the text", "tuned without it")
    scored = {"num_questions": 6, "score": interval(0.25, 0.125, 0.5), "f1": interval(0.375, None, None, 1)}
    with_text = {
        cell: interval(0.75, 0.5, 1) | {"num_questions": 4} for cell in cells if cell.endswith("with the text")
    }
    return {
        "cells": {"64": dict.fromkeys(cells, scored)},
        "differences": {"64": {"tuned - base, with the text": difference(0.5, 0.25, 0.75)}},
        "traits": {
            "task": {"cell": with_text},
            "category": {"book": with_text},
            "position": {"0-20 %": with_text},
            "places": {"1": with_text},
            "needs": {"part": with_text},
        },
    }


def needles(value: float) -> dict[str, object]:
    found = interval(value, value - 0.125, value + 0.125, 20)
    return {"found": found, "num_trials": 20, "num_texts": 4, "nll": None, "depths": [{"depth": 0.5, **found}]}


def tasks(value: float) -> dict[str, object]:
    own = {"vt": interval(value, value - 0.125, value + 0.125, 13), "mrcr_2": interval(0.25, 0.0, 1.0, 1)}
    return {"tasks": own, "score": own["vt"], "num_tasks": 13}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    folders = {name: tmp_path / ("models" if name in MODELS else "data") / name for name in STAGES}
    for folder in folders.values():
        folder.mkdir(parents=True)
    documents = [
        Document("a", "book", "a.txt", num_tokens=4_321, text="x", reader="text"),
        Document("b", "report", "b.pdf", error="<b>encrypted</b>"),
    ]
    write_documents(folders["extract"] / "documents-00000.parquet", documents)
    (folders["curate"] / "refused.jsonl").write_text('{"doc_id": "b", "reason": "unreadable: x", "source": "b"}\n')
    contents = {
        "verify/report.json": {
            "accepted_by_task": {"speech": 7},
            "refused_by_reason": {"no <evidence>": 2},
            "places_of_evidence": {"1": 5, "2-3": 2, "4-5": 0, "6+": 0},
        },
        "mix/report.json": {"train": split(**{"book/speech": 3}), "test": split(**{"book/speech": 1})},
        "base/config.json": {"max_position_embeddings": 32},
        "extend/metrics.json": {"steps": 2, "tokens_seen": 99, "trainable_parameters": {"total": 1_234}},
        "sft/metrics.json": {
            "steps": 2,
            "answer_nll": {"before": 2.5, "after": 1.25},
            "refused": {"train": 1, "test": 0},
            "train": {"rows": 3, "tokens": 88, "answer_tokens": 9},
            "test": {"rows": 1, "tokens": 30, "answer_tokens": 3},
            "trainable_parameters": {"total": 1_234},
        },
        "perplexity/metrics.json": {
            "protocol": "per_doc",
            "beyond_native": {**compared(4.5, 1.125, (-3.375, -4.0, -3.0)), "from_position": 32},
            "lengths": {
                "64": {**compared(20.0, 10.0, (-0.69, -0.8, -0.5)), "last_quarter": compared(2.25, 2.5, (0.25, 0, 1))}
            },
            "contexts": {
                "num_last": 16,
                "loss": {"8": compared(3.5, 3.0, (-0.5, -1, 0)), "all": compared(2.75, 2.0, (-0.75, -1, 0))},
                "gain": {"8": compared(0.75, 1.0, (0.25, 0, 1))},
            },
            "longppl": {"8": {**compared(6.25, 5.5, (-0.1, None, None)), "num_tokens": 4}},
        },
        "passkey/metrics.json": {
            "effective_lengths": {"base": 64, "tuned": None},
            "lengths": {"64": {"base": cell(0.1), "tuned": cell(0.9)}, "128": {"base": cell(1.0), "tuned": cell(0.0)}},
            "differences": {
                length: {
                    "found": difference(0.8, 0.25, 0.95, 10),
                    "nll": {**difference(0, -1, 1, 10), "detectable": None},
                }
                for length in ("64", "128")
            },
        },
        "needle/metrics.json": {
            "effective_lengths": {"base": 64, "tuned": 64},
            "lengths": {"64": {"base": needles(0.5), "tuned": needles(0.75)}},
            "differences": {"64": difference(0.25, 0.0, 0.5, 4)},
        },
        "ruler/metrics.json": {
            "effective_lengths": {"base": 64, "tuned": None},
            "lengths": {"64": {"base": tasks(0.625), "tuned": tasks(0.375)}},
            "differences": {"64": difference(-0.25, -0.5, 0.125, 13)},
            "max_reply_tokens": 48,
            "refused": {"longer than the model's context": 2},
        },
    }
    contents["longqa/metrics.json"] = make_longqa()
    contents["demos/metrics.json"] = {
        "novel": {"a": {"the gold reason": {"base": interval(0, 0, 0.75, 1), "tuned": interval(1, 0.25, 1, 1)}}}
    }
    said = {"demonstration": "novel", "variant": "a", "model": "base", "sample": 0, "reply": "Because | of rain."}
    (folders["demos"] / "transcripts.jsonl").write_text(json.dumps(said) + "\n")
    contents |= {"extend/training.json": LORA, "sft/training.json": {**LORA, "group_size": 512}}
    for name, content in contents.items():
        stage, _, file = name.partition("/")
        (folders[stage] / file).write_text(json.dumps(content))
    for stage in ("extend", "sft"):
        lines = [json.dumps({"step": step, "loss": 3.0 / step}) for step in (1, 2)]
        (folders[stage] / "log.jsonl").write_text("\n".join(lines) + "\n")
    rows = [
        f"{model},{position},{position / 32},{position / 64},{position / 16},3"
        for model in ("base", "tuned")
        for position in (32, 64)
    ]
    (folders["perplexity"] / "positions.csv").write_text("model,position,nll,low,high,n\n" + "\n".join(rows) + "\n")
    return folders


@pytest.fixture
def inputs(folders, tmp_path: Path) -> dict[str, Path]:
    """The options of the stage."""
    return {"data": tmp_path / "data", "models": tmp_path / "models"}


def test_the_page_holds_its_figures_and_needs_nothing_else(inputs, tmp_path: Path) -> None:
    run(ReportParams(title="A & B"), **inputs, out=tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert page.count("<svg") == 9
    assert "<title>A &amp; B</title>" in page
    for word in ("src=", "<link", "url(", "http://", "https://", "no <evidence>"):
        assert word not in page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    for figure in (
        "4,321",
        "20.00",
        "10.00",
        "-0.690 [-0.800, -0.500]",
        "90% [45%, 90%]",
        "20.00 [19.00, 21.00]",
        "10.00 [no interval: n = 1]",
        "3 documents; -0.690 [-0.800, -0.500] nats",
        "loss in the last quarter of 64 tokens",
        "loss of the last 16 tokens behind 8 tokens and more",
        "+0.750 [-0.250, +1.750]",
        "LongPPL, short context 8 tokens, 4 key tokens of the base model",
        "10 trials; +80% [+25%, +95%]",
        "1.50 [1.25, 1.75]",
        "162%",
        "none",
        "1.125",
        "-3.375 [-4.000, -3.000]",
        "2.500",
        "1.250",
        "1,234",
        "2 files with 4,321 tokens, of which curation refused 1.",
        "Held-out text of 64 tokens is predicted better than before training: -0.690 [-0.800, -0.500] nats a token.",
        "Pass keys in 128 tokens are found more often, as far as 10 trials tell.",
        "Answers to questions about held-out documents are better (+0.50 [+0.25, +0.75] of 1).",
        "0.38 [no interval: n = 1]",
        "Because | of rain.",
        "81.9, 80.4, 75.6, 65.1; effective length 8k",
        "75% [62%, 88%]",
        "mean of 13 tasks",
        "-25% [-50%, +12%]",
        "refused 2 (2 longer than the model&#39;s context)",
    ):
        assert figure in page


def test_markdown_and_metrics_tell_the_same(inputs, tmp_path: Path) -> None:
    run(ReportParams(title="T"), **inputs, out=tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "| perplexity at 64 tokens | 20.00 | 10.00 |" in text
    assert "| novel | a | base | Because \\| of rain. |" in text
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics["perplexity"]["lengths"]["64"]["tuned"] == 10.0
    assert metrics["sft"]["answer_nll"]["after"] == 1.25


def test_equal_measurements_give_equal_bytes(inputs, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(ReportParams(title="T"), **inputs, out=tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_protocol_of_streams_has_rows_by_length_alone(folders, inputs, tmp_path: Path) -> None:
    file = folders["perplexity"] / "metrics.json"
    measured = json.loads(file.read_text())
    del measured["lengths"]["64"]["last_quarter"]
    file.write_text(json.dumps({"protocol": "longlora", "lengths": measured["lengths"]}))
    (folders["perplexity"] / "positions.csv").unlink()
    run(ReportParams(title="T"), **inputs, out=tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "by the protocol longlora" in text
    part = text[text.index("## Perplexity") : text.index("## Pass keys")]
    assert [line.split("|")[1].strip() for line in part.splitlines() if line.startswith("|")] == [
        "what", "---", "perplexity at 64 tokens"
    ]  # fmt: skip


def test_a_stage_that_has_not_run_is_named(folders, inputs, tmp_path: Path) -> None:
    (folders["passkey"] / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"passkey/metrics\.json: found no such file"):
        run(ReportParams(title="T"), **inputs, out=tmp_path / "report")


def test_a_new_measure_is_one_file_that_the_report_finds(inputs, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "guess.py").write_text(NEW_PART)
    (inputs["data"] / "guess.txt").write_text("42")
    monkeypatch.setattr(eval.report_parts, "__path__", [*eval.report_parts.__path__, str(tmp_path / "parts")])
    try:
        run(ReportParams(title="T"), **inputs, out=tmp_path / "report")
    finally:
        sys.modules.pop("eval.report_parts.guess", None)
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "| guess |  | 42 |" in text
    assert text.index("## Perplexity") < text.index("## Guesses\n\nIt guessed 42.") < text.index("## Pass keys")
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["guess"] == "42"


@pytest.mark.parametrize(
    ("extend", "sft", "sentence"),
    [
        (
            LORA,
            {**LORA, "group_size": 512},
            "Both stages trained LoRA of rank 8 on q_proj and v_proj, and all of embed_tokens and norm, under shifted "
            "sparse attention in groups of 2,048 tokens (extend) and shifted sparse attention in groups of 512 tokens "
            "(sft).",
        ),
        (FULL, FULL, "Both stages trained every weight, under full attention."),
        (
            {**LORA, "method": "qlora", "lora_targets": ["q", "k", "v"], "fully_trained": []},
            FULL,
            "Trained by extend: LoRA of rank 8 on q, k and v over weights in 4 bits, under shifted sparse attention in "
            "groups of 2,048 tokens; by sft: every weight, under full attention.",
        ),
    ],
)
def test_the_report_says_what_the_recipe_trained(extend, sft, sentence: str) -> None:
    assert describe_training({"extend": extend, "sft": sft}) == sentence
