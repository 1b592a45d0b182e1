"""The report is one page with every figure in it."""

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from eval.report import ReportParams, run
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import write_documents

STAGES = ("extract", "curate", "verify", "dataset", "base", "extend", "sft", "perplexity", "passkey")


def split(**counts: int) -> dict[str, object]:
    return {"rows": 3, "tokens": 9, "documents": 2, "kinds": counts, "licences": {}, "teachers": {}, "lengths": {}}


def cell(value: float) -> dict[str, object]:
    return {"found": {"value": value, "low": value / 2, "high": value}, "nll": 1.5, "num_trials": 10}


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    folders = {name: tmp_path / name for name in STAGES}
    for folder in folders.values():
        folder.mkdir()
    documents = [
        Document("a", "book", "a.txt", num_tokens=4_321, text="x", reader="text"),
        Document("b", "report", "b.pdf", error="<b>encrypted</b>"),
    ]
    write_documents(folders["extract"] / "documents-00000.parquet", documents)
    (folders["curate"] / "refused.jsonl").write_text('{"doc_id": "b", "reason": "unreadable: x", "source": "b"}\n')
    contents = {
        "verify/report.json": {"accepted_by_task": {"speech": 7}, "refused_by_reason": {"no <evidence>": 2}},
        "dataset/report.json": {"train": split(**{"book/speech": 3}), "test": split(**{"book/speech": 1})},
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
            "beyond_native": {
                "base": 4.5,
                "tuned": 1.125,
                "difference_nats": {"value": -3.375, "low": -4.0, "high": -3.0},
                "num_documents": 3,
                "from_position": 32,
            },
            "lengths": {
                "64": {
                    "base": 20.0,
                    "tuned": 10.0,
                    "difference_nats": {"value": -0.69, "low": -0.8, "high": -0.5},
                    "num_documents": 3,
                }
            },
        },
        "passkey/metrics.json": {
            "lengths": {"64": {"base": cell(0.1), "tuned": cell(0.9)}, "128": {"base": cell(1.0), "tuned": cell(0.0)}}
        },
    }
    for name, content in contents.items():
        (tmp_path / name).write_text(json.dumps(content))
    for stage in ("extend", "sft"):
        lines = [json.dumps({"step": step, "loss": 3.0 / step}) for step in (1, 2)]
        (folders[stage] / "log.jsonl").write_text("\n".join(lines) + "\n")
    rows = [f"{model},{position},{position / 32}" for model in ("base", "tuned") for position in (32, 64)]
    (folders["perplexity"] / "positions.csv").write_text("model,position,nll\n" + "\n".join(rows) + "\n")
    return folders


def test_the_page_holds_its_figures_and_needs_nothing_else(folders, tmp_path: Path) -> None:
    run(ReportParams(title="A & B"), **folders, out=tmp_path / "report")
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert page.count("<svg") == 3
    assert "<title>A &amp; B</title>" in page
    for word in ("src=", "<link", "<script", "no <evidence>"):
        assert word not in page
    for figure in (
        "4,321",
        "20.00",
        "10.00",
        "-0.690 [-0.800, -0.500]",
        "90% [45%, 90%]",
        "1.125",
        "-3.375 [-4.000, -3.000]",
        "2.500",
        "1.250",
        "1,234",
    ):
        assert figure in page


def test_markdown_and_metrics_tell_the_same(folders, tmp_path: Path) -> None:
    run(ReportParams(title="T"), **folders, out=tmp_path / "report")
    text = (tmp_path / "report" / "report.md").read_text(encoding="utf-8")
    assert "| perplexity at 64 tokens | 20.00 | 10.00 |" in text
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert metrics["perplexity"]["lengths"]["64"]["tuned"] == 10.0
    assert metrics["sft"]["answer_nll"]["after"] == 1.25


def test_equal_measurements_give_equal_bytes(folders, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run(ReportParams(title="T"), **folders, out=tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_stage_that_has_not_run_is_named(folders, tmp_path: Path) -> None:
    (folders["passkey"] / "metrics.json").unlink()
    with pytest.raises(InputError, match=r"passkey/metrics\.json: found no such file"):
        run(ReportParams(title="T"), **folders, out=tmp_path / "report")
