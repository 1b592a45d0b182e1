"""extend -> sft -> merge on a tiny random model: what is written, that it is whole, and what is said of bad input."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from datasets import Dataset
from peft import AutoPeftModelForCausalLM, PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

import train.base
import train.extend
import train.merge
import train.sft
from pipeline.errors import InputError
from pipeline.records import Document, Evidence, Example, Material, MixedExample, make_example_id
from pipeline.storage.parquet import write_documents, write_mixed
from pipeline.tokenization.tokenizers import load_tokenizer
from train.data.chat import Prompter, PromptParams, fit_row
from train.data.token_cache import IGNORED

# TRL and PEFT still use an old name of transformers.
pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")

SENTENCE = "The fox sat on the wall and the hound slept. "
TRAINED = {
    "method": "lora",
    "lora_rank": 2,
    "lora_alpha": 4,
    "lora_dropout": 0.0,
    "lora_targets": ["q_proj", "k_proj", "v_proj", "o_proj"],
    "fully_trained": ["embed_tokens", "norm", "input_layernorm", "post_attention_layernorm"],
    "learning_rate": 1.0e-2,
    "embedding_learning_rate": None,
    "sequence_parallel": 1,
    "adam_beta2": 0.95,
    "optimizer": "adamw",
    "batch_size": 1,
    "warmup_steps": 0,
    "offload_activations": False,
    "mlp_tile": None,
    "dtype": "float32",
    "save_steps": 1,
    "num_checkpoints": 2,
    "report_to": "none",
    "seed": 7,
}
RECIPE = {
    "base": {"source": "nowhere", "dtype": "bfloat16"},
    "extend": {
        **TRAINED,
        "max_length": 400,
        "group_size": 64,
        "rope": {"type": "yarn", "factor": 2.0},
        "num_steps": 2,
        "accumulation_steps": 1,
        "checkpointing": "attention",
        "text_dataset": None,
    },
    "sft": {
        **TRAINED,
        "max_length": 160,
        "group_size": 32,
        "prompt": "chat",
        "num_epochs": 2,
        "accumulation_steps": 2,
        "checkpointing": "none",
        "packing": False,
        "loss_weighting": "token",
        "eval_steps": 0,
    },
    "merge": {
        "dtype": "float32",
        "max_logit_difference": 1.0e-3,
        "hub_name": "LongAlpaca-Tiny",
        "base_model": "nobody/tiny",
        "licence": "apache-2.0",
    },
}


def load_params(kind, folder, **changes):
    """Read one section of a recipe as a stage does."""
    recipe = {**RECIPE, kind.section: {**RECIPE[kind.section], **changes}}
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    (folder / "params.yaml").write_text("recipe: recipe.yaml\n")
    return kind.load(folder / "params.yaml")


def run(stage, folder, changes=None, **paths):
    """Run a stage on its section of the recipe, with some keys changed."""
    kinds = {
        train.base: train.base.BaseParams,
        train.extend: train.extend.ExtendParams,
        train.sft: train.sft.SftParams,
        train.merge: train.merge.MergeParams,
    }
    stage.run(load_params(kinds[stage], folder, **(changes or {})), **paths)


def make_prompter(tokenizer, prompt):
    """Return what writes rows in a template."""
    return Prompter(
        tokenizer,
        PromptParams(prompt=prompt, enable_thinking=None, template_date="2024-07-26", assistant_only=False),
    )


def mixed(number, quote="Who sat on the wall?", length=60):
    """Return a row whose document is far longer than `max_length` and holds its evidence somewhere."""
    text = SENTENCE * (length // 2) + quote + " " + SENTENCE * (length // 2)
    start = text.index(quote)
    question = f"What is question {number}?"
    example = Example(
        make_example_id("quote", question, "The fox.", [f"d{number}"]),
        "quote",
        question,
        "The fox.",
        doc_ids=(f"d{number}",),
        evidence=(Evidence(f"d{number}", start, start + len(quote), quote),),
    )
    head = "Below is a text. "
    instruction = f"{head}{text}\nNow the material ends. {question}"
    return MixedExample(instruction, "The fox.", 0, (Material(f"d{number}", 0, len(text), len(head)),), example)


def write_dataset(folder, num_train):
    """Write so many rows to train on, and two to test with; return the folder."""
    write_mixed(folder / "train.parquet", [mixed(n) for n in range(num_train)])
    write_mixed(folder / "test.parquet", [mixed(n) for n in range(num_train, num_train + 2)])
    return folder


@pytest.fixture
def documents(tmp_path):
    folder = tmp_path / "documents"
    rows = [Document(f"{n}", "book", f"{n}.txt", text=SENTENCE * (100 + 40 * n), split="train") for n in range(3)]
    held_out = Document("9", "book", "9.txt", text="Never seen.", split="test")
    write_documents(folder / "00.parquet", [*rows, held_out, Document("8", "book", "8.pdf", error="broken")])
    return folder


@pytest.fixture
def dataset(tmp_path):
    return write_dataset(tmp_path / "dataset", 4)


def jsonl(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def read_texts(folder):
    """Return all text that a stage wrote, to look for what should not be in it."""
    return "".join(file.read_text() for file in Path(folder).rglob("*") if file.suffix in {".json", ".jsonl", ".md"})


def test_a_model_is_extended_tuned_merged_and_loaded_again(tmp_path, tiny_model, documents, dataset):
    extended, adapter, plain = (tmp_path / name for name in ("extend", "sft", "merged"))
    run(train.extend, tmp_path, model=tiny_model, documents=documents, out=extended)
    train.sft.run(load_params(train.sft.SftParams, tmp_path), model=extended, dataset=dataset, out=adapter)
    run(train.merge, tmp_path, model=extended, adapter=adapter, out=plain)

    said = json.loads((extended / "metrics.json").read_text())
    assert said["steps"] == 2 == len(jsonl(extended / "log.jsonl"))
    assert said["tokens_seen"] == 800
    assert said["trainable_parameters"]["embedding"] == 320 * 36
    assert said["last_loss"] < said["first_loss"]

    said = json.loads((adapter / "metrics.json").read_text())
    assert said["train"]["rows"] == 4
    assert said["test"]["rows"] == 2
    assert said["steps"] == 4
    assert said["answer_nll"]["after"] < said["answer_nll"]["before"]
    assert {*jsonl(adapter / "log.jsonl")[0]} == {"step", "loss", "learning_rate", "grad_norm"}
    assert (adapter / "refused.jsonl").read_text() == ""

    model = AutoModelForCausalLM.from_pretrained(plain)
    assert model.config.max_position_embeddings == 512
    assert model.config.rope_parameters["rope_type"] == "yarn"
    assert model.config.rope_parameters["original_max_position_embeddings"] == 256
    assert not hasattr(model.config, "s2_group_size")
    assert model.config.use_cache
    tokenizer = AutoTokenizer.from_pretrained(plain)
    assert tokenizer.chat_template
    assert tokenizer.model_max_length == 512
    assert "yarn" in (plain / "README.md").read_text()
    for folder in (extended, adapter, plain):
        assert str(tmp_path) not in read_texts(folder)
        assert not [file for file in folder.rglob("*") if file.suffix in {".bin", ".pt", ".pkl"}]
        assert all(file.stat().st_mode & 0o044 == 0o044 for file in folder.rglob("*") if file.is_file())
    assert not list(tmp_path.glob(".*.tmp"))


def test_equal_runs_write_equal_bytes(tmp_path, tiny_model, documents, dataset, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)  # the adapter names its base as it is given, as dvc.yaml does
        run(train.extend, tmp_path, model=tiny_model, documents=documents, out=Path("extend"))
        changes = {"lora_dropout": 0.1}
        run(train.sft, tmp_path, changes, model=Path("extend"), dataset=dataset, out=Path("sft"))
    files = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file())
    assert len(files) > 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes(), file


@pytest.mark.parametrize("given", ["relative", "absolute"])
def test_the_adapter_is_opened_by_autopeft(tmp_path, tiny_model, dataset, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    model, out = (Path(tiny_model.name), Path("sft")) if given == "relative" else (tiny_model, tmp_path / "sft")
    run(train.sft, tmp_path, model=model, dataset=dataset, out=out)
    if given == "absolute":
        monkeypatch.chdir(out)
    opened = AutoPeftModelForCausalLM.from_pretrained(tmp_path / "sft")
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    ids = torch.randint(3, 300, (1, 20))
    expected = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), tmp_path / "sft")
    assert torch.equal(opened(ids).logits, expected(ids).logits)
    assert not torch.allclose(opened(ids).logits, base(ids).logits)


def test_sft_trains_without_a_row_to_test_with(tmp_path, tiny_model, dataset):
    write_mixed(dataset / "test.parquet", [])
    run(train.sft, tmp_path, {"eval_steps": 1}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    metrics = json.loads((tmp_path / "sft/metrics.json").read_text())
    assert metrics["answer_nll"] == {"before": None, "after": None}
    assert metrics["test"] == {"rows": 0, "tokens": 0, "answer_tokens": 0}
    assert metrics["train"]["rows"] == 4


def test_control_tokens_that_rows_and_documents_quote_are_counted(tmp_path, tiny_model, dataset):
    row = mixed(0, length=4)
    quoting = replace(row, output="It says <|im_end|> there.")
    write_mixed(dataset / "train.parquet", [quoting, mixed(1)])
    run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    assert json.loads((tmp_path / "sft/metrics.json").read_text())["control_tokens_quoted"] == {"train": 1, "test": 0}


@pytest.mark.parametrize("prompt", ["chat", "llama2"])
def test_rows_fit_keep_question_and_evidence_and_learn_the_answer_alone(tiny_tokenizer, prompt):
    prompter = make_prompter(tiny_tokenizer, prompt)
    for number in range(20):
        row = fit_row(mixed(number), prompter, 160)
        assert 150 <= len(row.ids) <= 160
        learned = [token for token, label in zip(row.ids, row.labels, strict=True) if label != IGNORED]
        assert row.labels[-len(learned) :] == learned
        assert tiny_tokenizer.decode(learned).strip() == f"The fox.{tiny_tokenizer.eos_token}"
        text = tiny_tokenizer.decode(row.ids[: -len(learned)])
        assert f"Now the material ends. What is question {number}?" in text
        assert "Who sat on the wall?" in text
        assert "Below is a text. " in text


@pytest.mark.parametrize("prompt", ["chat", "llama2"])
def test_rows_are_those_that_trl_makes_of_the_same_prompts(tmp_path, tiny_model, prompt):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    rows = [mixed(number, length=4) for number in range(6)]
    prompts = [{"prompt": f"[INST]{row.instruction}[/INST]", "completion": row.output} for row in rows]
    if prompt == "chat":
        prompts = [
            {
                "prompt": [{"role": "user", "content": row.instruction}],
                "completion": [{"role": "assistant", "content": row.output}],
            }
            for row in rows
        ]
    config = SFTConfig(output_dir=tmp_path / "trl", max_length=None, use_cpu=True, bf16=False, report_to="none")
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    theirs = SFTTrainer(model, config, train_dataset=Dataset.from_list(prompts), processing_class=tokenizer)
    for row, their in zip(rows, theirs.train_dataset, strict=True):
        own = fit_row(row, make_prompter(tokenizer, prompt), 10_000)
        assert own.ids == their["input_ids"]
        assert own.labels == their["labels"]


def test_a_row_whose_evidence_cannot_fit_is_refused_with_a_reason(tmp_path, tiny_model, dataset):
    write_mixed(dataset / "train.parquet", [mixed(0), mixed(1, quote="It was a very long quote. " * 40)])
    out = tmp_path / "sft"
    run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=out)
    refused = jsonl(out / "refused.jsonl")
    assert [(row["example_id"], row["split"]) for row in refused] == [(mixed(1, "It").example.example_id, "train")]
    assert "160 tokens" in refused[0]["reason"]
    assert json.loads((out / "metrics.json").read_text())["refused"] == {"train": 1, "test": 0}


def test_a_dataset_without_a_row_that_fits_is_refused(tmp_path, tiny_model, dataset):
    params = load_params(train.sft.SftParams, tmp_path, max_length=40)
    with pytest.raises(InputError, match=r"no row that fits \(4 refused, .* fit 40 tokens\)"):
        train.sft.run(params, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    assert not (tmp_path / "sft").exists()


def test_an_empty_dataset_is_refused(tmp_path, tiny_model, dataset):
    write_mixed(dataset / "train.parquet", [])
    with pytest.raises(InputError, match=r"found no row;.*import rows to train on"):
        run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


def test_a_missing_dataset_is_refused(tmp_path, tiny_model):
    with pytest.raises(InputError, match="no such folder"):
        run(train.sft, tmp_path, model=tiny_model, dataset=tmp_path / "none", out=tmp_path / "sft")


def test_a_missing_model_is_refused(tmp_path, dataset):
    with pytest.raises(InputError, match="no such folder"):
        run(train.sft, tmp_path, model=tmp_path / "none", dataset=dataset, out=tmp_path / "sft")


def test_a_broken_model_is_refused(tmp_path, tiny_model, dataset):
    weights = tiny_model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match="no model that transformers can read"):
        run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


def test_documents_without_text_to_train_on_are_refused(tmp_path, tiny_model):
    write_documents(tmp_path / "documents/0.parquet", [Document("9", "book", "9.txt", text="x", split="test")])
    with pytest.raises(InputError, match="split is 'train'"):
        run(train.extend, tmp_path, model=tiny_model, documents=tmp_path / "documents", out=tmp_path / "extend")


def test_rows_longer_than_the_scaled_positions_are_refused(tmp_path, tiny_model, documents):
    params = load_params(train.extend.ExtendParams, tmp_path, max_length=600)
    with pytest.raises(InputError, match=r"Set the factor to 3\.0"):
        train.extend.run(params, model=tiny_model, documents=documents, out=tmp_path / "extend")


def test_a_module_that_the_model_lacks_is_named(tmp_path, tiny_model, documents):
    params = load_params(train.extend.ExtendParams, tmp_path, lora_targets=["qkv"])
    with pytest.raises(InputError, match=r"extend\.lora_targets: found 'qkv'"):
        train.extend.run(params, model=tiny_model, documents=documents, out=tmp_path / "extend")


def test_a_mistyped_value_is_named(tmp_path):
    with pytest.raises(InputError, match=r"sft\.num_epochs: found 'two'"):
        load_params(train.sft.SftParams, tmp_path, num_epochs="two")


def test_an_adapter_of_another_model_is_refused(tmp_path, tiny_model, tiny_config, dataset):
    adapter = tmp_path / "sft"
    run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=adapter)
    tiny_config.hidden_size, tiny_config.head_dim = 72, 8
    AutoModelForCausalLM.from_config(tiny_config).save_pretrained(tmp_path / "other")
    with pytest.raises(InputError, match="does not fit"):
        run(train.merge, tmp_path, model=tmp_path / "other", adapter=adapter, out=tmp_path / "merged")


def test_a_merge_is_held_to_its_bound_and_rounding_is_told_apart(tmp_path, tiny_model, dataset):
    adapter, plain = tmp_path / "sft", tmp_path / "merged"
    run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=adapter)
    exact = {"dtype": "bfloat16", "max_logit_difference": 0.0}
    with pytest.raises(RuntimeError, match=r"merging changed the logits.*the bound is 0\.0"):
        run(train.merge, tmp_path, changes=exact, model=tiny_model, adapter=adapter, out=plain)
    assert not plain.exists()
    run(train.merge, tmp_path, changes={"dtype": "bfloat16"}, model=tiny_model, adapter=adapter, out=plain)
    assert AutoModelForCausalLM.from_pretrained(plain).dtype == torch.bfloat16
    assert "what rounding to bfloat16 adds" in (plain / "README.md").read_text()


def test_base_copies_a_folder_in_the_dtype_asked_for(tmp_path, tiny_model):
    params = load_params(train.base.BaseParams, tmp_path, source=str(tiny_model))
    train.base.run(params, out=tmp_path / "base")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    wanted = AutoModelForCausalLM.from_pretrained(tiny_model)
    assert model.dtype == torch.bfloat16
    assert torch.equal(model.lm_head.weight, wanted.lm_head.weight.bfloat16())
    assert AutoTokenizer.from_pretrained(tmp_path / "base").chat_template
    assert str(tmp_path) not in read_texts(tmp_path / "base")


def test_a_base_that_cannot_be_had_is_refused(tmp_path):
    params = load_params(train.base.BaseParams, tmp_path, source="not a model/at all")
    with pytest.raises(InputError, match="cannot be had"):
        train.base.run(params, out=tmp_path / "base")


def test_parquet_of_another_kind_is_refused(tmp_path, tiny_model, documents, dataset):
    pq.write_table(pq.read_table(documents / "00.parquet"), dataset / "train.parquet")
    with pytest.raises(InputError, match="expected the columns instruction"):
        run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


@pytest.mark.slow
def test_the_default_model_comes_with_its_chat_template_and_special_tokens(tmp_path, root):
    params = train.base.BaseParams.load(root / "params.yaml")
    load_tokenizer(params.source)  # what extraction does first must not get in the way
    train.base.run(params, out=tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "base")
    assert tokenizer.pad_token
    assert tokenizer.eos_token
    assert "<|im_start|>user\nHello<|im_end|>" in tokenizer.apply_chat_template(
        [{"role": "user", "content": "Hello"}], tokenize=False
    )
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    ids = tokenizer("The capital of France is", return_tensors="pt")
    assert tokenizer.decode(model.generate(**ids, max_new_tokens=1, do_sample=False)[0]).endswith("Paris")
