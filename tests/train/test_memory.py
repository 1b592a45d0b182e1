"""A feed-forward layer in tiles gives what it gives whole, and so do its gradients."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from pipeline.errors import InputError
from train.loss import loss_of
from train.memory import tile_mlps

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
    loss, _ = loss_of(model, {"input_ids": IDS}, IDS)
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
