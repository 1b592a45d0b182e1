"""S2-Attn against its definition: a dense mask in float64, and what gradients say that a whole model sees."""

from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AttentionInterface, AttentionMaskInterface, AutoModelForCausalLM, MistralConfig

import train.attention
from pipeline.errors import InputError
from train.attention import Segment, s2_attention, s2_mask


def visible_in_segment(length, group_size, *, is_shifted):
    """Return which key (column) each query (row) sees, token by token from the definition."""
    mask = torch.zeros(length, length, dtype=torch.bool)
    for query in range(length):
        for key in range(query + 1):
            shift = group_size - group_size // 2 if is_shifted else 0
            same_group = (query + shift) // group_size == (key + shift) // group_size
            mask[query, key] = same_group or length <= group_size
    return mask


def visible(num_heads, group_size, segments):
    """Return the dense mask (heads, queries, keys) of a row."""
    length = sum(segment.length for segment in segments)
    mask = torch.zeros(num_heads, length, length, dtype=torch.bool)
    borders = [sum(segment.length for segment in segments[:n]) for n in range(len(segments) + 1)]
    for segment, (start, end) in zip(segments, pairwise(borders), strict=True):
        for head in range(num_heads):
            if not segment.is_padding:
                mask[head, start:end, start:end] = visible_in_segment(
                    end - start, group_size, is_shifted=head >= num_heads // 2
                )
    return mask


def reference(q, k, v, masks, scaling):
    """Attend with a dense mask; a query that sees nothing gets 0."""
    per_kv = q.shape[1] // k.shape[1]
    scores = q @ k.repeat_interleave(per_kv, 1).transpose(2, 3) * (scaling or q.shape[-1] ** -0.5)
    weights = scores.masked_fill(~masks, -torch.inf).softmax(-1).nan_to_num(0)
    return weights @ v.repeat_interleave(per_kv, 1)


@st.composite
def cases(draw):
    length = draw(st.integers(1, 70))
    num_kv_heads = draw(st.integers(1, 3))
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        cuts = sorted(draw(st.sets(st.integers(1, length - 1), max_size=3))) if length > 1 else []
        rows.append([Segment(end - start, draw(st.integers(0, 3)) == 0) for start, end in pairwise([0, *cuts, length])])
    return {
        "length": length,
        "num_heads": num_kv_heads * draw(st.integers(1, 3)),
        "num_kv_heads": num_kv_heads,
        "head_size": draw(st.sampled_from([1, 4, 8])),
        "group_size": draw(st.integers(2, 24)),
        "rows": draw(st.sampled_from([rows, None])),
        "scaling": draw(st.sampled_from([None, 0.3])),
    }


@settings(max_examples=100, deadline=None)
@given(cases())
def test_it_equals_a_dense_mask_in_float64_with_its_gradients(case):
    torch.manual_seed(0)
    num_rows = len(case["rows"] or [0, 0])
    rows = case["rows"] or [[Segment(case["length"])]] * num_rows
    shape = (num_rows, case["length"], case["head_size"])
    inputs = [
        torch.randn(shape[0], heads, *shape[1:], dtype=torch.float64, requires_grad=True)
        for heads in (case["num_heads"], case["num_kv_heads"], case["num_kv_heads"])
    ]
    masks = torch.stack([visible(case["num_heads"], case["group_size"], row) for row in rows])
    wanted = reference(*inputs, masks, case["scaling"])
    found = s2_attention(*inputs, case["group_size"], segments=case["rows"], scaling=case["scaling"])
    weight = torch.randn_like(wanted)
    torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
    if not found.requires_grad:
        assert all(segment.is_padding for row in rows for segment in row)
        return
    grads_wanted = torch.autograd.grad((wanted * weight).sum(), inputs)
    grads_found = torch.autograd.grad((found * weight).sum(), inputs)
    for one, other in zip(grads_found, grads_wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2), (torch.float16, 2e-3)])
def test_it_stays_close_in_lower_precision(dtype, bound):
    torch.manual_seed(0)
    inputs = [torch.randn(2, heads, 257, 16, dtype=dtype) for heads in (9, 3, 3)]
    masks = visible(9, 64, [Segment(257)])[None]
    wanted = reference(*(x.double() for x in inputs), masks, None)
    assert (s2_attention(*inputs, 64).double() - wanted).abs().max() < bound


def test_dropout_drops_and_keeps_the_mean():
    torch.manual_seed(0)
    q, k = torch.zeros(1, 2, 4, 8), torch.zeros(1, 2, 4, 8)
    v = torch.ones(1, 2, 4, 8)
    outs = torch.stack([s2_attention(q, k, v, 2, dropout=0.5) for _ in range(500)])
    assert 0.9 < outs.mean() < 1.1
    assert (outs == 0).any()


# --- through whole models


def model_of(config, attention="s2", group_size=8):
    """Return a random model in training mode and float64."""
    torch.manual_seed(0)
    config.s2_group_size = group_size
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).double().train()


def sight(model, length, row=0, **inputs):
    """Return which input token (column) each output of a row depends on, by gradient, summed over hidden size."""
    num_rows = inputs.get("attention_mask", torch.ones(1, length)).shape[0]
    torch.manual_seed(1)
    embeddings = torch.randn(num_rows, length, model.config.hidden_size, dtype=torch.float64, requires_grad=True)
    hidden = model.model(inputs_embeds=embeddings, use_cache=False, **inputs).last_hidden_state
    weight = torch.randn_like(hidden)
    seen = []
    for token in range(length):
        (grad,) = torch.autograd.grad((hidden * weight)[row, token].sum(), embeddings, retain_graph=True)
        seen.append(grad.abs().sum(-1))
    return torch.stack(seen)  # (outputs, rows, inputs)


def reachable(num_heads, num_layers, group_size, segments):
    """Return which input each output may depend on after several layers."""
    one = visible(num_heads, group_size, segments).any(0) | torch.eye(sum(s.length for s in segments), dtype=torch.bool)
    many = one
    for _ in range(num_layers - 1):
        many = (many.float() @ one.float()) > 0
    return many


def assert_sees_what_it_should(seen, segments, config, group_size=8, row=0):
    wanted = reachable(config.num_attention_heads, config.num_hidden_layers, group_size, segments)
    real = torch.cat([torch.full((s.length,), not s.is_padding) for s in segments])
    own = seen[:, row]
    assert (own[real][:, ~wanted.any(0)] == 0).all()
    assert ((own > 0) == wanted)[real].all()
    others = [n for n in range(seen.shape[1]) if n != row]
    assert (seen[real][:, others] == 0).all()


def test_no_output_depends_on_a_later_input(tiny_config):
    seen = sight(model_of(tiny_config), 29)
    assert (seen[:, 0].triu(1) == 0).all()
    assert_sees_what_it_should(seen, [Segment(29)], tiny_config)


def test_one_layer_sees_exactly_its_groups(tiny_config):
    tiny_config.num_hidden_layers = 1
    assert_sees_what_it_should(sight(model_of(tiny_config), 29), [Segment(29)], tiny_config)


def test_that_test_fails_for_attention_that_wraps_around(tiny_config, request):
    def wrap_around(module, query, key, value, attention_mask, scaling=None, **kwargs):
        half, size = query.shape[1] // 2, module.config.s2_group_size
        per_kv = query.shape[1] // key.shape[1]
        parts = [query, key.repeat_interleave(per_kv, 1), value.repeat_interleave(per_kv, 1)]
        rolled = [torch.cat([x[:, :half], x[:, half:].roll(-size // 2, 2)], 1) for x in parts]
        rows, heads, length, width = query.shape
        folded = [x.reshape(rows, heads, -1, size, width).transpose(1, 2).flatten(0, 1) for x in rolled]
        out = torch.nn.functional.scaled_dot_product_attention(*folded, is_causal=True, scale=scaling)
        out = out.unflatten(0, (rows, -1)).transpose(1, 2).reshape(rows, heads, length, width)
        out = torch.cat([out[:, :half], out[:, half:].roll(size // 2, 2)], 1)
        return out.transpose(1, 2), None

    AttentionInterface.register("wrap_around", wrap_around)
    AttentionMaskInterface.register("wrap_around", s2_mask)
    seen = sight(model_of(tiny_config, "wrap_around"), 32)
    assert (seen[:, 0].triu(1) > 0).any()


@pytest.mark.parametrize("left", [0, 5])
def test_padding_is_never_seen_nor_another_row(tiny_config, left):
    mask = torch.ones(2, 29, dtype=torch.long)
    mask[0, :left] = 0
    mask[0, left + 20 :] = 0
    segments = [Segment(left, True)] * (left > 0) + [Segment(20), Segment(9 - left, True)]
    seen = sight(model_of(tiny_config), 29, attention_mask=mask)
    assert_sees_what_it_should(seen, segments, tiny_config)


@pytest.mark.parametrize("how", ["position_ids", "cu_seq_lens"])
def test_packed_documents_never_see_each_other(tiny_config, how):
    lengths = [3, 17, 9]
    position_ids = torch.cat([torch.arange(n) for n in lengths])[None]
    borders = torch.tensor([0, 3, 20, 29], dtype=torch.int32)
    packing = {"position_ids": position_ids} if how == "position_ids" else {"cu_seq_lens_q": borders}
    seen = sight(model_of(tiny_config), 29, **packing)
    assert_sees_what_it_should(seen, [Segment(n) for n in lengths], tiny_config)


def test_packing_is_seen_with_a_mask_of_ones_and_with_a_cache_too(tiny_config):
    model = model_of(tiny_config)
    ids = torch.randint(3, 100, (1, 29))
    packing = {"position_ids": torch.cat([torch.arange(n) for n in (3, 17, 9)])[None]}
    plain = model(ids, use_cache=False, **packing).logits
    assert torch.equal(model(ids, use_cache=False, attention_mask=torch.ones_like(ids), **packing).logits, plain)
    assert torch.equal(model(ids, use_cache=True, **packing).logits, plain)


def test_a_packed_row_equals_its_documents_one_by_one(tiny_config):
    model = model_of(tiny_config)
    ids = torch.randint(3, 100, (1, 40))
    packed = model(ids, position_ids=torch.cat([torch.arange(n) for n in (11, 29)])[None], use_cache=False).logits
    separate = [model(part, use_cache=False).logits for part in ids.split([11, 29], dim=1)]
    torch.testing.assert_close(packed, torch.cat(separate, 1), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_padded_batch_equals_its_rows_one_by_one(tiny_config, side):
    model = model_of(tiny_config)
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
    model = model_of(tiny_config)
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
    sparse, full = model_of(tiny_config).eval(), model_of(tiny_config, "sdpa").eval()
    for inputs in inputs_for_evaluation():
        assert torch.equal(sparse(**inputs).logits, full(**inputs).logits)


@pytest.mark.parametrize("cache", ["dynamic", "static"])
def test_generation_with_a_cache_is_full_attention_to_the_bit(tiny_config, cache):
    sparse, full = model_of(tiny_config).eval(), model_of(tiny_config, "sdpa").eval()
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
    sparse, full = model_of(tiny_config), model_of(tiny_config, "sdpa")
    ids = torch.randint(3, 100, (1, 29))
    logits = []
    for model in (sparse, full):
        cache = model.eval()(ids[:, :20], use_cache=True).past_key_values
        logits.append(model.train()(ids[:, 20:], past_key_values=cache).logits)
    assert torch.equal(*logits)


def test_the_group_size_is_saved_with_the_model(tiny_config, tmp_path):
    model_of(tiny_config).save_pretrained(tmp_path)
    assert AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation="s2").config.s2_group_size == 8


@pytest.mark.parametrize("group_size", [None, 1, 0, "8", True, 8.0])
def test_a_wrong_group_size_names_its_remedy(tiny_config, group_size):
    model = model_of(tiny_config, group_size=group_size)
    with pytest.raises(InputError, match="s2_group_size = 2048"):
        model(torch.ones(1, 4, dtype=torch.long))


def test_a_sliding_window_is_refused():
    sizes = {"vocab_size": 32, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    config = MistralConfig(**sizes, num_attention_heads=2, num_key_value_heads=1, sliding_window=4)
    with pytest.raises(InputError, match="sliding window"):
        model_of(config)(torch.ones(1, 8, dtype=torch.long))


@pytest.mark.parametrize(("argument", "what"), [("softcap", "soft-capped"), ("s_aux", "sinks")])
def test_soft_caps_and_sinks_are_refused(tiny_config, argument, what):
    layer = model_of(tiny_config).model.layers[0].self_attn
    q = torch.ones(1, 9, 4, 4)
    with pytest.raises(InputError, match=what):
        train.attention.s2_forward(layer, q, q, q, None, **{argument: torch.ones(9)})


def test_a_ready_made_dense_mask_is_refused_in_training(tiny_config):
    with pytest.raises(InputError, match="ready-made"):
        model_of(tiny_config)(torch.ones(1, 4, dtype=torch.long), attention_mask=torch.ones(1, 1, 4, 4).bool())


def test_attention_that_is_not_causal_is_refused(tiny_config):
    tiny_config.is_causal = False
    with pytest.raises(InputError, match="not causal"):
        model_of(tiny_config)(torch.ones(1, 4, dtype=torch.long))
