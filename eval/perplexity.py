"""Compare the perplexity of the base and the tuned model on documents that training never saw.

Reads   DOCUMENTS/*.parquet   curated documents, of which those of the test split are used
        BASE, TUNED           models
Writes  OUT/documents.jsonl   one object a model, document and length: nll (nats a token), num_tokens
        OUT/positions.csv     mean nll by position, for `dvc plots`
        OUT/metrics.json      perplexity by length and loss beyond the base model's length, with paired differences
Source  protocol `per_doc`: the first L tokens of each document in one forward pass of its own; every document has the
        same weight. LongLoRA's protocol (one stream, windows 256 apart) gives other figures; do not compare them.
"""

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from tqdm import tqdm
from transformers import AutoConfig

from eval.scoring import load_model, load_tokenizer, score_tokens
from eval.stats import bootstrap_mean
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Document
from pipeline.stable_order import order_key
from pipeline.storage.parquet import read_documents
from train.recipe import Dtype

MODELS = ("base", "tuned")
POSITIONS_PER_BIN = 512
MAX_CHARACTERS_PER_TOKEN = 16  # prose averages 4 to 5; a document that averages more than 16 would count as too short
log = logging.getLogger(__name__)


class PerplexityParams(Params):
    """Section `perplexity` of params.yaml."""

    lengths: list[Annotated[int, Field(ge=2)]] = Field(min_length=1)  # tokens; a document must reach the longest
    num_documents: int = Field(ge=1)  # at most, the same for every model
    num_resamples: int = Field(ge=1)  # of the bootstrap over documents
    dtype: Dtype  # of weights and activations; the loss is always float32
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Score:
    """The loss of each token of a document except the first, by one model."""

    model: str
    doc_id: str
    nll: np.ndarray[Any, np.dtype[np.float32]]


def choose_texts(documents: Iterable[Document], tokenizer: Any, params: PerplexityParams) -> dict[str, torch.Tensor]:
    """Return the first tokens of test documents that reach the longest length, chosen by a hash of their ids.

    Raises:
        InputError: No document of the test split is that long.
    """
    longest = max(params.lengths)
    held_out = [document for document in documents if document.split == "test"]
    ranked = sorted(held_out, key=lambda document: order_key(params.seed, document.doc_id))
    chosen: dict[str, torch.Tensor] = {}
    for document in ranked:
        if len(chosen) == params.num_documents:
            break
        start = document.text[: longest * MAX_CHARACTERS_PER_TOKEN]  # a long book need not be tokenized whole
        ids = tokenizer(start, return_tensors="pt", verbose=False)["input_ids"]
        if ids.shape[1] >= longest:
            chosen[document.doc_id] = ids[:, :longest]
    if not chosen:
        raise InputError(
            "section 'perplexity', key 'lengths'",
            found=f"{longest}, which none of {len(held_out)} test documents reaches",
            expected="a length that some document of the test split has",
            fix="Lower perplexity.lengths, add longer documents, or raise curate.test_fraction.",
        )
    return chosen


def score_texts(name: str, model: Any, texts: dict[str, torch.Tensor]) -> Iterator[Score]:
    """Yield the token losses of each text."""
    for doc_id, ids in tqdm(texts.items(), desc=f"perplexity {name}", unit=" documents", disable=None):
        yield Score(name, doc_id, score_tokens(model, ids)[0][0].numpy())


def losses_by_length(scores: Sequence[Score], lengths: Sequence[int]) -> pd.DataFrame:
    """Return the mean loss of the first L tokens: columns model, doc_id, length, nll, num_tokens."""
    return pd.DataFrame(
        {
            "model": score.model,
            "doc_id": score.doc_id,
            "length": length,
            "nll": float(score.nll[: length - 1].mean(dtype=np.float64)),
            "num_tokens": length - 1,
        }
        for score in scores
        for length in lengths
    )


def losses_by_position(scores: Sequence[Score]) -> pd.DataFrame:
    """Return the mean loss by bin of positions over all documents: columns model, position (the bin's end), nll."""
    rows = []
    for name in MODELS:
        losses = np.stack([score.nll for score in scores if score.model == name])
        for start in range(0, losses.shape[1], POSITIONS_PER_BIN):
            part = losses[:, start : start + POSITIONS_PER_BIN]
            rows.append(
                {"model": name, "position": start + part.shape[1] + 1, "nll": float(part.mean(dtype=np.float64))}
            )
    return pd.DataFrame(rows)


def compare(losses: pd.DataFrame, params: PerplexityParams) -> dict[str, Any]:
    """Return perplexity by length and model, and the paired difference of loss, tuned minus base, over documents."""
    metrics: dict[str, Any] = {}
    for length, group in losses.groupby("length"):
        wide = group.pivot_table(index="doc_id", columns="model", values="nll").sort_index()
        difference = bootstrap_mean(list(wide["tuned"] - wide["base"]), params.num_resamples, params.seed)
        metrics[str(length)] = {
            **{name: math.exp(wide[name].mean()) for name in MODELS},
            "difference_nats": asdict(difference),
            "num_documents": len(wide),
        }
    return metrics


def compare_beyond(scores: Sequence[Score], native_length: int, params: PerplexityParams) -> dict[str, Any]:
    """Return the mean loss of the tokens beyond the base model's trained length, and its paired difference.

    This is where extended context shows; a mean over all positions is dominated by the tokens before.
    """
    rows = [
        {
            "model": score.model,
            "doc_id": score.doc_id,
            "nll": float(score.nll[native_length - 1 :].mean(dtype=np.float64)),
        }
        for score in scores
        if len(score.nll) >= native_length
    ]
    if not rows:
        return {}
    wide = pd.DataFrame(rows).pivot_table(index="doc_id", columns="model", values="nll").sort_index()
    difference = bootstrap_mean(list(wide["tuned"] - wide["base"]), params.num_resamples, params.seed)
    means = {name: float(wide[name].mean()) for name in MODELS}
    return {**means, "difference_nats": asdict(difference), "num_documents": len(wide), "from_position": native_length}


def run(params: PerplexityParams, *, base: Path, tuned: Path, documents: Path, out: Path) -> None:
    """Score the same texts with both models and compare them."""
    texts = choose_texts(read_documents(documents), load_tokenizer(base), params)
    native_length = AutoConfig.from_pretrained(base).max_position_embeddings
    scores = [
        score
        for name, folder in zip(MODELS, (base, tuned), strict=True)
        for score in score_texts(name, load_model(folder, params.dtype), texts)
    ]
    losses = losses_by_length(scores, sorted(params.lengths))
    metrics = compare(losses, params)
    with replacing(out) as beside:
        beside.mkdir()
        losses.to_json(beside / "documents.jsonl", orient="records", lines=True, double_precision=6)
        losses_by_position(scores).to_csv(beside / "positions.csv", index=False, float_format="%.6f")
        beyond = compare_beyond(scores, native_length, params)
        write_json(beside / "metrics.json", {"protocol": "per_doc", "lengths": metrics, "beyond_native": beyond})
    longest = metrics[str(max(params.lengths))]
    log.info(
        "perplexity: %d documents in %s; at %d tokens base %.2f, tuned %.2f",
        len(texts), out, max(params.lengths), longest["base"], longest["tuned"],
    )  # fmt: skip


if __name__ == "__main__":
    run_stage(run)
