"""Keys and values that grow in place.

transformers' own layer joins old and new ones into a new tensor for every token, which copies the whole document each
time: 0.75 GB a token for SmolLM2-135M at 16,384 tokens in float32.

Shapes: B rows, H heads, N tokens that there is room for, T new tokens, D head width.
"""

from typing import Any

import torch
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer

ROOM = 256  # tokens that there is room for beyond those that are there, at least


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """A layer of full attention whose keys and values lie at the beginning of tensors with room for more."""

    keys: torch.Tensor
    values: torch.Tensor
    _buffers: tuple[torch.Tensor, torch.Tensor] | None = None

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write new keys and values, each of shape (B, H, T, D), behind the others, and return all of them."""
        num_before = self.get_seq_length()
        num_after = num_before + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        if self._buffers is None or not self.has_room(num_after):
            self._buffers = self.allocate(key_states, num_after), self.allocate(value_states, num_after)
            for buffer, old in zip(self._buffers, (self.keys, self.values), strict=True):
                if num_before:
                    buffer[..., :num_before, :] = old
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., num_before:num_after, :] = new
        self.keys, self.values = (buffer[..., :num_after, :] for buffer in self._buffers)
        return self.keys, self.values

    def has_room(self, num_tokens: int) -> bool:
        """Say whether the keys still lie in the buffer, which repeating rows makes untrue, with room for so many."""
        assert self._buffers is not None
        keys = self._buffers[0]
        is_same = self.keys.data_ptr() == keys.data_ptr() and self.keys.shape[:2] == keys.shape[:2]
        return is_same and keys.shape[-2] >= num_tokens

    @staticmethod
    def allocate(like: torch.Tensor, num_tokens: int) -> torch.Tensor:
        """Return a tensor with room for so many tokens, and an eighth more."""
        room = num_tokens + max(ROOM, num_tokens // 8)
        return like.new_empty(*like.shape[:2], room, like.shape[-1])

    def reset(self) -> None:
        """Forget everything."""
        self._buffers = None
        super().reset()


def make_cache(config: PreTrainedConfig) -> DynamicCache:
    """Return an empty cache for a model, whose layers of full attention grow in place."""
    cache = DynamicCache(config=config)
    cache.layers = [GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache
