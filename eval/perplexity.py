"""Compare the perplexity of the base and the tuned model on documents that training never saw.

Reads   DOCUMENTS             curated documents (*.parquet), of which those of the test split are used; or texts, as
                              PG19 (*.txt) and proof-pile (*.jsonl) have them, all of which are
        BASE, TUNED           models
Writes  OUT/documents.jsonl   one object a model, document and length: nll (nats a token), num_tokens
        OUT/losses.parquet    under per_doc, the loss of every token, by model, document and context
        OUT/positions.csv     under per_doc, the mean nll by position, for `dvc plots`
        OUT/metrics.json      the protocol, and by it perplexity by length; under per_doc also the loss beyond the base
                              model's length, the same tokens behind less context, and LongPPL
Source  three protocols, whose figures must not be compared with each other:
        per_doc    the first L tokens of each document in one forward pass of its own
        sliding    Press, Smith and Lewis (arXiv 2012.15832): one stream, each token behind L - stride or more
        longlora   eval.py of LongLoRA: one stream, windows of L tokens, scored at every position
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from pydantic import Field
from tqdm import tqdm
from transformers import AutoConfig

from eval.held_out import read_held_out
from eval.perplexity_tables import (
    MODELS,
    Bootstrap,
    Losses,
    compare_beyond,
    compare_by_length,
    compare_contexts,
    compare_key_tokens,
    mean_by_length,
    mean_by_position,
    sum_by_document,
)
from eval.scoring import load_model, load_tokenizer, score_losses
from eval.windows import Window, choose_evenly, plan_last, plan_longlora, plan_sliding
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params, Part
from pipeline.records import Document
from train.recipe import Dtype

STREAMS = {"longlora": plan_longlora, "sliding": plan_sliding}
MAX_CHARACTERS_PER_TOKEN = 16  # prose averages 4 to 5; a document that averages more than 16 would count as too short
log = logging.getLogger(__name__)


class ContextParams(Part):
    """Which tokens are read again behind less context, under per_doc."""

    num_last: int = Field(ge=1)  # tokens at the end of the longest length
    lengths: list[Annotated[int, Field(ge=1)]]  # tokens before them; one that is not shorter than all is left out


class PerplexityParams(Params):
    """Section `perplexity` of params.yaml."""

    protocol: Literal["per_doc", "sliding", "longlora"]
    lengths: list[Annotated[int, Field(ge=2)]] = Field(min_length=1)  # tokens; under per_doc documents reach them all
    num_documents: int = Field(ge=1)  # at most, the same for every model
    stride: int = Field(ge=1)  # tokens from one window to the next, under sliding and longlora
    max_windows: int = Field(ge=1)  # of each length, under sliding and longlora; spread over the stream
    contexts: ContextParams
    num_resamples: int = Field(ge=1)  # of the bootstrap over documents
    dtype: Dtype  # of weights and activations; the loss is always float32
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Stream:
    """Documents as one sequence of tokens, without a border between them."""

    doc_ids: list[str]
    ends: list[int]  # of each document, in tokens from the start
    ids_T: torch.Tensor  # noqa: N815 - T tokens

    def name_document(self, position: int) -> str:
        """Return the id of the document that a token is of."""
        return self.doc_ids[int(np.searchsorted(self.ends, position, side="right"))]


def choose_texts(held_out: Sequence[Document], tokenizer: Any, params: PerplexityParams) -> dict[str, torch.Tensor]:
    """Return the first tokens of the first documents that reach the longest length.

    Raises:
        InputError: None is that long.
    """
    longest = max(params.lengths)
    chosen: dict[str, torch.Tensor] = {}
    for document in held_out:
        if len(chosen) == params.num_documents:
            break
        start = document.text[: longest * MAX_CHARACTERS_PER_TOKEN]  # a long book need not be tokenized whole
        ids = tokenizer(start, return_tensors="pt", verbose=False)["input_ids"][0]
        if len(ids) >= longest:
            chosen[document.doc_id] = ids[:longest]
    if not chosen:
        raise refuse_length(longest, f"none of {len(held_out)} test documents reaches")
    return chosen


def join_texts(held_out: Sequence[Document], tokenizer: Any, params: PerplexityParams) -> Stream:
    """Return the first documents as one stream.

    Raises:
        InputError: It has no window of the longest length.
    """
    chosen = held_out[: params.num_documents]
    ids = [tokenizer(document.text, add_special_tokens=False, verbose=False)["input_ids"] for document in chosen]
    ends = np.cumsum([len(own) for own in ids]).tolist()
    stream = Stream([document.doc_id for document in chosen], ends, torch.tensor([one for own in ids for one in own]))
    longest = max(params.lengths)
    if not STREAMS[params.protocol](len(stream.ids_T), longest, params.stride):
        raise refuse_length(longest, f"a stream of {len(stream.ids_T)} tokens in {len(chosen)} test documents lacks")
    return stream


def refuse_length(longest: int, reason: str) -> InputError:
    """Return the error about a length that the documents are too short for."""
    return InputError(
        "section 'perplexity', key 'lengths'",
        found=f"{longest}, which {reason}",
        expected="a length that the documents of the test split have",
        fix="Lower perplexity.lengths, add longer documents, or raise curate.test_fraction.",
    )


def score_window(model: Any, ids_T: torch.Tensor, window: Window) -> np.ndarray[Any, np.dtype[np.float32]]:  # noqa: N803
    """Return the losses of the tokens that a window scores."""
    losses: np.ndarray[Any, np.dtype[np.float32]] = score_losses(
        model, ids_T[None, window.start : window.end], window.end - window.first
    )[0].numpy()
    return losses


def score_texts(
    name: str, model: Any, texts: Mapping[str, torch.Tensor], contexts: Sequence[int], num_last: int
) -> Iterator[Losses]:
    """Yield the losses of each text, read once for all lengths, and of its last tokens behind less context."""
    for doc_id, ids_T in tqdm(texts.items(), desc=f"perplexity {name}", unit=" documents", disable=None):  # noqa: N806
        yield Losses(name, doc_id, None, score_window(model, ids_T, Window(0, 1, len(ids_T))))
        for context in contexts:
            window = plan_last(len(ids_T), num_last, context)
            yield Losses(name, doc_id, context, score_window(model, ids_T, window))


def score_stream(name: str, model: Any, stream: Stream, params: PerplexityParams) -> Iterator[dict[str, Any]]:
    """Yield the mean loss of each window of each length, as of the document that its first scored token is of."""
    for length in sorted(params.lengths):
        windows = STREAMS[params.protocol](len(stream.ids_T), length, params.stride)
        chosen = choose_evenly(windows, params.max_windows)
        for window in tqdm(chosen, desc=f"perplexity {name} {length}", unit=" windows", disable=None):
            losses = score_window(model, stream.ids_T, window)
            yield {
                "model": name,
                "doc_id": stream.name_document(window.first),
                "length": length,
                "nll": float(losses.mean(dtype=np.float64)),
                "num_tokens": len(losses),
            }


def choose_contexts(params: PerplexityParams) -> list[int]:
    """Return the contexts that are shorter than all that the last tokens have before them, saying which are not."""
    whole = max(0, max(params.lengths) - params.contexts.num_last)
    shorter = sorted({context for context in params.contexts.lengths if context < whole})
    if left_out := sorted(set(params.contexts.lengths) - set(shorter)):
        log.warning(
            "perplexity.contexts.lengths: %s are not shorter than all, %d tokens, and left out", left_out, whole
        )
    return shorter


def measure_texts(
    params: PerplexityParams, folders: Mapping[str, Path], held_out: Sequence[Document], beside: Path
) -> dict[str, Any]:
    """Measure by the protocol per_doc; write the records and return the metrics."""
    texts = choose_texts(held_out, load_tokenizer(folders["base"]), params)
    contexts = choose_contexts(params)
    losses = [
        scored
        for name, folder in folders.items()
        for scored in score_texts(name, load_model(folder, params.dtype), texts, contexts, params.contexts.num_last)
    ]
    whole = [scored for scored in losses if scored.context is None]
    shortened = [scored for scored in losses if scored.context is not None]
    means = mean_by_length(whole, sorted(params.lengths))
    bootstrap = Bootstrap(params.num_resamples, params.seed)
    write_losses(beside / "losses.parquet", losses)
    means.to_json(beside / "documents.jsonl", orient="records", lines=True, double_precision=6)
    mean_by_position(whole, bootstrap).to_csv(beside / "positions.csv", index=False, float_format="%.6f")
    native_length = AutoConfig.from_pretrained(folders["base"]).max_position_embeddings
    return {
        "lengths": compare_by_length(means, bootstrap),
        "beyond_native": compare_beyond(whole, native_length, bootstrap),
        "contexts": compare_contexts(whole, shortened, bootstrap),
        "longppl": compare_key_tokens(whole, shortened, bootstrap),
    }


def write_losses(path: Path, losses: Sequence[Losses]) -> None:
    """Write the loss of every token, one row a model, document and context, which is null for all from the start."""
    table = pa.table(
        {
            "model": [scored.model for scored in losses],
            "doc_id": [scored.doc_id for scored in losses],
            "context": pa.array([scored.context for scored in losses], type=pa.int64()),
            "nll": pa.array([scored.nll for scored in losses], type=pa.list_(pa.float32())),
        }
    )
    pq.write_table(table, path, compression="zstd")


def measure_stream(
    params: PerplexityParams, folders: Mapping[str, Path], held_out: Sequence[Document], beside: Path
) -> dict[str, Any]:
    """Measure by a protocol that reads one stream; write the records and return the metrics."""
    stream = join_texts(held_out, load_tokenizer(folders["base"]), params)
    means = sum_by_document(
        row
        for name, folder in folders.items()
        for row in score_stream(name, load_model(folder, params.dtype), stream, params)
    )
    means.to_json(beside / "documents.jsonl", orient="records", lines=True, double_precision=6)
    return {"lengths": compare_by_length(means, Bootstrap(params.num_resamples, params.seed))}


def run(params: PerplexityParams, *, base: Path, tuned: Path, documents: Path, out: Path) -> None:
    """Score the same tokens with both models by one protocol and compare them."""
    held_out = read_held_out(documents, params.seed)
    measure = measure_stream if params.protocol in STREAMS else measure_texts
    with replacing(out) as beside:
        beside.mkdir()
        metrics = measure(params, dict(zip(MODELS, (base, tuned), strict=True)), held_out, beside)
        write_json(beside / "metrics.json", {"protocol": params.protocol, **metrics})
    longest = metrics["lengths"][str(max(params.lengths))]
    log.info(
        "perplexity: %d documents in %s by protocol %s; at %d tokens base %.2f, tuned %.2f",
        longest["num_documents"], out, params.protocol, max(params.lengths), longest["base"], longest["tuned"],
    )  # fmt: skip


if __name__ == "__main__":
    run_stage(run)
