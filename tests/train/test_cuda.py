"""On a GPU: the kernels of S2-Attn, a whole run, what works there alone, and the plan beside real steps.

pytest -m gpu tests/train/test_cuda.py
"""

import json
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import train.extend
import train.merge
import train.sft
from eval.scoring import load_model, score_tokens
from tests.train.attention.s2_reference import dense_attention, row_mask
from tests.train.test_stages import dataset, documents, jsonl, run  # noqa: F401
from train.attention.registration import s2_attention
from train.benchmarks.measuring import run_in_new_process
from train.benchmarks.memory import measure_step_memory, with_method
from train.estimate.memory import estimate_memory
from train.plan import load_base_config, load_section

# TRL and PEFT still use an old name of transformers.
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning"),
]

HEADS = {"grouped keys, an odd number of them": (9, 3), "a key for each query": (4, 4)}
BOUNDS = {torch.float32: 1e-4, torch.bfloat16: 1e-2}  # of the norm of the difference, relative
GROUP_SIZE = 128
ROWS = [[0] * 300 + [1] * 84 + [2] * 640, [-1] * 100 + [0] * 800 + [-1] * 124]  # documents side by side; padding
NEEDS_BITSANDBYTES = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
NEEDS_FLASH = pytest.mark.skipif(find_spec("flash_attn") is None, reason="flash-attn is not installed")


def relative_difference(found, wanted):
    return ((found.double().cpu() - wanted).norm() / wanted.norm()).item()


@pytest.mark.parametrize("dtype", BOUNDS, ids=str)
@pytest.mark.parametrize("heads", HEADS.values(), ids=HEADS)
@pytest.mark.parametrize("backend", ["sdpa", "flex", pytest.param("flash", marks=NEEDS_FLASH)])
@pytest.mark.parametrize("ids", [ROWS, None], ids=["packed", "whole"])
def test_a_kernel_equals_a_dense_mask_with_its_gradients(backend, heads, dtype, ids):
    if backend == "flash" and dtype == torch.float32:
        pytest.skip("flash-attn has no float32")
    torch.manual_seed(0)
    length = len(ROWS[0])
    inputs = [torch.randn(2, num, length, 64).to(dtype).double().requires_grad_() for num in (*heads, heads[1])]
    masks = torch.stack([row_mask(heads[0], GROUP_SIZE, row) for row in ids or [[0] * length] * 2])
    wanted = dense_attention(*inputs, masks)
    weight = torch.randn_like(wanted).to(dtype).double()
    grads_wanted = torch.autograd.grad((wanted * weight).sum(), inputs)

    attend = torch.compile(s2_attention, dynamic=False) if backend == "flex" else s2_attention
    on_gpu = [x.detach().to("cuda", dtype).requires_grad_() for x in inputs]
    segment_ids = None if ids is None else torch.tensor(ids, dtype=torch.int32, device="cuda")
    found = attend(*on_gpu, GROUP_SIZE, segment_ids=segment_ids, backend=backend)
    grads_found = torch.autograd.grad(found, on_gpu, weight.to("cuda", dtype))
    for one, other in zip((found, *grads_found), (wanted, *grads_wanted), strict=True):
        assert relative_difference(one, other.detach()) < BOUNDS[dtype]


def test_a_model_is_extended_tuned_merged_and_loaded_again(tmp_path, tiny_model, documents, dataset):
    extended, adapter, plain = (tmp_path / name for name in ("extend", "sft", "merged"))
    changes = {"dtype": "bfloat16"}
    run(train.extend, tmp_path, changes, model=tiny_model, documents=documents, out=extended)
    run(train.sft, tmp_path, changes, model=extended, dataset=dataset, out=adapter)
    run(train.merge, tmp_path, model=extended, adapter=adapter, out=plain)
    said = json.loads((adapter / "metrics.json").read_text())
    assert said["answer_nll"]["after"] < said["answer_nll"]["before"]
    before, after = (load_file(folder / "model.safetensors") for folder in (tiny_model, plain))
    assert not torch.equal(before["model.embed_tokens.weight"], after["model.embed_tokens.weight"])


def losses_of_extend(folder, name, changes, **paths):
    run(train.extend, folder, changes, **paths, out=folder / name)
    return [step["loss"] for step in jsonl(folder / name / "log.jsonl")]


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        ({"checkpointing": "layers", "offload_activations": True}, 1e-4),
        pytest.param({"optimizer": "adamw_8bit"}, 1e-2, marks=NEEDS_BITSANDBYTES),
        pytest.param({"optimizer": "paged_adamw_8bit"}, 1e-2, marks=NEEDS_BITSANDBYTES),
        pytest.param({"method": "qlora"}, 5e-2, marks=NEEDS_BITSANDBYTES),
        ({"dtype": "float16"}, 1e-2),
        ({"dtype": "bfloat16"}, 1e-2),
        ({"mlp_tile": 50}, 1e-4),
        ({"checkpointing": "none"}, 1e-4),
    ],
    ids=str,
)
def test_every_switch_trains_as_without_it(tmp_path, tiny_model, documents, changes, bound):
    paths = {"model": tiny_model, "documents": documents}
    plain = losses_of_extend(tmp_path, "plain", {}, **paths)
    switched = losses_of_extend(tmp_path, "switched", changes, **paths)
    assert switched == pytest.approx(plain, rel=bound)


def test_tokens_are_scored_on_the_gpu_as_on_the_cpu(tiny_model):
    model = load_model(tiny_model, "float32")
    assert model.device.type == "cuda"
    ids_BT = torch.randint(320, (1, 200), generator=torch.Generator().manual_seed(0))
    on_cpu = AutoModelForCausalLM.from_pretrained(tiny_model, attn_implementation="sdpa").eval()
    for one, other in zip(score_tokens(model, ids_BT), score_tokens(on_cpu, ids_BT), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("recipe", "method", "length"),
    [
        ("smollm2-135m", "lora", 8_192),
        ("smollm2-135m", "full", 8_192),
        pytest.param("llama3.1-8b", "qlora", 8_192, marks=NEEDS_BITSANDBYTES),
    ],
)
def test_the_plan_is_within_a_tenth_of_a_real_step(recipe, method, length):
    params = with_method(load_section(recipe, "extend", {"offload_activations": False}), method)
    planned = estimate_memory(params, load_base_config(recipe), "extend", length).total
    measured, _ = run_in_new_process(measure_step_memory, params, load_base_config(recipe), length, 1)
    assert planned == pytest.approx(measured, rel=0.1)
