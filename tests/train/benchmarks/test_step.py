"""A step on random weights is one of a recipe, in 4 bits too, and takes the rows that it is given."""

import pytest
import torch

import train.benchmarks.step
from pipeline.errors import InputError
from train.benchmarks.step import build_step
from train.plan import load_section

# PEFT still asks transformers by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")

CPU = torch.device("cpu")


def load_params(**changes):
    return load_section(
        "smollm2-135m", "extend", {"max_length": 64, "group_size": 16, "checkpointing": "none", **changes}
    )


@pytest.fixture
def watched(monkeypatch):
    """The model that a step trains, and the shapes and dtypes of what its layers return."""
    seen = {"model": None, "outputs": []}
    adapt = train.benchmarks.step.make_trainable

    def keep(model, params, section):
        for layer in model.get_decoder().layers:
            layer.register_forward_hook(lambda _, inputs, out: seen["outputs"].append((out.shape[1], out.dtype)))
        seen["model"] = adapt(model, params, section)
        return seen["model"]

    monkeypatch.setattr(train.benchmarks.step, "make_trainable", keep)
    return seen


def test_a_step_takes_the_rows_that_it_is_given(tiny_config, watched):
    step = build_step(load_params(dtype="float32", accumulation_steps=4), tiny_config, CPU)
    step(8, 20)
    assert [length for length, _ in watched["outputs"]] == [8] * 4 + [20] * 4
    watched["outputs"].clear()
    step()
    assert [length for length, _ in watched["outputs"]] == [64] * 8


@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_what_goes_from_layer_to_layer_is_in_the_recipes_dtype(tiny_config, watched, method):
    build_step(load_params(dtype="bfloat16", method=method), tiny_config, CPU)(64)
    assert {dtype for _, dtype in watched["outputs"]} == {torch.bfloat16}
    packed = {name for name, weight in watched["model"].named_parameters() if weight.dtype == torch.uint8}
    assert len(packed) == (7 * tiny_config.num_hidden_layers if method == "qlora" else 0)
    assert {weight.dtype for weight in watched["model"].parameters() if weight.requires_grad} == {torch.float32}


@pytest.mark.parametrize("changes", [{"optimizer": "adamw_8bit"}, {"offload_activations": True}], ids=str)
def test_what_cannot_be_measured_is_told(tiny_config, changes):
    ((key, value),) = changes.items()
    with pytest.raises(InputError, match=f"{key}: found {value}"):
        build_step(load_params(**changes), tiny_config, CPU)
