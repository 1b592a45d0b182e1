"""Read the recipe that `params.yaml` names: one YAML file a model, with the sections of every stage that trains.

A recipe states what differs from train/recipes/shared.yaml. A key of `extend`, for example, has the value of the first
of these that names it: section `extend` of the recipe, section `extend` of shared.yaml, section `training` of it.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from pipeline.errors import InputError
from pipeline.params import Params, explain_validation_error, read_yaml

RECIPES = Path(__file__).parent / "recipes"
SHARED = RECIPES / "shared.yaml"

Dtype = Literal["float32", "bfloat16", "float16"]
Checkpointing = Literal["none", "layers", "attention"]  # keeps everything; layer inputs; these and attention outputs


def list_recipes() -> dict[str, Path]:
    """Return the files of the recipes in train/recipes by name."""
    return {file.stem: file for file in sorted(RECIPES.glob("*.yaml")) if file != SHARED}


class RecipeParams(Params):
    """A section of the recipe that `recipe:` in `params.yaml` names.

    The value is the name of a file in train/recipes, or the path of a YAML file of your own beside `params.yaml`.
    """

    @classmethod
    def shared_sections(cls) -> tuple[str, ...]:
        """Return the sections of shared.yaml that hold values for this one, the most specific first."""
        return (cls.section,)

    @classmethod
    def locate(cls, params_file: Path) -> Path:
        """Return the recipe's file.

        Raises:
            InputError: No recipe is named, or no recipe has that name.
        """
        name = read_yaml(params_file).get("recipe")
        recipes = list_recipes()
        if isinstance(name, str) and name in recipes:
            return recipes[name]
        if isinstance(name, str) and name.endswith((".yaml", ".yml")):
            return params_file.parent / name
        raise InputError(
            f"{params_file}: recipe",
            found="no such key" if name is None else repr(name),
            expected=f"one of {', '.join(recipes)}, or the path of a YAML file",
            fix="Name one that exists.",
        )

    @classmethod
    def parse(cls, file: Path, content: dict[str, Any]) -> Self:
        """Check this section of a recipe, with the values of shared.yaml for the keys that it leaves out.

        Raises:
            InputError: A key is unknown, missing or mistyped; it names the file that holds the key.
        """
        own = content.get(cls.section)
        if not isinstance(own, dict):
            return super().parse(file, content)
        shared = read_yaml(SHARED)
        sections = {name: shared.get(name) or {} for name in cls.shared_sections()}
        values: dict[str, Any] = {}
        for section in (*reversed(sections.values()), own):
            values |= section
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            key = next(iter(error.errors()[0]["loc"]), None)
            if key not in own:
                for name in (name for name, section in sections.items() if key in section):
                    raise explain_validation_error(SHARED, name, error) from error
            raise explain_validation_error(file, cls.section, error) from error


class LoraParams(RecipeParams):
    """What is trained: every weight, or LoRA+ (LongLoRA, arXiv 2309.12307, section 3.3), plain or on 4-bit weights."""

    method: Literal["lora", "qlora", "full"]  # LoRA; LoRA on weights in NF4 (arXiv 2305.14314); every weight
    lora_rank: int = Field(ge=1)
    lora_alpha: int = Field(ge=1)
    lora_dropout: float = Field(ge=0, lt=1)
    lora_targets: list[str]  # modules that get a LoRA update: linear layers, and the embedding of a large vocabulary
    fully_trained: list[str]  # modules whose weights are all trained: embeddings and norms

    @model_validator(mode="after")
    def check_modules_match_method(self) -> Self:
        """Refuse lists of modules beside `full`, and LoRA without a module."""
        if self.method == "full" and (self.lora_targets or self.fully_trained):
            raise ValueError("lora_targets: [] and fully_trained: [] beside method: full, which trains every weight")
        if self.method != "full" and not self.lora_targets:
            raise ValueError("at least one module in lora_targets, or method: full")
        if both := set(self.lora_targets) & set(self.fully_trained):
            raise ValueError(f"{', '.join(sorted(both))} in lora_targets or in fully_trained, not in both")
        return self


class TrainingParams(LoraParams):
    """What sections `extend` and `sft` have in common."""

    max_length: int = Field(ge=2)  # tokens in a row
    group_size: int | None = Field(ge=2)  # G of S2-Attn, in tokens; null for full attention
    learning_rate: float = Field(ge=0)
    embedding_learning_rate: float | None = Field(ge=0)  # of a fully trained embedding; null for `learning_rate`
    adam_beta2: float = Field(ge=0, lt=1)  # of AdamW; its beta1 is 0.9
    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]  # paged: its state is paged to CPU memory
    batch_size: int = Field(ge=1)  # rows per device and forward pass
    accumulation_steps: int = Field(ge=1)  # forward passes per optimizer step
    sequence_parallel: int = Field(ge=1)  # processes that share each row, a chunk each; 1 for whole rows
    warmup_steps: int = Field(ge=0)  # after which the learning rate is constant
    checkpointing: Checkpointing  # what of a layer is saved for the backward pass
    offload_activations: bool  # offload saved activations to CPU
    mlp_tile: int | None = Field(ge=1)  # tokens that go through a feed-forward layer at once; null for all
    dtype: Dtype  # of frozen weights and computation; trained weights are kept in float32
    save_steps: int = Field(ge=0)  # steps from one checkpoint to the next; 0 for no checkpoints
    num_checkpoints: int = Field(ge=1)  # that are kept
    report_to: Literal["none", "tensorboard", "trackio", "wandb"]  # where curves go, beside log.jsonl
    seed: int = Field(ge=0)

    @classmethod
    def shared_sections(cls) -> tuple[str, ...]:
        """Return the stage's own section of shared.yaml, then the one for both stages."""
        return (cls.section, "training")
