"""Scale a model's rotary position embeddings, so that it can be trained on longer rows.

Source: linear interpolation (arXiv 2306.15595), which LongLoRA uses; YaRN (arXiv 2309.00071); a larger base of the
frequencies, as ProLong (arXiv 2410.02660) has it. A model that is already
scaled keeps its scheme, and its factor is multiplied. Overwriting one scheme with another, as the original did,
discards the positions that the model was trained with.
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from transformers import PretrainedConfig

from pipeline.errors import InputError


class RopeParams(BaseModel):
    """How positions are scaled: key `rope` of section `extend`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    type: Literal["linear", "yarn", "llama3", "theta"]
    factor: float = Field(ge=1)  # new positions divided by the model's own; 1.0 leaves the model as it is
    theta: float | None = Field(default=None, gt=0)  # the new base of the frequencies, for type `theta` alone

    @model_validator(mode="after")
    def check_theta(self) -> Self:
        """Refuse type `theta` without a base, and a base beside another type."""
        if (self.type == "theta") != (self.theta is not None):
            raise ValueError("theta: a number beside type: theta, and beside no other type")
        return self


def scale_rope(config: PretrainedConfig, rope: RopeParams, max_length: int) -> None:
    """Change `rope_parameters` and `max_position_embeddings` of `config`, which is saved with the model.

    Raises:
        InputError: The model has no rotary positions, is scaled by another scheme, or has too few positions for
            `max_length` even after scaling.
    """
    old = dict(getattr(config, "rope_parameters", None) or {})
    if "rope_theta" not in old:
        raise rope_error(
            "a model without rotary positions of one kind", "a model with rope_parameters", "Use another model."
        )

    positions = int(config.max_position_embeddings * rope.factor)
    if positions < max_length:
        raise rope_error(
            f"factor {rope.factor} for {config.max_position_embeddings} positions and max_length {max_length}",
            "at least as many positions as max_length",
            f"Set the factor to {-(-max_length // config.max_position_embeddings)}.0, or shorten max_length.",
        )
    if rope.factor > 1:
        config.rope_parameters = scale_parameters(old, rope, config.max_position_embeddings)
        config.max_position_embeddings = positions


def scale_parameters(old: dict[str, Any], rope: RopeParams, positions: int) -> dict[str, Any]:
    """Return `rope_parameters` whose factor is `rope.factor` times the old one.

    Raises:
        InputError: The old scheme is another one, or one that carries no factor.
    """
    scheme = old.get("rope_type", "default")
    if scheme == "default" and rope.type == "theta":
        return {**old, "rope_theta": rope.theta}
    if scheme == rope.type:
        kept = {key: value for key, value in old.items() if key != "attention_factor"}  # transformers finds the new one
        return {**kept, "factor": float(old["factor"]) * rope.factor}
    if scheme == "default" and rope.type == "linear":
        return {**old, "rope_type": "linear", "factor": rope.factor}
    if scheme == "default" and rope.type == "yarn":
        return {
            **old,
            "rope_type": "yarn",
            "factor": rope.factor,
            "original_max_position_embeddings": positions,
        }
    supported = scheme if scheme in ("linear", "yarn", "llama3") else None
    raise rope_error(
        f"type {rope.type} for a model scaled by '{scheme}'",
        f"type {supported}" if supported else "linear, yarn or theta, for a model that is not scaled",
        "Keep the scheme that the model was trained with." if supported else "Use another type or model.",
    )


def rope_error(found: str, expected: str, fix: str) -> InputError:
    """Return an error in the recipe's `extend.rope`."""
    return InputError("extend.rope", found=found, expected=expected, fix=fix)
