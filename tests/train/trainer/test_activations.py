"""Tiles of a feed-forward layer change neither what it gives nor gradients; what is freed leaves the process."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from pipeline.errors import InputError
from train.trainer.activations import tile_mlps
from train.trainer.loss import sum_token_losses

IDS = torch.arange(40)[None]


def gradients(config, num_tokens):
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float64).train()
    widest = []
    if num_tokens is not None:
        tile_mlps(model, num_tokens, "sft")
    model.model.layers[0].mlp.down_proj.register_forward_hook(
        lambda module, inputs, out: widest.append(inputs[0].shape[1])
    )
    loss, _ = sum_token_losses(model, {"input_ids": IDS}, IDS)
    loss.backward()
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}, max(widest)


@pytest.mark.parametrize("num_tokens", [1, 7, 13, 40, 99])
def test_tiles_change_nothing_but_the_width(tiny_config, num_tokens):
    loss, wanted, _ = gradients(tiny_config, None)
    tiled, found, widest = gradients(tiny_config, num_tokens)
    assert widest <= num_tokens
    torch.testing.assert_close(tiled, loss)
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient)


def test_tiles_of_no_token_are_refused(tiny_config):
    with pytest.raises(InputError, match=r"sft\.mlp_tile: found 0"):
        tile_mlps(AutoModelForCausalLM.from_config(tiny_config), 0, "sft")


def test_a_model_without_feed_forward_modules_of_that_name_is_refused():
    with pytest.raises(InputError, match="0 modules named 'mlp'"):
        tile_mlps(torch.nn.Linear(2, 2), 8, "sft")


STILL_HELD = """
import sys
import torch
from train.benchmarks.measuring import read_resident_bytes
from train.trainer.activations import return_freed_memory_to_os

if sys.argv[1] == "given back":
    return_freed_memory_to_os()
torch.ones(5_000_000)  # freed: glibc now keeps what is as large
before = read_resident_bytes()["VmRSS"]
blocks = [(torch.ones(4_000_000), torch.ones(120_000)) for _ in range(20)]
between = [small for _, small in blocks]  # keep a heap from shrinking
del blocks
print((read_resident_bytes()["VmRSS"] - before) / 320e6)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_large_blocks_leave_the_process_when_they_are_freed(root):
    def share_held(how):
        command = [sys.executable, "-c", STILL_HELD, how]
        return float(subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout)

    assert share_held("left alone") > 0.5
    assert share_held("given back") < 0.1


HUGE = """
from pathlib import Path
import train.extend
import torch
from train.trainer.activations import return_freed_memory_to_os

return_freed_memory_to_os()
held = torch.ones(30_000_000)
print(next(line for line in Path("/proc/self/smaps_rollup").read_text().splitlines() if "AnonHugePages" in line))
"""


def has_huge_pages():
    setting = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return setting.is_file() and "[never]" not in setting.read_text()


@pytest.mark.skipif(not has_huge_pages(), reason="the system has no transparent huge pages")
def test_a_stage_asks_for_huge_pages(root):
    done = subprocess.run([sys.executable, "-c", HUGE], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[1]) > 60_000  # kB, of 120,000
