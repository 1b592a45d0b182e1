"""Scale a model's rotary position embeddings, so that it can be trained on longer rows.

Source: linear interpolation (arXiv 2306.15595), which LongLoRA uses; YaRN (arXiv 2309.00071); a larger base of the
frequencies, as ProLong (arXiv 2410.02660) has it; dynamic NTK, whose base grows with the row at hand; LongRoPE (arXiv
2402.13753). A model that is already scaled keeps its scheme, and its factor is multiplied. Overwriting one scheme with
another, as the original did, discards the positions that the model was trained with.

A model may have positions of several kinds, as Gemma-3 has: only those of layers that attend to the whole row are
scaled.
"""

import sys
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from transformers import PretrainedConfig

from pipeline.errors import InputError

Parameters = dict[str, Any]  # of transformers' `rope_parameters`, for one kind of layer
LOCAL = ("sliding", "chunked", "local")  # in the name of a layer's type: it does not attend to the whole row
CONTINUED = ("linear", "dynamic", "yarn", "llama3", "longrope")  # schemes that a factor scales further
BEGUN = ("linear", "dynamic", "yarn")  # schemes for a model without one: their factor says it all


class ScaledRope(BaseModel):
    """Key `rope` of section `extend`: positions are scaled by a factor."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    type: Literal["linear", "dynamic", "yarn", "llama3", "longrope"]
    factor: float = Field(ge=1)  # new positions divided by the model's own; 1.0 leaves the model as it is


class ThetaRope(BaseModel):
    """Key `rope` of section `extend`: the base of the frequencies is replaced."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    type: Literal["theta"]
    factor: float = Field(ge=1)  # new positions divided by the model's own
    theta: float = Field(gt=0)  # the new base


RopeParams = Annotated[ScaledRope | ThetaRope, Field(discriminator="type")]


def scale_rope(config: PretrainedConfig, rope: ScaledRope | ThetaRope, max_length: int) -> None:
    """Change `rope_parameters` and `max_position_embeddings` of `config`, which is saved with the model.

    Raises:
        InputError: The model has no rotary positions, is scaled by another scheme, or has too few positions for
            `max_length` even after scaling.
    """
    config = config.get_text_config()
    kinds = split_by_layer_type(config)
    positions = int(count_positions(config) * rope.factor)
    if positions < max_length:
        raise rope_error(
            f"factor {rope.factor} for {count_positions(config)} positions and max_length {max_length}",
            "at least as many positions as max_length",
            f"Set the factor to {-(-max_length // count_positions(config))}.0, or shorten max_length.",
        )
    if rope.factor == 1:
        return
    scaled = {
        kind: old if is_local(kind) else scale_parameters(old, rope, config.max_position_embeddings)
        for kind, old in kinds.items()
    }
    if not any(parameters.get("rope_type") == "dynamic" for parameters in scaled.values()):
        config.max_position_embeddings = positions
    config.rope_parameters = scaled.get("", scaled)


def split_by_layer_type(config: PretrainedConfig) -> dict[str, Parameters]:
    """Return the rotary parameters by the type of layer that has them; '' for all layers alike.

    Raises:
        InputError: The model has no rotary positions.
    """
    found = dict(getattr(config, "rope_parameters", None) or {})
    kinds = {"": found} if "rope_theta" in found else found
    if not kinds or not all(isinstance(one, dict) and "rope_theta" in one for one in kinds.values()):
        raise rope_error("a model without rotary positions", "a model with rope_parameters", "Use another model.")
    return kinds


def is_local(layer_type: str) -> bool:
    """Whether layers of a type attend to a part of the row."""
    return any(word in layer_type for word in LOCAL)


def count_positions(config: PretrainedConfig) -> int:
    """Return how many positions a model is made for; as many as one likes if it has no limit.

    Dynamic NTK grows its base from `max_position_embeddings` on, so these stay those of the unscaled model.
    """
    config = config.get_text_config()
    positions = getattr(config, "max_position_embeddings", None) or sys.maxsize
    parameters = dict(getattr(config, "rope_parameters", None) or {})
    return int(positions * parameters["factor"]) if parameters.get("rope_type") == "dynamic" else positions


def scale_parameters(old: Parameters, rope: ScaledRope | ThetaRope, positions: int) -> Parameters:
    """Return rotary parameters whose factor is `rope.factor` times the old one.

    Raises:
        InputError: The old scheme is another one, or one that carries no factor.
    """
    scheme = old.get("rope_type", "default")
    kept = {key: value for key, value in old.items() if key != "attention_factor"}  # transformers finds the new one
    if isinstance(rope, ThetaRope) and scheme == "default":
        return {**old, "rope_theta": rope.theta}
    if scheme == rope.type == "longrope":
        factor = {"factor": float(old["factor"]) * rope.factor} if old.get("factor") else {}
        return {**kept, **factor, "long_factor": [one * rope.factor for one in old["long_factor"]]}
    if scheme == rope.type:
        return {**kept, "factor": float(old["factor"]) * rope.factor}
    if scheme == "default" and rope.type in BEGUN:
        original = {"original_max_position_embeddings": positions} if rope.type == "yarn" else {}
        return {**old, "rope_type": rope.type, "factor": rope.factor, **original}
    raise other_scheme(rope.type, scheme)


def other_scheme(asked: str, scheme: str) -> InputError:
    """Return the error for a model that is scaled by another scheme than asked."""
    return rope_error(
        f"type {asked} for a model scaled by '{scheme}'",
        f"type {scheme}" if scheme in CONTINUED else f"{', '.join(BEGUN)} or theta, for a model that is not scaled",
        "Keep the scheme that the model was trained with." if scheme in CONTINUED else "Use another type or model.",
    )


def rope_error(found: str, expected: str, fix: str) -> InputError:
    """Return an error in the recipe's `extend.rope`."""
    return InputError("extend.rope", found=found, expected=expected, fix=fix)
