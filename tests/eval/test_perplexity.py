"""Perplexity by the protocol per_doc."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM

from eval.perplexity import PerplexityParams, run
from eval.scoring import load_model, load_tokenizer, score_tokens
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import read_documents, write_documents

PARAMS = PerplexityParams(lengths=[16, 64], num_documents=3, num_resamples=200, dtype="float32", seed=1)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    texts = [f"Document {number}. " + "The fox sat on the wall in 1923. " * 60 for number in range(5)]
    rows = [
        Document(str(number), "book", f"{number}.txt", text=text, split="train" if number == 4 else "test")
        for number, text in enumerate(texts)
    ]
    rows.append(Document("short", "book", "short.txt", text="The fox.", split="test"))
    write_documents(tmp_path / "curate" / "documents-00000.parquet", rows)
    return tmp_path / "curate"


@pytest.fixture
def tuned(tmp_path: Path, tiny_model: Path, tiny_tokenizer) -> Path:
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    with torch.no_grad():
        model.model.norm.weight.mul_(1.5)
    model.save_pretrained(tmp_path / "tuned")
    tiny_tokenizer.save_pretrained(tmp_path / "tuned")
    return tmp_path / "tuned"


def test_token_scores_are_those_of_the_models_own_logits(tiny_model: Path, monkeypatch) -> None:
    monkeypatch.setattr("eval.scoring.TOKENS_PER_CHUNK", 7)
    model = load_model(tiny_model, "float32")
    ids = torch.randint(0, 300, (2, 40), generator=torch.Generator().manual_seed(0))
    losses, hits = score_tokens(model, ids)
    with torch.no_grad():
        logits = model(ids).logits[:, :-1]
    expected = -logits.log_softmax(dim=-1).gather(2, ids[:, 1:, None])[..., 0]
    torch.testing.assert_close(losses, expected, rtol=1e-5, atol=1e-5)
    assert torch.equal(hits, logits.argmax(dim=-1) == ids[:, 1:])
    assert losses.shape == (2, 39)
    last_losses, last_hits = score_tokens(model, ids, 11)
    torch.testing.assert_close(last_losses, losses[:, -11:])
    assert torch.equal(last_hits, hits[:, -11:])


def test_lengths_are_prefixes_of_one_pass_over_held_out_documents(tmp_path, tiny_model, tuned, documents) -> None:
    run(PARAMS, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / "out")
    rows = pd.read_json(tmp_path / "out" / "documents.jsonl", lines=True, dtype={"doc_id": str})
    assert set(rows["doc_id"]) < {"0", "1", "2", "3"}
    assert len(rows) == 2 * 3 * 2  # models, documents, lengths
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())["lengths"]
    mean = rows[(rows["model"] == "base") & (rows["length"] == 64)]["nll"].mean()
    assert metrics["64"]["base"] == pytest.approx(math.exp(mean), rel=1e-5)
    assert metrics["64"]["num_documents"] == 3


def test_a_model_compared_with_itself_differs_by_nothing(tmp_path, tiny_model, documents) -> None:
    run(PARAMS, base=tiny_model, tuned=tiny_model, documents=documents, out=tmp_path / "out")
    for cell in json.loads((tmp_path / "out" / "metrics.json").read_text())["lengths"].values():
        assert cell["difference_nats"] == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_equal_inputs_give_equal_bytes(tmp_path, tiny_model, tuned, documents) -> None:
    for name in ("one", "two"):
        run(PARAMS, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_the_loss_beyond_the_native_length_is_that_of_its_tokens_alone(tmp_path, tiny_model, tuned, documents) -> None:
    params = PARAMS.model_copy(update={"lengths": [16, 300]})
    tokenizer, model = load_tokenizer(tiny_model), load_model(tiny_model, "float32")
    run(params, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / "out")
    beyond = json.loads((tmp_path / "out" / "metrics.json").read_text())["beyond_native"]
    assert beyond["from_position"] == 256
    chosen = pd.read_json(tmp_path / "out" / "documents.jsonl", lines=True, dtype={"doc_id": str})["doc_id"].unique()
    texts = {document.doc_id: document.text for document in read_documents(documents)}
    ids = [tokenizer(texts[doc_id], return_tensors="pt")["input_ids"][:, :300] for doc_id in chosen]
    assert beyond["base"] == pytest.approx(sum(float(score_tokens(model, i, 300 - 256)[0].mean()) for i in ids) / 3)


def test_a_length_that_no_document_reaches_is_refused(tmp_path, tiny_model, documents) -> None:
    params = PARAMS.model_copy(update={"lengths": [16, 9_000]})
    with pytest.raises(InputError, match="found 9000, which none of 5 test documents reaches"):
        run(params, base=tiny_model, tuned=tiny_model, documents=documents, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_model_is_refused(tmp_path, documents) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        run(PARAMS, base=tmp_path, tuned=tmp_path, documents=documents, out=tmp_path / "out")
