"""Every recipe, as a user with GPUs would run it, on its own model made small: extend, sft, merge, and load again.

What is kept: the YAML, the architecture with its ratio of query to key-value heads, the kind of positions, what is
trained and how. What is smaller: 2 layers, a 32nd of the width, a 64th of every length, a tokenizer that stands in, and
fewer steps. Switches that need a GPU are off.
"""

import json
import subprocess
import sys

import pytest
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from pipeline.records import Document
from pipeline.storage.parquet import write_documents, write_mixed
from tests.train.test_stages import SENTENCE, mixed
from train.extend import ExtendParams
from train.extend import run as extend
from train.merge import MergeParams
from train.merge import run as merge
from train.recipe import RECIPES, list_recipes
from train.sft import SftParams
from train.sft import run as sft

WIDTH, LENGTH = 32, 64  # that many times smaller
SMALLER = {
    "num_steps": 2,
    "accumulation_steps": 2,
    "warmup_steps": 1,
    "num_epochs": 2,
    "save_steps": 1,
    "eval_steps": 1,
}
WITHOUT_GPU = {"offload_activations": False, "optimizer": "adamw"}
NAMES = sorted(list_recipes())
PERPLEXITY = """
import sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
model, tokenizer = (kind.from_pretrained(sys.argv[1]) for kind in (AutoModelForCausalLM, AutoTokenizer))
ids = tokenizer(sys.argv[2], return_tensors="pt")["input_ids"]
print(model.float()(ids, labels=ids).loss.exp().item())
"""


def smaller_model(name, folder, tokenizer):
    """Write a small random model of a recipe's architecture."""
    content = json.loads((RECIPES / f"{name}.json").read_text())
    width, heads, kv_heads = (
        content[f"{key}"] for key in ("hidden_size", "num_attention_heads", "num_key_value_heads")
    )
    divisor = 8 if heads % 8 == 0 and kv_heads % 8 == 0 else 1
    content |= {
        "hidden_size": width // WIDTH,
        "intermediate_size": content["intermediate_size"] // WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": heads // divisor,
        "num_key_value_heads": kv_heads // divisor,
        "head_dim": 2 * max(1, width // WIDTH // (heads // divisor) // 2),
        "vocab_size": len(tokenizer),
        "max_position_embeddings": content["max_position_embeddings"] // LENGTH,
    }
    content.update(bos_token_id=1, eos_token_id=2, pad_token_id=2)
    rope = content["rope_parameters"]
    if "original_max_position_embeddings" in rope:
        rope["original_max_position_embeddings"] //= LENGTH
    config = AutoConfig.for_model(content.pop("model_type"), **content)
    torch.manual_seed(0)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return config


def smaller_recipe(name, folder):
    """Write a recipe beside a params.yaml that names it."""
    recipe, shared = (yaml.safe_load((RECIPES / f"{file}.yaml").read_text()) for file in (name, "shared"))
    for stage in ("extend", "sft"):
        section = recipe[stage] = {**shared["training"], **shared[stage], **recipe[stage]}
        section |= {key: value for key, value in SMALLER.items() if key in section} | WITHOUT_GPU
        section["max_length"] = max(256, section["max_length"] // LENGTH)
        section["group_size"] = section["max_length"] // 4
        section["mlp_tile"] = None if section["mlp_tile"] is None else section["mlp_tile"] // LENGTH
        section["learning_rate"] *= 100
    if name == "smollm2-135m":  # a 64th of its rows would hold no question
        recipe["extend"]["max_length"] = 256
    (folder / "mine.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "params.yaml").write_text("recipe: mine.yaml\n")
    return recipe


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_runs_from_its_yaml_to_a_model_that_a_fresh_process_loads(name, tmp_path, tiny_tokenizer):
    before = smaller_model(name, tmp_path / "base", tiny_tokenizer)
    recipe = smaller_recipe(name, tmp_path)
    texts = [SENTENCE * (200 + 90 * number) for number in range(4)]
    rows = [Document(f"{n}", "book", f"{n}.txt", text=text, split="train") for n, text in enumerate(texts)]
    write_documents(tmp_path / "documents/0.parquet", rows)
    write_mixed(tmp_path / "dataset/train.parquet", [mixed(n) for n in range(6)])
    write_mixed(tmp_path / "dataset/test.parquet", [mixed(n) for n in range(6, 8)])
    params = {kind: kind.load(tmp_path / "params.yaml") for kind in (ExtendParams, SftParams, MergeParams)}

    extend(params[ExtendParams], model=tmp_path / "base", documents=tmp_path / "documents", out=tmp_path / "extend")
    sft(params[SftParams], model=tmp_path / "extend", dataset=tmp_path / "dataset", out=tmp_path / "sft")
    merge(params[MergeParams], model=tmp_path / "extend", adapter=tmp_path / "sft", out=tmp_path / "merged")

    config = AutoConfig.from_pretrained(tmp_path / "merged")
    factor = recipe["extend"]["rope"]["factor"]
    assert config.max_position_embeddings == before.max_position_embeddings * factor
    assert config.rope_parameters["rope_type"] == recipe["extend"]["rope"]["type"]
    assert config.rope_parameters["factor"] == factor * before.rope_parameters.get("factor", 1.0)
    assert config.tie_word_embeddings == before.tie_word_embeddings

    metrics = json.loads((tmp_path / "sft/metrics.json").read_text())
    assert metrics["train"]["rows"] == 6
    assert metrics["answer_nll"]["after"] < metrics["answer_nll"]["before"]
    trained = metrics["trainable_parameters"]
    assert trained["lora"] > 0
    assert trained["norm"] > 0
    assert (trained["embedding"] > 0) == ("embed_tokens" in recipe["sft"]["fully_trained"])

    card = (tmp_path / "merged/README.md").read_text()
    assert f"# {recipe['merge']['hub_name']}\n" in card
    assert f"base_model: {recipe['merge']['base_model']}" in card

    arguments = [sys.executable, "-c", PERPLEXITY, str(tmp_path / "merged"), SENTENCE * 20]
    fresh = float(subprocess.run(arguments, capture_output=True, text=True, check=True).stdout)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32)
    ids = AutoTokenizer.from_pretrained(tmp_path / "merged")(SENTENCE * 20, return_tensors="pt")["input_ids"]
    assert fresh == pytest.approx(model(ids, labels=ids).loss.exp().item(), rel=1e-4)
    # What `extend` trains on is plain text; `sft` trains answers in a template, and is judged by their loss above.
    untrained, extended = (
        AutoModelForCausalLM.from_pretrained(tmp_path / stage, dtype=torch.float32)(ids, labels=ids).loss.item()
        for stage in ("base", "extend")
    )
    assert extended < untrained
