"""S2-Attn on plain tensors, on every backend, against its definition."""

from importlib.util import find_spec
from itertools import pairwise

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import train.attention.cuda
from pipeline.errors import InputError
from tests.train.attention.s2_reference import dense_attention, row_mask
from train.attention.registration import s2_attention
from train.attention.segments import Segments, make_segment_ids
from train.benchmarks.attention import roll_and_regroup

BOUND = 1e-12  # relative, in float64


@st.composite
def cases(draw, max_length=257):
    length = draw(st.integers(1, max_length))
    num_rows = draw(st.integers(1, 3))
    num_kv_heads = draw(st.integers(1, 9))
    return {
        "num_heads": num_kv_heads * draw(st.integers(1, 9 // num_kv_heads)),
        "num_kv_heads": num_kv_heads,
        "head_size": draw(st.sampled_from([1, 4, 8, 24])),
        "group_size": draw(st.one_of(st.integers(2, 24), st.integers(25, 300))),
        "ids": draw(st.sampled_from([[draw(row_ids(length)) for _ in range(num_rows)], None])),
        "shape": (num_rows, length),
        "scaling": draw(st.sampled_from([None, 0.3])),
    }


@st.composite
def row_ids(draw, length):
    """Draw the documents of a row, and padding on either side or between them."""
    cuts = sorted(draw(st.sets(st.integers(1, length - 1), max_size=4))) if length > 1 else []
    ids = []
    for number, (start, end) in enumerate(pairwise([0, *cuts, length])):
        ids += [-1 if draw(st.integers(0, 3)) == 0 else number] * (end - start)
    return ids


def make_inputs(case, dtype=torch.float64, value_size=None):
    torch.manual_seed(0)
    num_rows, length = case["shape"]
    sizes = (case["head_size"], case["head_size"], value_size or case["head_size"])
    heads = (case["num_heads"], case["num_kv_heads"], case["num_kv_heads"])
    return [
        torch.randn(num_rows, length, num, size, dtype=dtype).transpose(1, 2).requires_grad_()
        for num, size in zip(heads, sizes, strict=True)
    ]


def make_masks(case):
    num_rows, length = case["shape"]
    ids = case["ids"] or [[0] * length] * num_rows
    return torch.stack([row_mask(case["num_heads"], case["group_size"], row) for row in ids])


def attend(case, inputs, **options):
    ids = None if case["ids"] is None else torch.tensor(case["ids"], dtype=torch.int32)
    return s2_attention(*inputs, case["group_size"], segment_ids=ids, scaling=case["scaling"], **options)


def assert_close(found, wanted, bound=BOUND):
    scale = max(1.0, wanted.abs().max().item())
    assert (found - wanted).abs().max().item() <= bound * scale


def check_with_gradients(case, inputs, **options):
    wanted, found = dense_attention(*inputs, make_masks(case), case["scaling"]), attend(case, inputs, **options)
    assert_close(found, wanted)
    weight = torch.randn_like(wanted)
    if found.requires_grad:
        grads_wanted = torch.autograd.grad((wanted * weight).sum(), inputs)
        grads_found = torch.autograd.grad((found * weight).sum(), inputs)
        for one, other in zip(grads_found, grads_wanted, strict=True):
            assert_close(one, other)


@settings(max_examples=150, deadline=None)
@given(cases())
def test_it_equals_a_dense_mask_in_float64_with_its_gradients(case):
    check_with_gradients(case, make_inputs(case))


@settings(max_examples=60, deadline=None)
@given(cases(max_length=90))
def test_values_may_have_another_head_size(case):
    check_with_gradients(case, make_inputs(case, value_size=case["head_size"] + 3))


def varlen_by_segment(q, k, v, cu_q, cu_k, max_q, max_k, *, dropout_p, softmax_scale, causal):
    """Stand in for flash-attn's varlen kernel: plain causal attention within each pair of borders."""
    assert torch.equal(cu_q, cu_k)
    assert cu_q.dtype == torch.int32
    assert cu_q[-1] == q.shape[0]
    assert max_q == max_k == cu_q.diff().max()
    assert (cu_q.diff() > 0).all()
    assert causal
    assert dropout_p == 0
    out = [
        dense_attention(
            *(x[start:end].transpose(0, 1)[None] for x in (q, k, v)),
            torch.ones(end - start, end - start, dtype=torch.bool).tril(),
            softmax_scale,
        )[0].transpose(0, 1)
        for start, end in pairwise(cu_q.tolist())
    ]
    return torch.cat(out)


@pytest.fixture
def varlen_kernel(monkeypatch):
    """flash-attn's kernel, played by the one above, and what it was called with."""
    calls = []

    def kernel(*arguments, **options):
        calls.append(arguments)
        return varlen_by_segment(*arguments, **options)

    monkeypatch.setattr(train.attention.cuda, "load_flash_kernel", lambda: kernel)
    return calls


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases(max_length=90))
def test_the_varlen_kernel_gets_borders_that_give_the_same(varlen_kernel, case):
    check_with_gradients(case, make_inputs(case), backend="flash")


def test_the_varlen_kernel_takes_both_halves_of_the_heads_in_one_call(varlen_kernel):
    varlen_kernel.clear()
    s2_attention(*(torch.randn(2, heads, 40, 4) for heads in (8, 4, 4)), 8, backend="flash")
    ((q, k, *_),) = varlen_kernel
    assert q.shape == (2 * 2 * 40, 4, 4)
    assert k.shape == (2 * 2 * 40, 2, 4)


def test_without_flash_attn_the_varlen_kernel_is_explained():
    if find_spec("flash_attn") is not None:
        pytest.skip("flash-attn is installed")
    with pytest.raises(InputError, match="extra 'cuda'"):
        s2_attention(*[torch.randn(1, 2, 8, 4)] * 3, 4, backend="flash")


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
@settings(max_examples=25, deadline=None)
@given(cases(max_length=90))
def test_the_block_mask_of_flexattention_gives_the_same(case):
    with torch.no_grad():  # FlexAttention has no backward pass on a CPU
        inputs = make_inputs(case, torch.float32)
        wanted = dense_attention(*(x.double() for x in inputs), make_masks(case), case["scaling"])
        assert_close(attend(case, inputs, backend="flex").double(), wanted, 1e-5)


def test_flexattention_refuses_dropout():
    with pytest.raises(InputError, match=r"dropout of 0\.1"):
        s2_attention(*[torch.randn(1, 2, 8, 4)] * 3, 4, dropout=0.1, backend="flex")


def test_an_unknown_backend_names_those_there_are():
    with pytest.raises(InputError, match="one of sdpa, flash, flex"):
        s2_attention(*[torch.randn(1, 2, 8, 4)] * 3, 4, backend="cudnn")


@settings(max_examples=60, deadline=None)
@given(cases(max_length=90))
def test_group_ids_make_the_mask_of_the_definition(case):
    num_rows, length = case["shape"]
    ids = torch.tensor(case["ids"] or [[0] * length] * num_rows)
    segments = Segments(ids, num_rows, length, case["group_size"])
    wanted = torch.stack([row_mask(2, case["group_size"], row) for row in ids.tolist()])
    for half in (False, True):
        group = segments.group_ids(ids.device, is_shifted=half)
        same = (group[:, :, None] == group[:, None, :]) & (group[:, :, None] >= 0)
        assert torch.equal(same.tril(), wanted[:, int(half)])


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 2e-6), (torch.bfloat16, 2e-2), (torch.float16, 3e-3)])
@pytest.mark.parametrize("length", [63, 257])
def test_it_stays_close_in_lower_precision_with_its_gradients(dtype, bound, length):
    case = {"shape": (2, length), "num_heads": 9, "num_kv_heads": 3, "head_size": 16, "group_size": 64, "ids": None}
    case |= {"scaling": None}
    inputs = make_inputs(case, dtype)
    exact = [x.detach().double().requires_grad_() for x in inputs]
    wanted, found = dense_attention(*exact, make_masks(case)), attend(case, inputs)
    assert found.dtype == dtype
    assert_close(found.double(), wanted, bound)
    weight = torch.randn_like(wanted)
    grads_wanted = torch.autograd.grad((wanted * weight).sum(), exact)
    grads_found = torch.autograd.grad((found * weight.to(dtype)).sum(), inputs)
    for one, other in zip(grads_found, grads_wanted, strict=True):
        assert_close(one.double(), other, bound)


@pytest.mark.parametrize("num_kv_heads", [1, 3])
@pytest.mark.parametrize("has_ids", [True, False])
def test_its_gradient_is_that_of_finite_differences(num_kv_heads, has_ids):
    torch.manual_seed(0)
    inputs = [
        torch.randn(2, n, 11, 3, dtype=torch.float64, requires_grad=True) for n in (3, num_kv_heads, num_kv_heads)
    ]
    ids = torch.tensor([[0] * 7 + [1] * 4, [-1] * 2 + [0] * 9]) if has_ids else None
    assert torch.autograd.gradcheck(lambda *x: s2_attention(*x, 4, segment_ids=ids), inputs)


def test_the_operator_keeps_the_rules_of_torch_library():
    case = {"shape": (2, 21), "num_heads": 6, "num_kv_heads": 2, "head_size": 4, "group_size": 8}
    ids = torch.tensor([[0] * 15 + [-1] * 6, [0] * 21], dtype=torch.int32)
    torch.library.opcheck(
        torch.ops.longalpaca.s2_attention.default,
        (*make_inputs(case), ids, 8, 0.5),
        test_utils=("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic"),
    )


def test_dropout_drops_and_keeps_the_mean():
    torch.manual_seed(0)
    q, k = torch.zeros(1, 2, 4, 8), torch.zeros(1, 2, 4, 8)
    v = torch.ones(1, 2, 4, 8)
    outs = torch.stack([s2_attention(q, k, v, 2, dropout=0.5) for _ in range(500)])
    assert 0.9 < outs.mean() < 1.1
    assert (outs == 0).any()


def test_dropout_never_shows_the_future():
    torch.manual_seed(0)
    inputs = [torch.randn(1, 2, 12, 4, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    out = s2_attention(*inputs, 4, dropout=0.3)
    for token in range(12):
        grads = torch.autograd.grad(out[:, :, token].sum(), inputs, retain_graph=True)
        assert all((grad[:, :, token + 1 :] == 0).all() for grad in grads)


def test_within_autocast_it_computes_in_the_lower_precision():
    inputs = [torch.randn(1, 4, 32, 8) for _ in range(3)]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = s2_attention(inputs[0], inputs[1], inputs[2].bfloat16(), 8)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, s2_attention(*(x.bfloat16() for x in inputs), 8))


def test_a_sum_can_be_differentiated():
    inputs = [torch.randn(1, 4, 32, 8, dtype=torch.float64, requires_grad=True) for _ in range(3)]
    s2_attention(*inputs, 8).sum().backward()
    grad = inputs[2].grad.clone()
    inputs[2].grad = None
    dense_attention(*inputs, row_mask(4, 8, [0] * 32)).sum().backward()
    assert_close(grad, inputs[2].grad)


def test_roll_and_regroup_differs_where_it_wraps_around():
    inputs = [torch.randn(1, 4, 32, 8, dtype=torch.float64) for _ in range(3)]
    difference = (roll_and_regroup(*inputs, 8) - s2_attention(*inputs, 8)).abs().amax((0, 3))
    assert (difference[:2] < BOUND).all()
    assert (difference[2:, 4:-4] < BOUND).all()
    assert (difference[2:, :4] > 1e-3).all()


@pytest.mark.parametrize(
    "shapes", [((1, 4, 8, 2), (1, 3, 8, 2), (1, 3, 8, 2)), ((1, 4, 8, 2), (1, 4, 9, 2), (1, 4, 9, 2))]
)
def test_shapes_that_do_not_fit_are_refused(shapes):
    with pytest.raises(ValueError, match="queries"):
        s2_attention(*(torch.zeros(shape) for shape in shapes), 4)


def test_segment_ids_of_another_shape_are_refused():
    with pytest.raises(ValueError, match="segment_ids"):
        s2_attention(*[torch.zeros(2, 2, 8, 2)] * 3, 4, segment_ids=torch.zeros(8))


@pytest.mark.parametrize("group_size", [None, 1, 0, "8", True, 8.0])
def test_a_wrong_group_size_is_refused(group_size):
    with pytest.raises(InputError, match="an integer of at least 2"):
        s2_attention(*[torch.zeros(2, 2, 8, 2)] * 3, group_size)


def test_segments_come_from_padding_positions_and_borders_together():
    starts = torch.zeros(2, 10, dtype=torch.bool)
    real = torch.tensor([[0, 0, 1, 1, 1, 1, 1, 1, 1, 1], [1] * 10])
    positions = torch.tensor([[0, 0, 0, 1, 2, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]])
    borders = torch.tensor([0, 10, 13, 20], dtype=torch.int32)
    ids = make_segment_ids(starts, real_BT=real, position_ids_BT=positions, cu_seq_lens=borders)
    assert Segments(ids, 2, 10, 4).bounds == [
        (range(1), 2, 5),
        (range(1), 5, 10),
        (range(1, 2), 0, 3),
        (range(1, 2), 3, 10),
    ]
