"""Find the recipe that `params.yaml` names: one YAML a model, with the sections of every stage that trains."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from pipeline.errors import InputError
from pipeline.params import Params, read_yaml

RECIPES = Path(__file__).parent / "recipes"

Dtype = Literal["float32", "bfloat16", "float16"]
Checkpointing = Literal["none", "layers", "attention"]  # keep all; a layer's input; that and what attention returned


class RecipeParams(Params):
    """A section of the recipe that `recipe:` in `params.yaml` names.

    The value is the name of a file in train/recipes, or the path of a YAML file of your own beside `params.yaml`.
    """

    @classmethod
    def locate(cls, params_file: Path) -> Path:
        """Return the recipe's file.

        Raises:
            InputError: No recipe is named, or there is none of that name.
        """
        name = read_yaml(params_file).get("recipe")
        files = {file.stem: file for file in sorted(RECIPES.glob("*.yaml"))}
        if isinstance(name, str) and name in files:
            return files[name]
        if isinstance(name, str) and name.endswith((".yaml", ".yml")):
            return params_file.parent / name
        raise InputError(
            f"{params_file}: recipe",
            found="no such key" if name is None else repr(name),
            expected=f"one of {', '.join(files)}, or the path of a YAML file",
            fix="Name one that exists.",
        )


class LoraParams(RecipeParams):
    """What is trained: everything, or LoRA+ (LongLoRA, arXiv 2309.12307, section 3.3), plain or on 4-bit weights."""

    method: Literal["lora", "qlora", "full"]  # low rank; low rank on weights in nf4 (arXiv 2305.14314); every weight
    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    lora_targets: list[str]  # modules that get a low-rank update: linear ones, and the embedding of a large vocabulary
    fully_trained: list[str]  # modules that are trained whole: embeddings and norms

    @model_validator(mode="after")
    def nothing_is_without_effect(self) -> Self:
        """Refuse modules that are named beside `full`, and low rank without a module."""
        if self.method == "full" and (self.lora_targets or self.fully_trained):
            raise ValueError("lora_targets: [] and fully_trained: [] beside method: full, which trains every weight")
        if self.method != "full" and not self.lora_targets:
            raise ValueError("at least one module in lora_targets, or method: full")
        if both := set(self.lora_targets) & set(self.fully_trained):
            raise ValueError(f"{', '.join(sorted(both))} in lora_targets or in fully_trained, not in both")
        return self


class TrainingParams(LoraParams):
    """What both steps of training have in common."""

    max_length: int  # tokens a row
    group_size: int | None  # G of S2-Attn, in tokens; null for full attention
    learning_rate: float
    embedding_learning_rate: float | None  # of an embedding that is trained whole; null for `learning_rate`
    adam_beta2: float  # of AdamW; its first beta is 0.9
    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]  # the last keeps its state where there is room
    batch_size: int  # rows a device and forward pass
    accumulation_steps: int  # forward passes a step of the optimizer
    sequence_parallel: int  # processes that share each row, a stretch each; 1 for whole rows
    warmup_steps: int  # of a rate that stays constant afterwards
    checkpointing: Checkpointing  # what of a layer is kept for the backward pass
    offload_activations: bool  # keep what is kept for the backward pass in the memory of the CPU
    mlp_tile: int | None  # tokens that go through a feed-forward layer at once; null for all
    dtype: Dtype  # of the frozen weights and the arithmetic; what is trained is kept in float32
    save_steps: int  # steps from one checkpoint to the next; 0 for none
    num_checkpoints: int  # that are kept
    report_to: Literal["none", "tensorboard", "trackio", "wandb"]  # where curves go, beside log.jsonl
    seed: int
