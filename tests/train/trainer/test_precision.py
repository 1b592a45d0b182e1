"""bfloat16 where a CPU has it, float32 where it would be emulated, and what is written is the same either way."""

from pathlib import Path

import pytest
import torch
from safetensors import safe_open

import eval.scoring
import train.extend
import train.sft
import train.trainer.precision
from tests.train.test_stages import dataset, documents, jsonl, run  # noqa: F401
from train.trainer.precision import choose_dtype

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")


@pytest.fixture(params=[True, False], ids=["with bfloat16", "without"])
def has_bfloat16(request, monkeypatch):
    """A CPU with kernels for bfloat16, and one without."""
    monkeypatch.setattr(train.trainer.precision, "has_bfloat16", lambda: request.param)
    return request.param


def test_bfloat16_alone_is_computed_in_another_dtype(has_bfloat16):
    assert choose_dtype("bfloat16") == ("bfloat16" if has_bfloat16 else "float32")
    assert choose_dtype("float32") == "float32"
    assert choose_dtype("float16") == "float16"


@pytest.mark.skipif(not Path("/proc/cpuinfo").is_file() or torch.cuda.is_available(), reason="asks Linux for its CPU")
def test_a_cpu_of_intel_or_amd_has_bfloat16_where_it_has_instructions_for_it():
    flags = Path("/proc/cpuinfo").read_text().split()
    if "avx2" not in flags:
        pytest.skip("another kind of CPU")
    assert train.trainer.precision.has_bfloat16() == ("avx512_bf16" in flags or "amx_bf16" in flags)


def test_stages_compute_in_it_and_write_what_the_recipe_says(tmp_path, tiny_model, documents, dataset, has_bfloat16):
    changes = {"dtype": "bfloat16"}
    wanted = torch.bfloat16 if has_bfloat16 else torch.float32
    seen = []
    hook = torch.nn.modules.module.register_module_forward_hook(
        lambda module, inputs, out: seen.append(out.dtype) if type(module).__name__ == "LlamaMLP" else None
    )
    try:
        run(train.extend, tmp_path, changes, model=tiny_model, documents=documents, out=tmp_path / "extend")
        run(train.sft, tmp_path, changes, model=tmp_path / "extend", dataset=dataset, out=tmp_path / "sft")
        model = eval.scoring.load_model(tmp_path / "extend", "bfloat16")
        model(torch.arange(8)[None])
    finally:
        hook.remove()
    assert set(seen) == {wanted}
    with safe_open(tmp_path / "extend/model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.bfloat16}  # noqa: SIM118
    assert jsonl(tmp_path / "sft/log.jsonl")
