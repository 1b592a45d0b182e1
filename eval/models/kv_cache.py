"""What a model has read: its keys and values, kept so that an equal beginning is not read again.

Shapes: B rows, T tokens.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from transformers import DynamicCache

from eval.models.cache_layer import make_cache
from eval.models.records import Progress, ignore_progress

TOKENS_PER_CHUNK = 512  # that are read at once: what attention needs beside the cache grows with it


class KvCache:
    """The keys and values of the tokens that a model read last, in one row."""

    def __init__(self, model: Any) -> None:
        """Take the model; nothing is read yet."""
        self._model = model
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self.ids: list[int] = []
        self.cache = make_cache(self._model.config)

    @property
    def can_share(self) -> bool:
        """Whether rows of unequal length may go on from it side by side, with padding between.

        Padding is masked in full attention; a window counts it, and a recurrent state would take it in.
        """
        return not any(self.cache.is_sliding) and not any(self.cache.is_linear)

    @property
    def num_bytes_per_token(self) -> int:
        """The bytes of keys and values of a token, as far as tokens have them."""
        num_tokens = max(1, len(self.ids))
        return sum(tensor.nbytes for layer in self.cache.layers for tensor in list_tensors(layer)) // num_tokens

    @torch.inference_mode()
    def read(self, ids: Sequence[int], progress: Progress = ignore_progress) -> int:
        """Read tokens from the first on that differs from those read last; return how many were there already.

        What was read beyond them is forgotten.
        """
        num_kept = self.keep(ids)
        for start in range(num_kept, len(ids), TOKENS_PER_CHUNK):
            chunk = list(ids[start : start + TOKENS_PER_CHUNK])
            progress(start, len(ids))
            try:
                run_model(self._model, torch.tensor([chunk]), self.cache)
            except BaseException:  # some layers have read the chunk, others have not
                self.clear()
                raise
            self.ids += chunk
        progress(len(ids), len(ids))
        return num_kept

    def keep(self, ids: Sequence[int]) -> int:
        """Forget what differs from these tokens; return how many are left."""
        num_kept = count_common(self.ids, ids)
        num_forgotten = len(self.ids) - num_kept
        if num_forgotten and num_kept and self.cache.is_croppable:
            try:
                self.cache.crop(-num_forgotten)
                del self.ids[num_kept:]
                return num_kept
            except RuntimeError:  # a window has lost what would be needed
                pass
        if num_forgotten:
            self.clear()
        return len(self.ids)

    def copy(self, num_rows: int) -> DynamicCache:
        """Return a copy in so many equal rows, to go on from."""
        found = copy.deepcopy(self.cache)
        if num_rows > 1:
            found.batch_repeat_interleave(num_rows)
        return found


def run_model(model: Any, ids_BT: torch.Tensor, cache: DynamicCache, **inputs: Any) -> torch.Tensor:
    """Run a model on tokens after those of a cache, and return the logits (B, V) after the last of them."""
    moved = {name: value.to(model.device) for name, value in inputs.items()}
    output = model(input_ids=ids_BT.to(model.device), cache=cache, use_cache=True, logits_to_keep=1, **moved)
    logits_BV: torch.Tensor = output.logits[:, -1]
    return logits_BV


def list_tensors(layer: Any) -> list[torch.Tensor]:
    """Return the tensors that a layer of a cache holds."""
    return [value for value in vars(layer).values() if isinstance(value, torch.Tensor)]


def count_common(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common from their beginning."""
    for number, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return number
    return min(len(one), len(other))
