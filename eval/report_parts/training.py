"""The training: what was trained under which attention, for how long, and the losses."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from eval.report_parts.charts import Point, Series, lines
from eval.report_parts.part import Folders, Part, read_json, require_file

ORDER = 40
STAGES = ("extend", "sft")


def make_part(folders: Folders) -> Part:
    """Show what was trained, for how long, and the loss."""
    losses = read_losses({stage: folders.models / stage for stage in STAGES})
    extend, sft = (read_json(folders.models / stage / "metrics.json") for stage in STAGES)
    settings = {stage: read_json(folders.models / stage / "training.json") for stage in STAGES}
    rows = [
        (name, f"{stage['trainable_parameters']['total']:,}", stage["steps"], f"{num_tokens:,}")
        for name, stage, num_tokens in (("extend", extend, extend["tokens_seen"]), ("sft", sft, sft["train"]["tokens"]))
    ]
    nll = sft["answer_nll"]
    return Part(
        "Training",
        f"{describe_training(settings)} "
        f"The loss is that of the training batches. On {sft['test']['rows']} held-out rows "
        f"({sft['test']['answer_tokens']} answer tokens) the loss of the answers went from "
        f"{nll['before']:.3f} to {nll['after']:.3f} nats a token; "
        f"rows refused because they were too long even when cut to their evidence: {sum(sft['refused'].values())}.",
        pd.DataFrame(rows, columns=["stage", "trained parameters", "steps", "tokens"]),
        "".join(draw_losses(str(stage), group) for stage, group in losses.groupby("stage", sort=False)),
        answers={
            "What came out?": f"A model of {extend['trainable_parameters']['total']:,} trained parameters in its first "
            f"stage, which saw {extend['tokens_seen']:,} tokens of documents and then {sft['train']['tokens']:,} of "
            "questions and answers."
        },
        overview=(("answer loss on held-out rows (nats a token)", f"{nll['before']:.3f}", f"{nll['after']:.3f}"),),
        metrics={"extend": extend, "sft": sft},
        plots={"losses.csv": losses},
    )


def draw_losses(stage: str, losses: pd.DataFrame) -> str:
    """Draw the training loss of a stage."""
    points = [
        Point(step, loss, None, None, f"{stage}, step {step}: {loss:.3f} nats a token")
        for step, loss in zip(losses["step"], losses["loss"], strict=True)
    ]
    label = f"Training loss of {stage} by step"
    return lines([Series(stage, tuple(points))], x_label=f"step of {stage}", y_label="loss (nats a token)", label=label)


def read_losses(folders: Mapping[str, Path]) -> pd.DataFrame:
    """Return the training loss of the stages: columns stage, step, loss."""
    logs = [
        pd.read_json(require_file(folder / "log.jsonl"), lines=True).assign(stage=stage)
        for stage, folder in folders.items()
    ]
    return pd.concat(logs).dropna(subset=["loss"])[["stage", "step", "loss"]].reset_index(drop=True)


def describe_training(settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what the stages trained, and under which attention, in one sentence."""
    extend, sft = (settings[stage] for stage in STAGES)
    if describe_weights(extend) == describe_weights(sft):
        attention = describe_attention(extend)
        if attention != describe_attention(sft):
            attention = f"{attention} (extend) and {describe_attention(sft)} (sft)"
        return f"Both stages trained {describe_weights(extend)}, under {attention}."
    stages = (f"{name}: {describe_weights(own)}, under {describe_attention(own)}" for name, own in settings.items())
    return f"Trained by {'; by '.join(stages)}."


def describe_weights(settings: Mapping[str, Any]) -> str:
    """Say which weights a stage trained, like 'LoRA of rank 8 on q_proj and v_proj, and all of norm'."""
    if settings["method"] == "full":
        return "every weight"
    weights = f"LoRA of rank {settings['lora_rank']} on {join_words(settings['lora_targets'])}"
    if settings["method"] == "qlora":
        weights += " over weights in 4 bits"
    return weights + (f", and all of {join_words(settings['fully_trained'])}" if settings["fully_trained"] else "")


def describe_attention(settings: Mapping[str, Any]) -> str:
    """Say under which attention a stage trained."""
    size = settings["group_size"]
    return "full attention" if size is None else f"shifted sparse attention in groups of {size:,} tokens"


def join_words(words: Sequence[str]) -> str:
    """Return words as a list in a sentence: 'a, b and c'."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
