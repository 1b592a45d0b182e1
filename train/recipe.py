"""Find the recipe that `params.yaml` names: one YAML a model, with the sections of every stage that trains."""

from pathlib import Path
from typing import Literal

from pipeline.errors import InputError
from pipeline.params import Params, read_yaml

RECIPES = Path(__file__).parent / "recipes"

Dtype = Literal["float32", "bfloat16", "float16"]


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
            wanted=f"one of {', '.join(files)}, or the path of a YAML file",
            remedy="Name one that exists.",
        )


class LoraParams(RecipeParams):
    """What LoRA+ trains (LongLoRA, arXiv 2309.12307, section 3.3): low-rank updates, and some modules whole."""

    lora_rank: int
    lora_alpha: int
    lora_dropout: float
    lora_targets: list[str]  # linear modules that get a low-rank update
    fully_trained: list[str]  # modules that are trained whole: embeddings and norms


class TrainingParams(LoraParams):
    """What both steps of training have in common."""

    max_length: int  # tokens a row
    group_size: int  # G of S2-Attn, in tokens
    learning_rate: float
    batch_size: int  # rows a device and forward pass
    accumulation_steps: int  # forward passes a step of the optimizer
    warmup_steps: int  # of a rate that stays constant afterwards
    gradient_checkpointing: bool  # keep one activation a layer and recompute the rest: less memory, a third more time
    dtype: Dtype  # of the frozen weights and the arithmetic; what is trained is kept in float32
    seed: int
