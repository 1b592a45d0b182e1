"""Draw tokens one after another, in one row or several side by side.

Shapes: B rows, T tokens after the cache, N tokens in all, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import DynamicCache, TopPLogitsWarper

from eval.models.kv_cache import run_model
from eval.models.records import Sampling


@torch.inference_mode()
def decode(
    model: Any, cache: DynamicCache, rests: Sequence[Sequence[int]], sampling: Sampling, ends: frozenset[int]
) -> Iterator[list[int | None]]:
    """Yield the next token of each row, None for a row that has ended; the token that ends a row is among them.

    Args:
        model: A causal language model.
        cache: What all rows have read; it is extended.
        rests: The tokens of each row that are still to be read, at least one each. Shorter rows are padded in front,
            which only full attention can mask.
        sampling: How tokens are drawn; each row has a generator of its own, so that no row depends on the others.
        ends: The tokens that end a reply.
    """
    num_cached, num_rest = cache.get_seq_length(), max(map(len, rests))
    ids_BT = torch.tensor([[0] * (num_rest - len(rest)) + list(rest) for rest in rests])
    mask_BN = torch.ones(len(rests), num_cached + num_rest, dtype=torch.long)
    for row, rest in enumerate(rests):
        mask_BN[row, num_cached : num_cached + num_rest - len(rest)] = 0
    generators = [torch.Generator(model.device).manual_seed(sampling.seed) for _ in rests]
    is_ended = [False] * len(rests)
    for _ in range(sampling.max_tokens):
        logits_BV = run_model(model, ids_BT, cache, **mask_inputs(mask_BN, ids_BT.shape[1]))
        drawn = draw_tokens(logits_BV.float(), sampling, generators)
        yield [None if ended else token for token, ended in zip(drawn, is_ended, strict=True)]
        is_ended = [ended or token in ends for token, ended in zip(drawn, is_ended, strict=True)]
        if all(is_ended):
            return
        ids_BT = torch.tensor(drawn)[:, None]
        mask_BN = torch.cat([mask_BN, torch.ones(len(rests), 1, dtype=torch.long)], dim=1)


def mask_inputs(mask_BN: torch.Tensor, num_tokens: int) -> dict[str, torch.Tensor]:
    """Return the mask and the positions of the last tokens; nothing where nothing is masked, which is faster."""
    if bool(mask_BN.all()):
        return {}
    positions_BN = (mask_BN.cumsum(dim=1) - 1).clamp(min=0)
    return {"attention_mask": mask_BN, "position_ids": positions_BN[:, -num_tokens:]}


def draw_tokens(logits_BV: torch.Tensor, sampling: Sampling, generators: Sequence[torch.Generator]) -> list[int]:
    """Return a token for each row: the most likely one, or one drawn from the likely ones."""
    if sampling.temperature == 0:
        return [int(token) for token in logits_BV.argmax(dim=-1)]
    scores_BV = logits_BV / sampling.temperature
    if sampling.top_p < 1:
        scores_BV = TopPLogitsWarper(sampling.top_p)(torch.empty(0, dtype=torch.long), scores_BV)
    shares_BV = scores_BV.softmax(dim=-1)
    rows = zip(shares_BV, generators, strict=True)
    return [int(torch.multinomial(shares_V, 1, generator=generator)) for shares_V, generator in rows]
