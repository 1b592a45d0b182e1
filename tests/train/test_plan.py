"""What a recipe takes is known before it runs: it adds up, follows the switches, and is what a real step takes."""

import json

import pytest

from pipeline.errors import InputError
from train.benchmarks.measuring import run_in_new_process
from train.benchmarks.memory import measure_step_memory, with_method
from train.estimate.memory import OPTIMIZER_BYTES, PARTS, estimate_memory
from train.plan import (
    GIB,
    count_rows_per_step,
    count_step_flops,
    estimate_floor_seconds,
    estimate_step,
    load_base_config,
    load_section,
    main,
    shard_parts,
)
from train.trainer.precision import with_dtype_here

# PEFT still asks transformers by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")

LENGTH = 1_024
LAYERS = 3  # of SmolLM2-135M's 30, where their number does not matter


def footprint(length=LENGTH, *, has_whole_logits=False, **changes):
    params = load_section("smollm2-135m", "extend", changes)
    config = load_base_config("smollm2-135m")
    config.num_hidden_layers = LAYERS
    return estimate_memory(params, config, "extend", length, has_whole_logits=has_whole_logits)


def test_the_parts_add_up_and_are_those_that_are_named():
    found = footprint()
    assert tuple(found.parts) == PARTS
    assert found.total == pytest.approx(sum(found.parts.values()))


def test_the_weights_and_the_state_of_the_optimizer_are_exact():
    found = footprint(method="full", lora_targets=[], fully_trained=[])
    num = 49_152 * 576 + LAYERS * 3_540_096 + 576
    assert found.parts["optimizer"] == num * OPTIMIZER_BYTES["adamw"]
    assert found.parts["weights"] == pytest.approx(4 * num, rel=1e-3)


def test_layer_inputs_are_one_row_a_layer_in_the_recipes_dtype():
    found = footprint(length=4_096, checkpointing="layers")
    assert found.parts["layer_inputs"] == LAYERS * 4_096 * 576 * 2
    assert found.parts["kept_attention"] == 0


def test_every_switch_takes_less():
    kept = footprint(length=4_096, checkpointing="none")
    attention = footprint(length=4_096, checkpointing="attention")
    layers = footprint(length=4_096, checkpointing="layers")
    offloaded = footprint(length=4_096, checkpointing="layers", offload_activations=True)
    assert kept.total > attention.total > layers.total > offloaded.total
    tiled = footprint(length=16_384, checkpointing="layers", mlp_tile=1_024)
    assert tiled.parts["live_layer"] <= footprint(length=16_384, checkpointing="layers").parts["live_layer"]


def test_full_attention_is_planned_without_a_mask_of_all_queries_and_keys():
    short, long = (footprint(length=length, group_size=None).parts["live_layer"] for length in (16_384, 65_536))
    assert long == pytest.approx(4 * short, rel=0.05)


def test_whole_logits_are_there_three_times_in_float32():
    logits_bytes = 4_095 * 49_152 * 4
    assert footprint(length=4_096, has_whole_logits=True).parts["logits"] >= 3 * logits_bytes
    assert footprint(length=4_096).parts["logits"] < logits_bytes


def test_a_shared_row_takes_its_share():
    made = []
    for size in (1, 2):
        config = load_base_config("llama2-7b")
        config.num_hidden_layers = LAYERS
        changes = {"sequence_parallel": size, "group_size": 2_048, "mlp_tile": None}
        made.append(estimate_step(load_section("llama2-7b", "extend", changes), config, "extend", 16_384))
    alone, shared = (found.footprint.parts for found in made)
    assert shared["weights"] == alone["weights"]
    assert shared["layer_inputs"] == alone["layer_inputs"] / 2
    assert shared["live_layer"] == pytest.approx(alone["live_layer"] / 2, rel=0.1)
    assert estimate_floor_seconds(made[1], "h100") == estimate_floor_seconds(made[0], "h100") / 2
    assert count_rows_per_step(made[1].params, 8) == count_rows_per_step(made[0].params, 8) / 2


def test_a_row_that_the_heads_cannot_share_is_refused_in_one_line():
    params = load_section("smollm2-135m", "extend", {"sequence_parallel": 2})
    with pytest.raises(InputError, match=r"extend\.sequence_parallel: found 2 for a model of 9 heads"):
        estimate_step(params, load_base_config("smollm2-135m"), "extend", 64)


def test_weights_in_four_bits_take_about_a_quarter():
    changes = {"fully_trained": [], "checkpointing": "layers"}
    whole = footprint(**changes).parts["weights"]
    quantised = footprint(**changes, method="qlora").parts["weights"]
    frozen_linear = LAYERS * 3_538_944
    assert whole - quantised == pytest.approx(frozen_linear * (2 - 0.516), rel=0.01)


@pytest.mark.long
@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("length", [1_024, 2_048, 4_096])
def test_the_plan_is_within_a_tenth_of_a_real_step(method, length):
    params = with_dtype_here(with_method(load_section("smollm2-135m", "extend"), method))
    planned = estimate_memory(params, load_base_config("smollm2-135m"), "extend", length).total
    measured, _ = run_in_new_process(measure_step_memory, params, load_base_config("smollm2-135m"), length, 1)
    assert planned == pytest.approx(measured, rel=0.1)


@pytest.mark.long
@pytest.mark.parametrize(
    ("recipe", "length", "budget"),
    [("llama2-7b", 100_000, 80), ("llama2-13b", 65_536, 80), ("llama2-70b", 32_768, 141)],
)
def test_the_recipes_of_the_paper_fit_one_gpu(recipe, length, budget):
    found = estimate_memory(load_section(recipe, "extend"), load_base_config(recipe), "extend", length)
    assert found.total / 1e9 < budget - 1
    assert found.total > 0.3 * budget * 1e9


def test_a_plan_as_json_has_what_it_promises(capsys):
    main(["--recipe", "smollm2-135m", "--length", "2048", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["peak_gib"] == pytest.approx(sum(found["peak_gib_parts"].values()))
    assert found["trainable_parameters"] == sum(found["trainable_parameters_parts"].values()) == 29_268_288
    assert found["flops_per_step"] == pytest.approx(sum(found["flops_per_step_parts"].values()))
    assert found["hours"] > 0
    assert found["tokens_per_step"] == 2_048 * 8


@pytest.mark.long
def test_a_plan_as_text_says_the_same(capsys):
    main(["--recipe", "smollm2-135m", "--length", "2048"])
    text = capsys.readouterr().out
    assert "28,311,552" in text
    assert "peak" in text


@pytest.mark.long
def test_switches_are_tried_until_each_gpu_has_room(capsys):
    main(["--recipe", "smollm2-135m", "--length", "1024", "--fit", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {budget: fit["switches"] for budget, fit in found["fits"].items()} == {
        "24": {},
        "48": {},
        "80": {},
        "141": {},
    }


def test_operations_are_those_of_the_paper_with_half_the_attention():
    params = load_section("llama2-7b", "extend", {"group_size": None, "max_length": 8_192, "mlp_tile": None})
    found = count_step_flops(params, load_base_config("llama2-7b"))
    assert found["forward"] == pytest.approx((143.5 - 35.2 / 2) * 1e12, rel=0.01)  # Table 11
    assert found["weight_gradients"] == 0
    assert found["activation_gradients"] == pytest.approx((143.5 - 35.2) * 1e12, rel=0.01)


def test_gpus_share_what_they_share():
    parts = {"weights": 64.0, "gradients": 16.0, "optimizer": 32.0, "layer_inputs": 5.0}
    assert shard_parts(parts, "none", 8, 32) == parts
    assert shard_parts(parts, "zero2", 8, 32) == {**parts, "gradients": 2.0, "optimizer": 4.0}
    assert shard_parts(parts, "fsdp", 8, 32)["weights"] == 8 + 2 * 64 / 32 * 7 / 8


def test_a_longer_row_scales_the_positions_as_the_recipe_does():
    params = load_section("llama2-7b", "extend", {"group_size": None})
    config = load_base_config("llama2-7b")
    config.num_hidden_layers = 1
    made = estimate_step(params, config, "extend", 8_192)
    assert config.max_position_embeddings == 8_192
    assert made.footprint.total > 0.5 * GIB


def test_a_longer_row_of_sft_keeps_the_models_own_scheme():
    params = load_section("llama3.1-8b", "sft")
    config = load_base_config("llama3.1-8b")
    config.num_hidden_layers = 1
    before = config.rope_parameters
    estimate_step(params, config, "sft", 150_000)
    assert config.rope_parameters == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe", "llama9"], "one of llama2-13b"),
        (["--recipe", "llama2-7b", "--set", "lora_targets=[qkv]"], "found 'qkv'"),
        (["--recipe", "llama2-7b", "--set", "lora_tragets=[q_proj]"], "extend.lora_tragets: found an unknown key"),
    ],
)
def test_what_is_wrong_with_a_plan_is_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert said in capsys.readouterr().err


def test_a_recipe_without_the_sizes_of_its_model_says_what_to_do(tmp_path):
    (tmp_path / "mine.yaml").write_text("extend: {}\n")
    with pytest.raises(InputError, match="--model"):
        load_base_config(str(tmp_path / "mine.yaml"))


@pytest.mark.parametrize("length", ["0", "-5"])
def test_a_length_below_one_is_one_line(length, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--recipe", "smollm2-135m", "--length", length])
    assert "at least 1 token" in capsys.readouterr().err
