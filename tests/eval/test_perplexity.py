"""Perplexity by its three protocols, against models whose probabilities are known and plain logits."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from transformers import AutoModelForCausalLM

from eval.held_out import read_held_out
from eval.perplexity import ContextParams, PerplexityParams, Stream, run
from eval.perplexity_tables import Bootstrap, Losses, compare_contexts, compare_key_tokens, mean_by_length
from eval.report_parts.part import Folders
from eval.report_parts.perplexity import make_part
from eval.scoring import load_model, load_tokenizer, score_losses, score_tokens
from eval.windows import Window, choose_evenly, plan_last, plan_longlora, plan_sliding
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import read_documents, write_documents

PARAMS = PerplexityParams(
    protocol="per_doc",
    lengths=[16, 64],
    num_documents=3,
    stride=8,
    max_windows=1_000,
    contexts=ContextParams(num_last=8, lengths=[4, 16]),
    num_resamples=200,
    dtype="float32",
    seed=1,
)
BOOTSTRAP = Bootstrap(100, 1)
PROTOCOLS = ("per_doc", "sliding", "longlora")


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


@pytest.fixture
def bigram(tmp_path: Path, make_tiny_config, tiny_tokenizer) -> tuple[Path, torch.Tensor]:
    """A model whose next token depends on the token before alone, with the log-probabilities of its table (V, V).

    Attention and feed-forward layers add nothing; the normalised embedding of a token is one-hot, and the head is
    the table.
    """
    size = 320
    config = make_tiny_config()
    heads = {"num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 40}
    config.update({"hidden_size": size, "tie_word_embeddings": False, **heads})
    model = AutoModelForCausalLM.from_config(config)
    table_VV = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
        model.model.embed_tokens.weight.copy_(torch.eye(size) * 1_000)  # so that the norm's epsilon is nothing
        model.lm_head.weight.copy_(table_VV.T / size**0.5)
    return save(model, tiny_tokenizer, tmp_path / "bigram"), table_VV.log_softmax(dim=-1)


@pytest.fixture
def uniform(tmp_path: Path, make_tiny_config, tiny_tokenizer) -> Path:
    """A model that gives each of 320 tokens the same probability, whatever is before."""
    config = make_tiny_config()
    config.update({"tie_word_embeddings": False})
    model = AutoModelForCausalLM.from_config(config)
    torch.nn.init.zeros_(model.lm_head.weight)
    return save(model, tiny_tokenizer, tmp_path / "uniform")


def save(model, tokenizer, folder: Path) -> Path:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def read_metrics(folder: Path) -> dict:
    return json.loads((folder / "metrics.json").read_text())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_uniform_model_has_the_size_of_the_vocabulary_as_its_perplexity(
    protocol: str, tmp_path, uniform, documents
) -> None:
    params = PARAMS.model_copy(update={"protocol": protocol, "lengths": [16, 64, 200], "stride": 16})
    run(params, base=uniform, tuned=uniform, documents=documents, out=tmp_path / "out")
    metrics = read_metrics(tmp_path / "out")
    assert metrics["protocol"] == protocol
    assert set(metrics["lengths"]) == {"16", "64", "200"}
    for cell in metrics["lengths"].values():
        assert cell["base"] == pytest.approx(320, rel=1e-6)
        assert cell["intervals"]["tuned"]["low"] == pytest.approx(320, rel=1e-6)
    if protocol == "per_doc":
        assert metrics["lengths"]["200"]["last_quarter"]["base"] == pytest.approx(math.log(320), rel=1e-6)
        assert metrics["contexts"]["gain"]["4"]["base"] == pytest.approx(0, abs=1e-6)
        assert metrics["longppl"] == {}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_bigram_model_has_the_exact_loss_of_its_table(protocol: str, tmp_path, bigram, uniform, documents) -> None:
    folder, log_probabilities_VV = bigram
    params = PARAMS.model_copy(update={"protocol": protocol})
    run(params, base=folder, tuned=uniform, documents=documents, out=tmp_path / "out")
    tokenizer = load_tokenizer(folder)
    chosen = read_held_out(documents, params.seed)
    if protocol == "per_doc":
        long = [tokenizer(d.text)["input_ids"] for d in chosen]
        texts = [torch.tensor(ids) for ids in long if len(ids) >= 64][:3]
    else:
        texts = [torch.tensor([i for d in chosen[:3] for i in tokenizer(d.text)["input_ids"]])]
    losses = [-log_probabilities_VV[ids[:-1], ids[1:]] for ids in texts]  # of token i + 1 at index i
    for length in params.lengths:
        if protocol == "per_doc":
            expected = torch.stack([own[: length - 1].mean() for own in losses]).mean()
        elif protocol == "sliding":  # whole strides from the end of the first window
            last = length + (len(texts[0]) - length) // 8 * 8
            expected = losses[0][length - 8 - 1 : last - 1].mean()
        else:
            starts = range(0, len(texts[0]) - length, 8)[:-1]
            expected = torch.stack([losses[0][start : start + length - 1].mean() for start in starts]).mean()
        cell = read_metrics(tmp_path / "out")["lengths"][str(length)]
        assert math.log(cell["base"]) == pytest.approx(float(expected), abs=1e-5)
        assert math.log(cell["tuned"]) == pytest.approx(math.log(320), abs=1e-5)


def test_windows_of_longlora_are_those_of_its_program() -> None:
    assert plan_longlora(2_000, 1_000, 256) == [Window(s, s + 1, s + 1_000) for s in (0, 256, 512)]  # not 768
    assert plan_longlora(1_000, 1_000, 256) == []


def test_sliding_windows_score_each_token_once_behind_all_but_a_stride() -> None:
    windows = plan_sliding(1_000, 100, 32)
    scored = [token for window in windows for token in range(window.first, window.end)]
    assert scored == list(range(68, scored[-1] + 1))
    assert scored[-1] >= 1_000 - 32
    assert all(window.first - window.start >= 68 for window in windows)
    assert {window.end - window.start for window in windows} == {100}
    assert plan_sliding(1_000, 100, 500)[0] == Window(0, 1, 100)


def test_fewer_windows_are_spread_from_the_first_to_the_last() -> None:
    windows = plan_sliding(10_000, 100, 10)
    chosen = choose_evenly(windows, 7)
    assert len(chosen) == 7
    assert (chosen[0], chosen[-1]) == (windows[0], windows[-1])
    assert choose_evenly(windows[:5], 7) == windows[:5]


def test_tokens_of_a_stream_are_of_the_document_that_holds_them() -> None:
    stream = Stream(["a", "b"], [3, 5], torch.arange(5))
    assert [stream.name_document(position) for position in range(5)] == ["a", "a", "a", "b", "b"]


def test_a_shorter_context_is_that_of_the_tokens_read_alone(tmp_path, tiny_model, tuned, documents) -> None:
    run(PARAMS, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / "out")
    rows = pd.read_parquet(tmp_path / "out" / "losses.parquet")
    assert len(rows) == 2 * 3 * 3  # models, documents, readings
    model, tokenizer = load_model(tiny_model, "float32"), load_tokenizer(tiny_model)
    row = rows[(rows["model"] == "base") & (rows["context"] == 4)].iloc[0]
    text = {document.doc_id: document.text for document in read_documents(documents)}[row["doc_id"]]
    ids = tokenizer(text, return_tensors="pt")["input_ids"][:, 64 - 8 - 4 : 64]
    with torch.no_grad():
        plain = -model(ids).logits[0].log_softmax(dim=-1)[3:-1].gather(1, ids[0, 4:, None])[:, 0]
    assert row["nll"] == pytest.approx(plain.numpy(), abs=1e-5)
    cell = read_metrics(tmp_path / "out")["contexts"]
    assert cell["num_last"] == 8
    assert set(cell["loss"]) == {"all", "4", "16"}
    behind = {name: cell["loss"][name]["tuned"] for name in ("4", "all")}
    assert cell["gain"]["4"]["tuned"] == pytest.approx(behind["4"] - behind["all"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_report_reads_what_was_measured(protocol: str, tmp_path, tiny_model, tuned, documents) -> None:
    params = PARAMS.model_copy(update={"protocol": protocol, "lengths": [64, 300], "max_windows": 5})
    run(params, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / "data" / "perplexity")
    (tmp_path / "models").mkdir()
    tiny_model.rename(tmp_path / "models" / "base")
    part = make_part(Folders(tmp_path / "data", tmp_path / "models"))
    rows = list(part.table["what"])
    assert rows[:2] == ["perplexity at 64 tokens", "perplexity at 300 tokens"]
    assert bool(part.figure) == (protocol == "per_doc")
    if protocol == "per_doc":
        assert rows[4:] == [
            "loss beyond 256 tokens",
            "loss of the last 8 tokens behind 4 tokens and more",
            "loss of the last 8 tokens behind 16 tokens and more",
            "loss of the last 8 tokens behind all before them",
            "gain of these by all context instead of 4 tokens",
            "gain of these by all context instead of 16 tokens",
        ]
        assert set(part.table["documents"]) == {3}
    assert part.table["base"].str.contains(r"\d \[").all()
    assert part.table["difference (nats)"].str.contains(r"\[|no interval").all()
    assert "documents; " in part.overview[0][3]


def test_a_context_that_is_not_shorter_is_left_out_with_a_warning(tmp_path, tiny_model, documents, caplog) -> None:
    params = PARAMS.model_copy(update={"contexts": ContextParams(num_last=8, lengths=[56, 900])})
    run(params, base=tiny_model, tuned=tiny_model, documents=documents, out=tmp_path / "out")
    assert read_metrics(tmp_path / "out")["contexts"] == {}
    assert "[56, 900] are not shorter than all, 56 tokens" in caplog.text


def make_losses(model: str, doc_id: str, context: int | None, *nll: float) -> Losses:
    return Losses(model, doc_id, context, np.array(nll, dtype=np.float32))


def test_key_tokens_fall_by_two_nats_to_less_than_two_and_are_the_bases_for_both() -> None:
    whole = [make_losses("base", "a", None, 9, 1, 1.5, 2.5, 1), make_losses("tuned", "a", None, 9, 2, 3, 0, 0)]
    short = [make_losses("base", "a", 4, 3.5, 3.25, 9, 3), make_losses("tuned", "a", 4, 9, 9, 9, 9)]
    cell = compare_key_tokens(whole, short, BOOTSTRAP)["4"]
    assert cell["num_tokens"] == 1  # 3.5 to 1; 3.25 falls by 1.75, 9 to more than 2, 3 by exactly 2
    assert cell["base"] == pytest.approx(math.exp(1))
    assert cell["tuned"] == pytest.approx(math.exp(2))
    assert cell["difference_nats"]["low"] is None


def test_documents_count_in_longppl_by_their_key_tokens() -> None:
    whole = [make_losses(model, "a", None, 0, 1, 1) for model in ("base", "tuned")]
    whole += [make_losses(model, "b", None, 0, 0.25, 3) for model in ("base", "tuned")]
    whole += [make_losses(model, "c", None, 0, 5, 5) for model in ("base", "tuned")]
    short = [make_losses("base", doc_id, 1, 9, 9) for doc_id in "abc"]
    cell = compare_key_tokens(whole, short, BOOTSTRAP)["1"]
    assert (cell["num_tokens"], cell["num_documents"]) == (3, 2)
    assert cell["base"] == pytest.approx(math.exp(2.25 / 3))


def test_the_last_quarter_is_that_of_the_length() -> None:
    means = mean_by_length([make_losses("base", "a", None, *range(15))], [8, 16])
    assert list(means["nll"]) == [3.0, 7.0]
    assert list(means["last_quarter_nll"]) == [5.5, 12.5]


def test_nothing_is_compared_where_nothing_was_shortened() -> None:
    whole = [make_losses("base", "a", None, 1), make_losses("tuned", "a", None, 1)]
    assert compare_contexts(whole, [], BOOTSTRAP) == {}
    assert compare_key_tokens(whole, [], BOOTSTRAP) == {}


def test_the_last_tokens_are_read_behind_so_many() -> None:
    assert plan_last(100, 10, 20) == Window(70, 90, 100)


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
    torch.testing.assert_close(score_losses(model, ids), losses, rtol=0, atol=0)
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
    positions = pd.read_csv(tmp_path / "out" / "positions.csv")
    assert list(positions["position"]) == [64, 64]
    assert positions["nll"].iloc[0] == pytest.approx(mean, abs=1e-5)
    assert ((positions["low"] <= positions["nll"]) & (positions["nll"] <= positions["high"])).all()
    assert set(positions["n"]) == {3}


def test_a_model_compared_with_itself_differs_by_nothing(tmp_path, tiny_model, documents) -> None:
    run(PARAMS, base=tiny_model, tuned=tiny_model, documents=documents, out=tmp_path / "out")
    for cell in json.loads((tmp_path / "out" / "metrics.json").read_text())["lengths"].values():
        found = cell["difference_nats"]
        assert (found["value"], found["low"], found["high"], found["n"], found["p_holm"]) == (0.0, 0.0, 0.0, 3, 1.0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_equal_inputs_give_equal_bytes(protocol: str, tmp_path, tiny_model, tuned, documents) -> None:
    params = PARAMS.model_copy(update={"protocol": protocol, "max_windows": 5})
    for name in ("one", "two"):
        run(params, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / name)
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


@pytest.mark.parametrize(
    ("protocol", "reason"),
    [
        ("per_doc", "none of 5 test documents reaches"),
        ("longlora", r"a stream of \d+ tokens in 3 test documents lacks"),
    ],
)
def test_a_length_that_no_document_reaches_is_refused(protocol, reason, tmp_path, tiny_model, documents) -> None:
    params = PARAMS.model_copy(update={"lengths": [16, 90_000], "protocol": protocol})
    with pytest.raises(InputError, match=f"found 90000, which {reason}"):
        run(params, base=tiny_model, tuned=tiny_model, documents=documents, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_model_is_refused(tmp_path, documents) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        run(PARAMS, base=tmp_path, tuned=tmp_path, documents=documents, out=tmp_path / "out")


def test_a_model_whose_losses_are_no_numbers_is_refused_by_its_name(tmp_path, tiny_model, tuned, documents) -> None:
    model = AutoModelForCausalLM.from_pretrained(tuned)
    with torch.no_grad():
        model.model.norm.weight[0] = float("nan")
    model.save_pretrained(tuned)
    with pytest.raises(InputError, match="tuned: found a loss that is not finite, of 63 of 63 tokens"):
        run(PARAMS, base=tiny_model, tuned=tuned, documents=documents, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_texts_of_a_folder_are_measured_like_documents(tmp_path: Path, tiny_model: Path, documents: Path) -> None:
    (tmp_path / "pg19" / "test").mkdir(parents=True)
    held_out = [document for document in read_held_out(documents, 1) if document.doc_id != "short"]
    (tmp_path / "pg19" / "test" / "1.txt").write_text(held_out[0].text)
    rows = [json.dumps({"text": held_out[1].text, "meta": {}}), "", json.dumps({"text": held_out[0].text})]
    (tmp_path / "pg19" / "proof.jsonl").write_text("\n".join(rows))
    run(PARAMS, base=tiny_model, tuned=tiny_model, documents=tmp_path / "pg19", out=tmp_path / "out")
    measured = pd.read_json(tmp_path / "out" / "documents.jsonl", lines=True)
    assert measured["doc_id"].nunique() == 2  # a text that is there twice counts once
    run(PARAMS, base=tiny_model, tuned=tiny_model, documents=documents, out=tmp_path / "curated")
    curated = pd.read_json(tmp_path / "curated" / "documents.jsonl", lines=True)
    expected = curated[(curated["doc_id"] == int(held_out[1].doc_id)) & (curated["length"] == 64)]["nll"].iloc[0]
    assert expected in set(measured[measured["length"] == 64]["nll"])


@pytest.mark.parametrize(("line", "found"), [("{'text': 1}", "{'text'"), ('{"text": 5}', '{"text": 5}'), ("[]", "[]")])
def test_a_line_without_a_text_is_named(tmp_path: Path, line: str, found: str) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "The fox."}\n' + line)
    with pytest.raises(InputError, match=r"a\.jsonl:2: found") as caught:
        read_held_out(tmp_path, 1)
    assert found in str(caught.value)


def test_a_folder_without_texts_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("The fox.")
    with pytest.raises(InputError, match=r"no \.parquet, \.txt or \.jsonl file"):
        read_held_out(tmp_path, 1)
