"""Our losses are those that lm-eval's rolling perplexity gives the same text."""

import json
from pathlib import Path

import pandas as pd
import pytest

from eval.perplexity import ContextParams, PerplexityParams, run
from eval.scoring import load_model, load_tokenizer, score_losses
from pipeline.records import Document
from pipeline.storage.parquet import write_documents

pytestmark = pytest.mark.slow
TEXT = "The fox sat on the wall in 1923, and the hound slept. " * 40
MAX_NATS = 1e-4  # a token


def score_by_lm_eval(folder: Path, max_length: int, prefix: int, text: str) -> float:
    """Return the sum of the log-likelihoods of a text's tokens behind a prefix token."""
    huggingface = pytest.importorskip("lm_eval.models.huggingface", reason="the extra eval is not installed")
    from lm_eval.api.instance import Instance

    model, tokenizer = load_model(folder, "float32"), load_tokenizer(folder)
    judge = huggingface.HFLM(
        pretrained=model, tokenizer=tokenizer, max_length=max_length, prefix_token_id=prefix, device="cpu", batch_size=1
    )
    request = Instance(request_type="loglikelihood_rolling", doc={}, arguments=(text,), idx=0)
    (found,) = judge.loglikelihood_rolling([request], disable_tqdm=True)
    return found


def test_the_stage_gives_the_loss_of_rolling_perplexity(tmp_path: Path, tiny_model: Path) -> None:
    write_documents(tmp_path / "in" / "d-0.parquet", [Document("1", "book", "1.txt", text=TEXT, split="test")])
    lengths = [64, 250]
    contexts = ContextParams(num_last=8, lengths=[])
    params = PerplexityParams(
        protocol="per_doc", lengths=lengths, num_documents=1, stride=8, max_windows=9, contexts=contexts,
        num_resamples=10, dtype="float32", seed=1,
    )  # fmt: skip
    run(params, base=tiny_model, tuned=tiny_model, documents=tmp_path / "in", out=tmp_path / "out")
    rows = pd.read_json(tmp_path / "out" / "documents.jsonl", lines=True)
    tokenizer = load_tokenizer(tiny_model)
    ids = tokenizer(TEXT)["input_ids"]
    for length in lengths:
        text = tokenizer.decode(ids[1:length])  # the first token is only context here, so it is lm-eval's prefix
        assert tokenizer(text)["input_ids"] == ids[1:length]
        ours = rows[(rows["model"] == "base") & (rows["length"] == length)]["nll"].iloc[0]
        theirs = -score_by_lm_eval(tiny_model, 256, ids[0], text) / (length - 1)
        assert ours == pytest.approx(theirs, abs=MAX_NATS)
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["protocol"] == "per_doc"


def test_windows_of_a_long_text_have_the_losses_of_rolling_perplexity(tiny_model: Path) -> None:
    utils = pytest.importorskip("lm_eval.utils", reason="the extra eval is not installed")
    model, tokenizer = load_model(tiny_model, "float32"), load_tokenizer(tiny_model)
    ids, prefix = tokenizer(TEXT, return_tensors="pt")["input_ids"][0], 1
    theirs = -score_by_lm_eval(tiny_model, 128, prefix, TEXT)
    ours = 0.0
    for context, scored in utils.get_rolling_token_windows(ids.tolist(), prefix, 128, 1):
        window = ids.new_tensor([[*context, scored[-1]]])
        ours += float(score_losses(model, window, len(scored)).sum())
    assert len(ids) > 3 * 128
    assert ours / len(ids) == pytest.approx(theirs / len(ids), abs=MAX_NATS)
