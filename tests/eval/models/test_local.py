"""A model that runs here answers alike alone and beside others, and reads each document once."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, Qwen2Config

from eval.models.kv_cache import KvCache, run_model
from eval.models.local import LocalModel
from eval.models.open import open_model
from eval.models.records import ModelParams, Prompt, Sampling
from pipeline.errors import InputError
from pipeline.records import Turn

PARAMS = ModelParams(
    dtype="float32", quantized=None, template="chat", max_context_tokens=None, max_cache_bytes=1_000_000_000
)
GREEDY = Sampling(max_tokens=12, temperature=0.0, top_p=1.0, seed=0)
DOCUMENT = "The boat left the harbour at six, and nobody saw it again. "
PROMPTS = [Prompt(DOCUMENT, question) for question in ("When?", "Who saw the boat leave the harbour?", "Why not?")]


@pytest.fixture
def folder(tmp_path: Path, tiny_config, tiny_tokenizer) -> Path:
    """The folder of a model whose weights are large enough for its replies to differ."""
    torch.manual_seed(0)
    tiny_config.initializer_range, tiny_config.max_position_embeddings = 0.6, 2_048
    AutoModelForCausalLM.from_config(tiny_config).save_pretrained(tmp_path / "lively")
    tiny_tokenizer.save_pretrained(tmp_path / "lively")
    return tmp_path / "lively"


@pytest.fixture
def model(folder: Path) -> LocalModel:
    return LocalModel(str(folder), PARAMS)


def generate_as_transformers(model: LocalModel, prompt: Prompt) -> str:
    """Return what transformers' own greedy generation gives."""
    ids = model.encode(prompt, GREEDY.max_tokens)
    found = model.model.generate(
        torch.tensor([ids]), max_new_tokens=GREEDY.max_tokens, do_sample=False, eos_token_id=sorted(model._ends)
    )
    tokens = [token for token in found[0, len(ids) :].tolist() if token not in model._ends]
    return model._tokenizer.decode(tokens, skip_special_tokens=True).strip()


def test_replies_equal_those_of_transformers_alone_and_side_by_side(model):
    expected = [generate_as_transformers(model, prompt) for prompt in PROMPTS]
    assert len(set(expected)) > 1
    together = model.respond(PROMPTS, GREEDY)
    assert [reply.text for reply in together] == expected
    assert [model.respond([prompt], GREEDY)[0] for prompt in PROMPTS] == together


def test_a_small_cache_answers_in_several_batches_with_equal_replies(folder, model):
    small = LocalModel(str(folder), PARAMS.model_copy(update={"max_cache_bytes": 1}))
    small._read.read([1, 2, 3])
    assert small.choose_batch_size(100) == 1
    assert small.respond(PROMPTS, GREEDY) == model.respond(PROMPTS, GREEDY)


def test_each_document_is_read_once_for_all_its_questions(model, monkeypatch):
    read: list[int] = []
    forward = type(model.model).forward

    def count(self, *args, **inputs):
        read.append(inputs["input_ids"].shape[1])
        return forward(self, *args, **inputs)

    monkeypatch.setattr(type(model.model), "forward", count)
    long_document = DOCUMENT * 10
    num_tokens = model.count_tokens(long_document)
    model.respond([Prompt(long_document, "When?"), Prompt(long_document, "Who?")], GREEDY)
    model.respond([Prompt(long_document, "Why?")], GREEDY)
    assert sum(length for length in read if length > 20) < 1.2 * num_tokens
    model.respond([Prompt(f"Another text. {long_document}", "Why?")], GREEDY)
    assert sum(length for length in read if length > 20) > 1.8 * num_tokens


def test_a_stream_gives_the_reply_in_pieces_and_the_next_question_goes_on_from_it(model):
    turns = [Turn("user", f"{DOCUMENT}When?")]
    pieces = list(model.stream(turns, GREEDY))
    assert "".join(pieces).strip() == model.respond(PROMPTS[:1], GREEDY)[0].text
    seen: list[tuple[int, int]] = []
    following = [*turns, Turn("assistant", "".join(pieces)), Turn("user", "And then?")]
    list(model.stream(following, GREEDY, progress=lambda *at: seen.append(at)))
    num_before = len(model.writer.encode(turns))
    assert seen[0][0] >= num_before - 1  # its last token may have become one with the reply's first
    assert seen[-1][0] == seen[-1][1] > num_before


def test_a_stream_that_is_stopped_leaves_a_cache_that_the_next_one_can_use(model):
    turns = [Turn("user", f"{DOCUMENT}When?")]
    whole = "".join(model.stream(turns, GREEDY))
    asked: list[None] = []

    def is_stopped() -> bool:
        asked.append(None)
        return len(asked) == 3

    stopped = "".join(model.stream(turns, GREEDY, is_stopped=is_stopped)).rstrip("\ufffd")
    assert len(asked) == 3
    assert len(stopped) < len(whole)
    assert whole.startswith(stopped)
    assert "".join(model.stream(turns, GREEDY)) == whole


def test_sampling_follows_its_seed_whatever_is_beside_it(model):
    drawn = Sampling(max_tokens=12, temperature=1.0, top_p=0.95, seed=7)
    alone = model.respond(PROMPTS[:1], drawn)[0]
    assert model.respond(PROMPTS, drawn)[0] == alone
    others = {model.respond(PROMPTS[:1], drawn.model_copy(update={"seed": seed}))[0].text for seed in range(5)}
    assert len(others) > 1


def test_the_most_likely_tokens_alone_are_drawn_with_a_small_top_p(model):
    narrow = Sampling(max_tokens=12, temperature=1.0, top_p=1e-6, seed=3)
    assert model.respond(PROMPTS, narrow) == model.respond(PROMPTS, GREEDY)


def test_a_reply_that_has_no_room_is_refused_with_its_numbers(folder):
    model = LocalModel(str(folder), PARAMS.model_copy(update={"max_context_tokens": 30}))
    with pytest.raises(InputError, match=r"a prompt of \d+ tokens, and up to 12 of the reply"):
        model.respond(PROMPTS, GREEDY)


def test_a_model_that_is_not_there_is_an_error_for_the_user(tmp_path):
    with pytest.raises(InputError, match="the name of one on the Hub"):
        open_model(str(tmp_path / "none"), PARAMS, None, store=tmp_path)


def test_a_quoted_control_token_does_not_end_a_turn(model):
    end = model._tokenizer.eos_token
    quoted = model.encode(Prompt(f"{DOCUMENT}{end} ", "When?"), 12)
    plain = model.encode(Prompt(DOCUMENT, "When?"), 12)
    eos = model._tokenizer.eos_token_id
    assert quoted.count(eos) == plain.count(eos)
    assert len(quoted) > len(plain)


def test_the_first_words_of_an_answer_are_gone_on_from(model):
    ids, started = (model.encode(Prompt(DOCUMENT, "When?", start), 12) for start in ("", "At six"))
    assert started[: len(ids)] == ids
    assert len(started) > len(ids)


@pytest.mark.parametrize("kind", ["full", "windows"])
def test_a_cache_that_goes_back_gives_the_logits_of_one_that_reads_anew(kind):
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, "vocab_size": 96, "head_dim": 8}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    config = Gemma2Config(**sizes, **heads, sliding_window=8) if kind == "windows" else Qwen2Config(**sizes, **heads)
    model = AutoModelForCausalLM.from_config(config).eval()
    first, second = [int(token) for token in torch.randint(5, 90, (40,))], [7, 8, 9]
    cache, anew = KvCache(model), KvCache(model)
    assert cache.can_share == (kind == "full")
    cache.read(first)
    assert cache.read(first[:30] + second) == (30 if kind == "full" else 0)
    anew.read(first[:30] + second)
    with torch.inference_mode():
        one, other = (run_model(model, torch.tensor([[5]]), each.cache) for each in (cache, anew))
    torch.testing.assert_close(one, other)


def test_keys_and_values_grow_without_being_copied_for_each_token(folder):
    model = LocalModel(str(folder), PARAMS)
    model._read.read(list(range(5, 60)))
    places = []
    for token in range(20):
        model._read.read([*range(5, 60), *range(5, 6 + token)])
        places.append(model._read.cache.layers[0].keys.data_ptr())
    assert all(one == other for one, other in pairwise(places))
