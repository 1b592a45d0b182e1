"""What a recipe may choose: what is trained, packing, weights, texts of others; and what it is told where it cannot."""

import json
import shutil
from importlib.util import find_spec

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

import train.extend
import train.merge
import train.sft
import train.trainer.model
import train.trainer.preflight
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import write_documents, write_mixed
from tests.train.test_stages import SENTENCE, dataset, documents, jsonl, load_params, make_prompter, mixed, run  # noqa: F401
from train.data.chat import fit_row

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")

FULL = {"method": "full", "lora_targets": [], "fully_trained": [], "learning_rate": 1.0e-3}
QLORA = {"method": "qlora"}
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj"]


def untied(folder):
    """Part the head of a model from its embedding."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    model.config.tie_word_embeddings = False
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    again = AutoModelForCausalLM.from_config(model.config)
    again.load_state_dict(weights)
    shutil.copytree(folder, folder.parent / "untied")
    again.save_pretrained(folder.parent / "untied")
    return folder.parent / "untied"


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [FULL, QLORA, {"lora_targets": [*PROJECTIONS, "embed_tokens"], "fully_trained": ["norm"]}],
    ids=["full", "qlora", "embedding by low rank"],
)
def test_what_is_trained_is_saved_merged_and_loaded(tmp_path, tiny_model, documents, dataset, changes):
    model = untied(tiny_model)
    extended, trained, plain = (tmp_path / name for name in ("extend", "sft", "merged"))
    run(train.extend, tmp_path, changes, model=model, documents=documents, out=extended)
    run(train.sft, tmp_path, changes, model=extended, dataset=dataset, out=trained)
    run(train.merge, tmp_path, model=extended, adapter=trained, out=plain)
    before, middle, after = (load_file(folder / "model.safetensors") for folder in (model, extended, plain))
    moved = {name for name in before if not torch.equal(before[name], middle[name])}
    assert moved == {name for name in before if not torch.equal(middle[name], after[name])}
    assert {f"model.layers.3.self_attn.{name}.weight" for name in PROJECTIONS} <= moved
    assert "model.embed_tokens.weight" in moved
    assert ("model.layers.0.mlp.up_proj.weight" in moved) == (changes is FULL)
    said = json.loads((trained / "metrics.json").read_text())
    assert said["answer_nll"]["after"] < said["answer_nll"]["before"]
    if "embed_tokens" in changes.get("lora_targets", []):
        assert said["trainable_parameters"]["embedding"] == 0
        adapter = load_file(trained / "adapter_model.safetensors")
        assert not any(value.shape == before["model.embed_tokens.weight"].shape for value in adapter.values())


def test_an_embedding_may_have_a_rate_of_its_own(tmp_path, tiny_model, dataset):
    moves = {}
    for rate in (None, 0.0, 1e-4):
        changes = {"embedding_learning_rate": rate, "num_epochs": 1, "accumulation_steps": 4}
        run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
        after, before = (
            load_file(tmp_path / "sft/adapter_model.safetensors"),
            load_file(tiny_model / "model.safetensors"),
        )
        embedding = before["model.embed_tokens.weight"]
        moved = next(value for name, value in after.items() if name.endswith("embed_tokens.weight")) - embedding
        norm = after["base_model.model.model.norm.weight"] - before["model.norm.weight"]
        moves[rate] = float(moved.abs().max()), float(norm.abs().max())
    assert moves[None] == (pytest.approx(1e-2, rel=0.01), pytest.approx(1e-2, rel=0.01))  # Adam's first step
    assert moves[0.0] == (0.0, pytest.approx(1e-2, rel=0.01))
    assert moves[1e-4] == (pytest.approx(1e-4, rel=0.01), pytest.approx(1e-2, rel=0.01))


@pytest.mark.parametrize("weighting", ["token", "example"])
def test_packed_rows_train_what_rows_apart_do(tmp_path, tiny_model, dataset, weighting):
    """All four rows in one step, in pairs or apart: the loss is the same, for documents do not see each other."""
    losses = {}
    for name, changes in {"apart": {"accumulation_steps": 4}, "packed": {"packing": True, "max_length": 320}}.items():
        changes = {"accumulation_steps": 2, "loss_weighting": weighting, "num_epochs": 1, **changes}
        changes.setdefault("max_length", 160)
        paths = {"model": short(tiny_model), "dataset": short_rows(tmp_path)}
        run(train.sft, tmp_path, changes, **paths, out=tmp_path / name)
        metrics = json.loads((tmp_path / name / "metrics.json").read_text())
        assert metrics["train"]["rows"] == 4
        assert metrics["steps"] == 1
        losses[name] = jsonl(tmp_path / name / "log.jsonl")[0]["loss"]
    assert losses["packed"] == pytest.approx(losses["apart"], abs=1e-5)


def short(model):
    """Return a model with room for two rows."""
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 512}))
    return model


def short_rows(folder):
    """Write rows of about 150 tokens, which are the same whatever the room."""
    if not (folder / "short").exists():
        write_mixed(folder / "short/train.parquet", [mixed(n, length=4) for n in range(4)])
        write_mixed(folder / "short/test.parquet", [mixed(n, length=4) for n in range(4, 6)])
    return folder / "short"


def test_the_test_rows_are_measured_on_the_way(tmp_path, tiny_model, dataset):
    seen = []

    class Recorder(train.trainer.model.CheckpointTrainer):
        def evaluate(self, *args, **kwargs):
            seen.append(super().evaluate(*args, **kwargs)["eval_loss"])
            return {}

    original = train.trainer.model.CheckpointTrainer
    train.trainer.model.CheckpointTrainer = Recorder
    try:
        run(train.sft, tmp_path, {"eval_steps": 2}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    finally:
        train.trainer.model.CheckpointTrainer = original
    assert len(seen) == 2
    assert seen[1] < seen[0]


@pytest.mark.parametrize(
    ("tracker", "files"), [("tensorboard", "events.out.tfevents.*"), ("wandb", "*.wandb"), ("trackio", "*.db")]
)
def test_curves_go_where_the_recipe_says(tmp_path, tiny_model, dataset, monkeypatch, tracker, files):
    if find_spec(tracker) is None:
        pytest.skip(f"{tracker} is not installed")
    curves = tmp_path / "curves"
    curves.mkdir()
    for name in ("TENSORBOARD_LOGGING_DIR", "WANDB_DIR", "TRACKIO_DIR"):
        monkeypatch.setenv(name, str(curves))
    monkeypatch.setenv("WANDB_MODE", "offline")
    run(train.sft, tmp_path, {"report_to": tracker}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
    assert list(curves.rglob(files))


def test_texts_of_another_dataset_are_streamed_as_far_as_they_are_needed(tmp_path, tiny_model, documents):
    folder = tmp_path / "texts"
    folder.mkdir()
    rows = [json.dumps({"body": SENTENCE * 60}) for _ in range(50)]
    (folder / "train.jsonl").write_text("\n".join(rows))
    texts = {"name": str(folder), "config": None, "split": "train", "column": "body"}
    run(train.extend, tmp_path, {"text_dataset": texts}, model=tiny_model, documents=documents, out=tmp_path / "extend")
    said = json.loads((tmp_path / "extend/metrics.json").read_text())
    assert 1 <= said["documents"] < 10
    texts["column"] = "text"
    with pytest.raises(InputError, match=r"extend\.text_dataset: found the columns body.*column 'text'"):
        run(train.extend, tmp_path, {"text_dataset": texts}, model=tiny_model, documents=documents, out=tmp_path / "e")
    texts["name"] = "nowhere/at all"
    with pytest.raises(InputError, match=r"extend\.text_dataset: found .* in 'nowhere/at all'"):
        run(train.extend, tmp_path, {"text_dataset": texts}, model=tiny_model, documents=documents, out=tmp_path / "e")


@pytest.fixture
def no_weights(monkeypatch):
    """Fail where a weight would be loaded."""

    def fail(*args, **kwargs):
        raise AssertionError("weights were loaded")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", fail)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"max_length": 257}, r"sft\.max_length: found 257 tokens for a model of 256 positions"),
        ({"lora_targets": ["qkv"]}, r"sft\.lora_targets: found 'qkv'"),
        ({"fully_trained": ["wte"]}, r"sft\.fully_trained: found 'wte'"),
        ({"lora_targets": ["embed_tokens"], "fully_trained": []}, r"sft\.lora_targets: found the embedding, which is"),
        ({"offload_activations": True}, r"sft\.offload_activations: found true, but no CUDA"),
        ({"optimizer": "paged_adamw_8bit"}, r"sft\.optimizer: found paged_adamw_8bit, but no CUDA"),
        ({"dtype": "float16"}, r"sft\.dtype: found float16, but no CUDA"),
        ({"sequence_parallel": 2}, r"sft\.sequence_parallel: found 2 processes to a row, 1 in all"),
        (
            {"embedding_learning_rate": 1e-3, "fully_trained": ["norm"]},
            r"sft\.embedding_learning_rate: found a rate, but no embedding",
        ),
        ({"group_size": 1}, r"sft\.group_size: found 1"),
        ({"num_checkpoints": 10**9}, r"sft\.save_steps: found .* GB free"),
        ({"method": "full"}, r"sft: found .*lora_targets: \[\] and fully_trained: \[\] beside method: full"),
        ({"lora_targets": []}, r"at least one module in lora_targets"),
        (
            {"lora_targets": ["norm"], "fully_trained": ["norm"]},
            "norm in lora_targets or in fully_trained, not in both",
        ),
        ({"max_length": 40}, r"no row that fits \(4 refused"),
        ({"mlp_tiles": 8}, r"sft\.mlp_tiles: found an unknown key"),
    ],
)
def test_what_cannot_be_done_is_said_before_a_weight_is_loaded(
    tmp_path, tiny_model, dataset, no_weights, changes, said
):
    with pytest.raises(InputError, match=said):
        run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


def test_what_zero3_cannot_compute_again_is_told(tmp_path, tiny_model, dataset, no_weights, monkeypatch):
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    monkeypatch.setenv("ACCELERATE_DEEPSPEED_ZERO_STAGE", "3")
    changes = {"checkpointing": "attention"}
    with pytest.raises(InputError, match=r"sft\.checkpointing: found attention, with LoRA under DeepSpeed ZeRO-3"):
        run(train.sft, tmp_path, changes, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


def test_a_tracker_that_is_not_installed_is_told(tmp_path, tiny_model, dataset, no_weights, monkeypatch):
    monkeypatch.setattr(train.trainer.preflight, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"sft\.report_to: found no package 'trackio'"):
        run(train.sft, tmp_path, {"report_to": "trackio"}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


@pytest.mark.parametrize("is_first", [True, False])
def test_under_fsdp_the_first_process_of_a_machine_alone_reads_the_weights(tmp_path, tiny_model, monkeypatch, is_first):
    monkeypatch.setattr(train.trainer.model, "is_fsdp_enabled", lambda: True)
    monkeypatch.setattr(train.trainer.model, "is_local_dist_rank_0", lambda: is_first)
    config = train.trainer.model.load_model_config(tiny_model)
    # What is not written is not a number then, in place of what an earlier test may have left there: these weights.
    torch.use_deterministic_algorithms(True)
    try:
        model = train.trainer.model.load_model(
            tiny_model, load_params(train.sft.SftParams, tmp_path), config, "sft", is_packed=True
        )
    finally:
        torch.use_deterministic_algorithms(False)
    stored = load_file(tiny_model / "model.safetensors")["model.embed_tokens.weight"]
    assert torch.equal(model.get_input_embeddings().weight, stored) == is_first
    assert model.get_output_embeddings().weight is model.get_input_embeddings().weight
    assert len({parameter.data_ptr() for parameter in model.parameters()}) == len(list(model.parameters()))


def test_a_gpu_without_bfloat16_is_told(tmp_path, tiny_model, dataset, no_weights, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Tesla V100")
    with pytest.raises(InputError, match=r"sft\.dtype: found bfloat16, which Tesla V100 does not have"):
        run(train.sft, tmp_path, {"dtype": "bfloat16"}, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


def test_chat_without_a_template_is_told(tmp_path, tiny_model, dataset, no_weights):
    (tiny_model / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match=r"sft\.prompt: found chat, for a tokenizer without a chat template"):
        run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")


def test_reviews_are_never_trained_on(tmp_path, tiny_model):
    rows = [Document(str(n), "review", "r", text=SENTENCE * 100, split="train") for n in range(3)]
    write_documents(tmp_path / "reviews/0.parquet", rows)
    with pytest.raises(InputError, match="no document with text whose split is 'train'"):
        run(train.extend, tmp_path, model=tiny_model, documents=tmp_path / "reviews", out=tmp_path / "extend")


def test_rows_without_evidence_that_fits_are_refused_not_cut(tiny_tokenizer):
    row = fit_row(mixed(0, quote="It was very long. " * 60), make_prompter(tiny_tokenizer, "llama2"), 160)
    assert (row.ids, row.labels) == ([], [])
    assert "160 tokens" in row.refused


def test_rows_whose_template_leaves_out_the_answer_are_refused(tmp_path, tiny_model, dataset, no_weights):
    (tiny_model / "chat_template.jinja").write_text("{{ messages[0].content }}")
    with pytest.raises(InputError, match="a template that does not write each of the turns user, assistant once"):
        run(train.sft, tmp_path, model=tiny_model, dataset=dataset, out=tmp_path / "sft")
