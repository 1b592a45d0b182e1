"""S2-Attn in a whole model: what its gradients say that it sees, padding, packing, evaluation, refusals."""

import math

import pytest
import torch
from transformers import (
    AttentionInterface,
    AttentionMaskInterface,
    AutoModelForCausalLM,
    BloomConfig,
    DogeConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GPT2Config,
    GPTNeoXConfig,
    GptOssConfig,
    LlamaConfig,
    MistralConfig,
    MptConfig,
    Olmo2Config,
    Phi3Config,
    Qwen2Config,
    Qwen2MoeConfig,
    Qwen3Config,
)
from transformers.masking_utils import bidirectional_mask_function

import train.attention.cpu_op
import train.attention.registration
from pipeline.errors import InputError
from tests.train.attention.s2_reference import row_mask
from tests.train.tiny_models import make_small_config
from train.attention.deferred_mask import s2_mask
from train.benchmarks.attention import roll_and_regroup
from train.trainer.activations import keep_attention


def make_model(config, attention="s2", group_size=8):
    """Return a random model in training mode and float64."""
    torch.manual_seed(0)
    config.s2_group_size = group_size
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).double().train()


def sight(model, length, row=0, **inputs):
    """Return which input token (column) each output of a row depends on, by gradient, summed over hidden size."""
    num_rows = inputs.get("attention_mask", torch.ones(1, length)).shape[0]
    torch.manual_seed(1)
    embeddings = torch.randn(num_rows, length, model.config.hidden_size, dtype=torch.float64, requires_grad=True)
    hidden = model.base_model(inputs_embeds=embeddings, use_cache=False, **inputs).last_hidden_state
    weight = torch.randn_like(hidden)
    seen = []
    for token in range(length):
        (grad,) = torch.autograd.grad((hidden * weight)[row, token].sum(), embeddings, retain_graph=True)
        seen.append(grad.abs().sum(-1))
    return torch.stack(seen)  # (outputs, rows, inputs)


def reachable(config, ids):
    """Return which input each output may depend on after all layers."""
    one = row_mask(config.num_attention_heads, config.s2_group_size, ids).any(0) | torch.eye(len(ids), dtype=torch.bool)
    many = one
    for _ in range(config.num_hidden_layers - 1):
        many = (many.float() @ one.float()) > 0
    return many


def assert_sees_what_it_should(seen, ids, config, row=0):
    """Hold a model to its definition: nothing else is seen, not even a little, and all that should be is."""
    real = torch.tensor(ids) >= 0
    own = seen[:, row]
    assert (own[real][:, ~real] == 0).all()
    assert ((own > 0) == reachable(config, ids))[real].all()
    others = [number for number in range(seen.shape[1]) if number != row]
    assert (seen[real][:, others] == 0).all()


SIZES = {
    "vocab_size": 100,
    "hidden_size": 32,
    "intermediate_size": 40,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
DECODERS = {
    "llama": lambda: LlamaConfig(**SIZES, num_key_value_heads=2),
    "mistral": lambda: MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=None),
    "qwen2": lambda: Qwen2Config(**SIZES, num_key_value_heads=1),
    "qwen3": lambda: Qwen3Config(**SIZES, num_key_value_heads=2, head_dim=8),
    "phi3": lambda: Phi3Config(**SIZES, num_key_value_heads=2),
    "olmo2": lambda: Olmo2Config(**SIZES, num_key_value_heads=4),
    "gpt_neox": lambda: GPTNeoXConfig(**SIZES),
}


@pytest.fixture(params=DECODERS)
def config(request):
    """A small config of each kind of decoder."""
    return DECODERS[request.param]()


PACKED = torch.cat([torch.arange(n) for n in (3, 17, 9)])[None]
PACKED_IDS = [0] * 3 + [1] * 17 + [2] * 9


def test_no_output_depends_on_a_later_input(config):
    seen = sight(make_model(config), 29)
    assert (seen[:, 0].triu(1) == 0).all()
    assert_sees_what_it_should(seen, [0] * 29, config)


@pytest.mark.parametrize("left", [0, 5])
def test_padding_is_never_seen_nor_another_row(config, left):
    mask = torch.ones(2, 29, dtype=torch.long)
    mask[0, :left] = 0
    mask[0, left + 20 :] = 0
    seen = sight(make_model(config), 29, attention_mask=mask)
    assert_sees_what_it_should(seen, [-1] * left + [0] * 20 + [-1] * (9 - left), config)


@pytest.mark.parametrize("how", ["position_ids", "position_ids and mask", "cu_seq_lens"])
def test_packed_documents_never_see_each_other(config, how):
    packing = {"position_ids": PACKED}
    if how == "cu_seq_lens":
        packing = {"cu_seq_lens_q": torch.tensor([0, 3, 20, 29], dtype=torch.int32)}
    if how == "position_ids and mask":
        packing["attention_mask"] = torch.ones(1, 29, dtype=torch.long)
    assert_sees_what_it_should(sight(make_model(config), 29, **packing), PACKED_IDS, config)


def test_odd_heads_and_one_layer_see_exactly_their_groups(tiny_config):
    tiny_config.num_hidden_layers = 1
    assert_sees_what_it_should(sight(make_model(tiny_config), 29), [0] * 29, tiny_config)


OWN_CODE = "attention code of the model's"
OTHERS = {
    "gemma2": (lambda: Gemma2Config(**SIZES, num_key_value_heads=2, head_dim=8), "soft-capped"),
    "gpt_oss": (lambda: GptOssConfig(**SIZES, num_key_value_heads=2, head_dim=8, num_local_experts=2), "sinks"),
    "mistral": (lambda: MistralConfig(**SIZES, num_key_value_heads=2, sliding_window=4), "sliding window"),
    "bloom": (
        lambda: BloomConfig(vocab_size=100, hidden_size=32, n_head=4, n_layer=2),
        "attention code of the model's",
    ),
    "mpt": (lambda: MptConfig(vocab_size=100, d_model=32, n_heads=4, n_layers=2), OWN_CODE),
    "doge": (lambda: DogeConfig(**SIZES, num_key_value_heads=2), OWN_CODE),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_model_with_other_attention_is_refused(name):
    config, found = OTHERS[name]
    with pytest.raises(InputError, match=rf"{found}.*group_size: null.*train with sdpa"):
        make_model(config())(torch.ones(1, 8, dtype=torch.long))


WIDE = {
    "phi3": lambda: Phi3Config(**SIZES, num_key_value_heads=2, sliding_window=32),
    "gemma3": lambda: Gemma3TextConfig(**SIZES, num_key_value_heads=2, head_dim=8, sliding_window=64),
    "gemma3 without windows": lambda: Gemma3TextConfig(
        **SIZES, num_key_value_heads=2, head_dim=8, sliding_window=4, layer_types=["full_attention"] * 3
    ),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_window_that_is_wider_than_the_row_is_none(name):
    config = WIDE[name]()
    config.rms_norm_eps = 1e-6
    assert_sees_what_it_should(sight(make_model(config), 29), [0] * 29, config)
    assert_sees_what_it_should(sight(make_model(config), 29, position_ids=PACKED), PACKED_IDS, config)


def test_a_model_that_asks_for_the_mask_of_a_window_it_does_not_use_is_trained():
    config = Qwen2MoeConfig(**SIZES, num_key_value_heads=2, num_experts=4, moe_intermediate_size=16, sliding_window=4)
    config.use_sliding_window = False
    assert make_model(config).float()(torch.ones(1, 29, dtype=torch.long)).logits.isfinite().all()


@pytest.mark.parametrize("use_cache", [True, False])
def test_generation_in_training_mode_attends_in_full(make_tiny_config, use_cache):
    training, full = make_model(make_tiny_config()), make_model(make_tiny_config(), "sdpa").eval()
    ids, mask = torch.randint(3, 100, (2, 40)), torch.ones(2, 40, dtype=torch.long)
    mask[0, :11] = 0
    how = {"attention_mask": mask, "max_new_tokens": 6, "do_sample": False, "use_cache": use_cache}
    how |= {"output_scores": True, "return_dict_in_generate": True}
    found, expected = training.generate(ids, **how), full.generate(ids, **how)
    assert training.training
    assert torch.equal(found.sequences, expected.sequences)
    assert all(torch.equal(one, other) for one, other in zip(found.scores, expected.scores, strict=True))
    assert not torch.allclose(training(ids).logits, full(ids).logits)  # and training is sparse again


def wrap_around(module, query, key, value, attention_mask, **kwargs):
    return roll_and_regroup(query, key, value, module.config.s2_group_size).transpose(1, 2), None


@pytest.fixture
def wrap_around_attention():
    """The name of an attention that wraps around, as Algorithm 1 of LongLoRA does."""
    AttentionInterface.register("wrap_around", wrap_around)
    AttentionMaskInterface.register("wrap_around", s2_mask)
    yield "wrap_around"
    AttentionInterface._global_mapping.pop("wrap_around")
    AttentionMaskInterface._global_mapping.pop("wrap_around")


def test_these_tests_fail_for_attention_that_wraps_around(config, wrap_around_attention):
    seen = sight(make_model(config, wrap_around_attention), 32)
    assert (seen[:, 0].triu(1) > 0).any()


def test_packing_is_seen_with_a_mask_of_ones_and_with_a_cache_too(tiny_config):
    model = make_model(tiny_config)
    ids = torch.randint(3, 100, (1, 29))
    packing = {"position_ids": torch.cat([torch.arange(n) for n in (3, 17, 9)])[None]}
    plain = model(ids, use_cache=False, **packing).logits
    assert torch.equal(model(ids, use_cache=False, attention_mask=torch.ones_like(ids), **packing).logits, plain)
    assert torch.equal(model(ids, use_cache=True, **packing).logits, plain)


@pytest.mark.parametrize("name", ["llama4_text", "persimmon", "gpt_bigcode"])
def test_packing_is_seen_with_a_mask_of_ones_by_layers_that_get_no_positions(name):
    config = make_small_config(name)
    config.attn_pdrop = config.resid_pdrop = config.embd_pdrop = 0.0
    if hasattr(config, "layer_types"):  # Llama-4 without chunks
        config.layer_types, config.attention_chunk_size = ["full_attention"] * config.num_hidden_layers, None
    model = AutoModelForCausalLM.from_config(config, attn_implementation="s2").train()
    model.config.s2_group_size = 8
    ids = torch.randint(3, 100, (1, 29))
    packing = {"position_ids": PACKED, "use_cache": False}
    plain = model(ids, **packing).logits
    changed = torch.cat([ids[:, :3].flip(1), ids[:, 3:]], 1)
    assert torch.equal(model(ids, attention_mask=torch.ones_like(ids), **packing).logits, plain)
    assert torch.equal(model(changed, attention_mask=torch.ones_like(ids), **packing).logits[:, 3:], plain[:, 3:])


def test_a_packed_row_equals_its_documents_one_by_one(tiny_config):
    model = make_model(tiny_config)
    ids = torch.randint(3, 100, (1, 40))
    packed = model(ids, position_ids=torch.cat([torch.arange(n) for n in (11, 29)])[None], use_cache=False).logits
    separate = [model(part, use_cache=False).logits for part in ids.split([11, 29], dim=1)]
    torch.testing.assert_close(packed, torch.cat(separate, 1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_equals_its_rows_one_by_one(tiny_config, side):
    model = make_model(tiny_config)
    ids, lengths = torch.randint(3, 100, (3, 33)), [33, 20, 5]
    mask = torch.stack([(torch.arange(33) < n).long() for n in lengths])
    mask = mask.flip(1) if side == "left" else mask
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    batch = model(ids, attention_mask=mask, position_ids=positions, use_cache=False).logits
    for row, real in enumerate(mask.bool()):
        alone = model(ids[row, real][None], use_cache=False).logits[0]
        torch.testing.assert_close(batch[row, real], alone, rtol=1e-12, atol=1e-12)
    assert batch.isfinite().all()


def test_it_is_the_same_with_gradient_checkpointing(tiny_config):
    model = make_model(tiny_config)
    ids = torch.randint(3, 100, (1, 29))
    packing = {"position_ids": torch.cat([torch.arange(n) for n in (3, 17, 9)])[None]}
    grads = []
    for checkpointing in (False, True):
        if checkpointing:
            model.activation_checkpointing_enable({"use_reentrant": False})
        model.zero_grad()
        model(ids, labels=ids, use_cache=False, **packing).loss.backward()
        grads.append([parameter.grad.clone() for parameter in model.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*grads, strict=True))


def inputs_for_evaluation():
    ids = torch.randint(3, 100, (2, 29))
    right = torch.ones_like(ids)
    right[0, 20:] = 0
    packed = torch.cat([torch.arange(n) for n in (3, 17, 9)])[None].expand(2, -1)
    return [
        {"input_ids": ids},
        {"input_ids": ids, "attention_mask": right},
        {"input_ids": ids, "attention_mask": right.flip(1)},
        {"input_ids": ids, "position_ids": packed, "use_cache": False},
    ]


def test_evaluation_is_full_attention_to_the_bit(tiny_config):
    sparse, full = make_model(tiny_config).eval(), make_model(tiny_config, "sdpa").eval()
    for inputs in inputs_for_evaluation():
        assert torch.equal(sparse(**inputs).logits, full(**inputs).logits)


@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_generation_with_a_cache_is_full_attention_to_the_bit(tiny_config, cache):
    sparse, full = make_model(tiny_config).eval(), make_model(tiny_config, "sdpa").eval()
    for inputs in inputs_for_evaluation()[:3]:
        options = {
            "max_new_tokens": 12,
            "do_sample": False,
            "cache_implementation": cache,
            "disable_compile": True,
            "return_dict_in_generate": True,
            "output_logits": True,
        }
        found, wanted = sparse.generate(**inputs, **options), full.generate(**inputs, **options)
        assert torch.equal(found.sequences, wanted.sequences)
        assert all(torch.equal(one, other) for one, other in zip(found.logits, wanted.logits, strict=True))


def test_training_with_earlier_tokens_in_a_cache_is_full_attention(tiny_config):
    sparse, full = make_model(tiny_config), make_model(tiny_config, "sdpa")
    ids = torch.randint(3, 100, (1, 29))
    logits = []
    for model in (sparse, full):
        cache = model.eval()(ids[:, :20], use_cache=True).past_key_values
        logits.append(model.train()(ids[:, 20:], cache=cache).logits)
    assert torch.equal(*logits)


def test_the_group_size_is_saved_with_the_model(tiny_config, tmp_path):
    make_model(tiny_config).save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="s2").config.s2_group_size == 8


@pytest.mark.parametrize("group_size", [None, 1, 0, "8", True, 8.0])
def test_a_wrong_group_size_says_how_to_fix_it(tiny_config, group_size):
    model = make_model(tiny_config, group_size=group_size)
    with pytest.raises(InputError, match="s2_group_size = 2048"):
        model(torch.ones(1, 4, dtype=torch.long))


@pytest.mark.parametrize(("argument", "what"), [("softcap", "soft-capped"), ("s_aux", "sinks")])
def test_soft_caps_and_sinks_are_refused(tiny_config, argument, what):
    layer = make_model(tiny_config).model.layers[0].self_attn
    q = torch.ones(1, 9, 4, 4)
    with pytest.raises(InputError, match=what):
        train.attention.registration.s2_forward(layer, q, q, q, None, **{argument: torch.ones(9)})


def test_a_ready_made_dense_mask_is_refused_in_training(tiny_config):
    with pytest.raises(InputError, match="ready-made"):
        make_model(tiny_config)(torch.ones(1, 4, dtype=torch.long), attention_mask=torch.ones(1, 1, 4, 4).bool())


def test_attention_that_is_not_causal_is_refused(tiny_config):
    tiny_config.is_causal = False
    with pytest.raises(InputError, match="not causal"):
        make_model(tiny_config)(torch.ones(1, 4, dtype=torch.long))


@pytest.mark.parametrize("name", DECODERS)
def test_evaluation_of_every_decoder_is_full_attention_to_the_bit(name):
    sparse, full = make_model(DECODERS[name]()).eval(), make_model(DECODERS[name](), "sdpa").eval()
    for inputs in inputs_for_evaluation():
        assert torch.equal(sparse(**inputs).logits, full(**inputs).logits)


def test_assisted_decoding_is_full_attention_to_the_bit():
    sparse, full = make_model(DECODERS["llama"]()).eval(), make_model(DECODERS["llama"](), "sdpa").eval()
    ids = torch.randint(3, 100, (1, 29))
    texts = []
    for model in (sparse, full):
        assistant = make_model(DECODERS["llama"](), model.config._attn_implementation).eval()
        texts.append(model.generate(ids, assistant_model=assistant, max_new_tokens=12, do_sample=False))
    assert torch.equal(*texts)


def test_permuting_the_documents_of_a_pack_permutes_the_outputs(tiny_config):
    model = make_model(tiny_config)
    documents = torch.randint(3, 100, (1, 46)).split([11, 6, 29], dim=1)
    positions = [torch.arange(part.shape[1])[None] for part in documents]
    outs = []
    for order in ([0, 1, 2], [2, 0, 1]):
        ids, places = (torch.cat([parts[n] for n in order], 1) for parts in (documents, positions))
        logits = model(ids, position_ids=places, use_cache=False).logits.split(
            [documents[n].shape[1] for n in order], 1
        )
        outs.append(torch.cat([logits[order.index(n)] for n in range(3)], 1))
    torch.testing.assert_close(*outs, rtol=1e-12, atol=1e-12)


TRAINING_INPUTS = {
    "plain": {},
    "padded": {"attention_mask": (torch.arange(29) < torch.tensor([[29], [20]])).long()},
    "packed": {"position_ids": PACKED},
    "packed, with a mask": {"position_ids": PACKED, "attention_mask": torch.ones(2, 29, dtype=torch.long)},
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")  # torch's own
@pytest.mark.parametrize(
    ("checkpointing", "backend"),
    [(False, "inductor"), (True, "aot_eager")],  # the latter leaves out C++, which takes a minute to compile
)
def test_a_compiled_model_trains_the_same_without_a_graph_break(tiny_config, checkpointing, backend):
    torch._dynamo.reset()
    model = make_model(tiny_config)
    if checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    ids = torch.randint(3, 100, (2, 29))
    for inputs in TRAINING_INPUTS.values():
        grads = []
        for run in (model, compiled):
            model.zero_grad()
            run(ids, labels=ids, use_cache=False, **inputs).loss.backward()
            grads.append([parameter.grad.clone() for parameter in model.parameters()])
        for one, other in zip(*grads, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)  # norms and positions are float32 in any model


def test_a_compiled_model_refuses_a_mask_that_is_not_causal_when_it_runs(tiny_config):
    sees_all = torch.ones((), dtype=torch.bool)
    compiled = torch.compile(train.attention.deferred_mask.refuse_noncausal, fullgraph=True, backend="aot_eager")
    compiled(~sees_all)
    with pytest.raises(RuntimeError, match="not causal"):
        compiled(sees_all)


def test_attention_dropout_of_a_model_drops_in_training_alone():
    config = DECODERS["llama"]()
    config.attention_dropout = 0.5
    model, ids = make_model(config), torch.randint(3, 100, (1, 29))
    assert not torch.equal(model(ids).logits, model(ids).logits)
    assert torch.equal(model.eval()(ids).logits, model(ids).logits)


def test_without_a_group_size_the_default_is_taken_and_said_once(tiny_config, caplog):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(tiny_config, attn_implementation="s2").train()
    train.attention.registration.warn_default_once.cache_clear()
    for _ in range(2):
        model(torch.ones(1, 4, dtype=torch.long))
    assert [record.message for record in caplog.records if "s2_group_size" in record.message] == [
        "config.s2_group_size is not set: groups have 2048 tokens. Set it before training to choose."
    ]


def test_the_backend_of_a_config_is_used_and_saved(tiny_config, tmp_path):
    tiny_config.s2_backend = "cudnn"
    model = make_model(tiny_config)
    with pytest.raises(InputError, match="one of sdpa, flash, flex"):
        model(torch.ones(1, 4, dtype=torch.long))
    model.save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path).config.s2_backend == "cudnn"


def test_a_mistyped_attention_name_names_those_there_are(tiny_config):
    with pytest.raises(ValueError, match=r"(?s)s_2.*sdpa"):
        make_model(tiny_config, "s_2")


def test_a_mask_of_the_models_own_is_refused(tiny_config):
    model = make_model(tiny_config)
    arguments = {"batch_size": 1, "q_length": 4, "kv_length": 4, "device": torch.device("cpu"), "config": tiny_config}
    queries = [torch.zeros(1, heads, 4, 4) for heads in (9, 3, 3)]
    layer = model.model.layers[0].self_attn
    for mask in (
        s2_mask(**arguments, mask_function=bidirectional_mask_function),
        s2_mask(**arguments, use_vmap=True),
    ):
        with pytest.raises(InputError, match="plain causal attention"):
            train.attention.registration.s2_forward(layer, *queries, mask)


def loss_on_random_tokens(attention):
    """Train 4 layers to predict tokens that are independent of each other; return the loss of the last 50 steps.

    Learned positions, and weights large enough for four layers in a row to pass something on from the first step.
    """
    torch.manual_seed(0)
    sizes = {"n_embd": 64, "n_layer": 4, "n_head": 4, "n_positions": 4, "initializer_range": 0.1}
    config = GPT2Config(vocab_size=2, bos_token_id=0, eos_token_id=0, **sizes, **NO_DROPOUT)
    config.s2_group_size = 2
    model = AutoModelForCausalLM.from_config(config, attn_implementation=attention).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.0)
    losses = []
    for _ in range(400):
        tokens = torch.randint(2, (128, 4))
        loss = model(tokens, labels=tokens, use_cache=False).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses[-50:]) / 50


NO_DROPOUT = {"attn_pdrop": 0.0, "resid_pdrop": 0.0, "embd_pdrop": 0.0}


@pytest.mark.slow
def test_no_training_gets_below_the_entropy_of_random_tokens():
    assert loss_on_random_tokens("s2") > math.log(2) - 0.005


@pytest.mark.slow
def test_training_with_attention_that_wraps_around_does(wrap_around_attention):
    assert loss_on_random_tokens(wrap_around_attention) < 0.1 * math.log(2)


def test_selective_checkpointing_keeps_what_attention_returned(tiny_config, monkeypatch):
    model = make_model(tiny_config)
    model.activation_checkpointing_enable({"use_reentrant": False, "context_fn": keep_attention})
    calls = []
    forward = train.attention.cpu_op.flash_forward
    monkeypatch.setattr(
        train.attention.cpu_op, "flash_forward", lambda *x, **how: calls.append(1) or forward(*x, **how)
    )
    ids = torch.randint(3, 100, (1, 29))
    loss = model(ids, labels=ids, use_cache=False).loss
    num_in_forward = len(calls)
    loss.backward()
    assert num_in_forward > 0
    assert len(calls) == num_in_forward
