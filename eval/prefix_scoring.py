"""Score the tokens after one prompt after another, reading only what differs from the prompt before.

Prompts that begin alike, as those about one document do, share the keys and values of what they begin with. Sorted so
that neighbours share much, fifty pass keys in one text are read for the price of twenty-six.

Shapes: T tokens, S scored tokens, D hidden size.
"""
# ruff: noqa: N803, N806 - shape suffixes on tensors

from typing import Any

import torch

from eval.models.kv_cache import KvCache
from eval.scoring import compute_losses, require_finite
from train.trainer.head import list_decoders, predict_logits

TOKENS_PER_READ = 4_096  # at a time, so that the mask of a long prompt behind a cached one stays small


class PrefixScorer:
    """A model, and the keys and values of the last tokens that it read."""

    def __init__(self, model: Any) -> None:
        """Take a causal language model; nothing is read yet."""
        self.model = model
        self.num_read = 0  # tokens, over all prompts
        self._known = KvCache(model)

    @torch.inference_mode()
    def score_last(self, ids_T: torch.Tensor, num_last: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Score the last tokens of a prompt by the model's prediction from all before each of them.

        Returns:
            The negative log-likelihood in nats, float32 of shape (S,), and whether the token was the most likely one,
            bool of shape (S,). Both are on the CPU.

        Raises:
            InputError: A loss is not finite.
        """
        num_known = self._known.keep(ids_T[: -num_last - 1].tolist())
        hidden_SD = self.read(ids_T[num_known:])[-num_last - 1 : -1]
        logits_SV = predict_logits(self.model, hidden_SD).float()
        targets_S = ids_T[-num_last:].to(logits_SV.device)
        losses_S = compute_losses(logits_SV[None], targets_S[None])[0].cpu()
        require_finite(self.model, losses_S)
        return losses_S, (logits_SV.argmax(dim=-1) == targets_S).cpu()

    def read(self, ids_T: torch.Tensor) -> torch.Tensor:
        """Read tokens after those that are known, and return their hidden states (T, D)."""
        decoder, hidden = list_decoders(self.model)[0], []
        for start in range(0, len(ids_T), TOKENS_PER_READ):
            part_1T = ids_T[None, start : start + TOKENS_PER_READ].to(self.model.device)
            hidden.append(decoder(input_ids=part_1T, cache=self._known.cache, use_cache=True)[0][0])
        self._known.ids += ids_T.tolist()
        self.num_read += len(ids_T)
        return torch.cat(hidden)


def join_answer(tokenizer: Any, prompt: str, answer: str) -> tuple[torch.Tensor, int]:
    """Return the tokens (T,) of a prompt and its answer, and how many of them are the answer's."""
    prompt_T = tokenizer(prompt, return_tensors="pt", verbose=False)["input_ids"][0]
    ids_T = tokenizer(f"{prompt}{answer}", return_tensors="pt", verbose=False)["input_ids"][0]
    num_answer = len(ids_T) - len(prompt_T)
    assert torch.equal(ids_T[:-num_answer], prompt_T), "the answer's first token has merged with the prompt"
    return ids_T, num_answer
