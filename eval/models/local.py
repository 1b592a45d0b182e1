"""A model in a folder or from the Hub, run here; each document is read once for all questions about it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from eval.models.decoding import decode
from eval.models.kv_cache import KvCache, count_common
from eval.models.prompt_writer import PromptWriter
from eval.models.records import ModelParams, Progress, Prompt, Reply, Sampling, ignore_progress, never
from pipeline.errors import InputError
from pipeline.records import Turn
from train.trainer.precision import choose_dtype
from train.trainer.quiet import quiet_libraries

REPLACEMENT = "\ufffd"  # what half a character decodes to


class LocalModel:
    """A model in this process. It answers one caller at a time."""

    def __init__(self, reference: str, params: ModelParams) -> None:
        """Load the model in full attention, on the GPU if there is one.

        Raises:
            InputError: There is none.
        """
        quiet_libraries()
        self.name = reference
        self.model, tokenizer = load(reference, params)
        self.writer = PromptWriter(tokenizer, params.template)
        self.max_context_tokens = (
            params.max_context_tokens or self.model.config.get_text_config().max_position_embeddings
        )
        self._tokenizer, self._max_cache_bytes = tokenizer, params.max_cache_bytes
        self._ends = self.writer.find_ends(self.model.generation_config.eos_token_id)
        self._read = KvCache(self.model)

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text."""
        return self.writer.encoder.count(text)

    def respond(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Reply]:
        """Return the reply to each prompt; those that follow each other about one document are answered together."""
        replies: list[Reply] = []
        for _, group in groupby(prompts, key=lambda prompt: prompt.document):
            rows = [self.encode(prompt, sampling.max_tokens) for prompt in group]
            replies += self.answer(rows, sampling)
        return replies

    def encode(self, prompt: Prompt, max_tokens: int) -> list[int]:
        """Return the tokens of a prompt that leaves room for a reply."""
        turns = [Turn("user", f"{prompt.document}{prompt.question}")]
        return self.fit(self.writer.encode(turns, prompt.answer_start), max_tokens)

    def fit(self, ids: list[int], max_tokens: int) -> list[int]:
        """Return tokens that leave room for a reply.

        Raises:
            InputError: They do not.
        """
        if len(ids) + max_tokens > self.max_context_tokens:
            raise InputError(
                self.name,
                found=f"a prompt of {len(ids)} tokens, and up to {max_tokens} of the reply",
                expected=f"at most {self.max_context_tokens} tokens, which the model's context holds",
                fix="Shorten the document, or use a model with a longer context.",
            )
        return ids

    def answer(self, rows: Sequence[list[int]], sampling: Sampling) -> list[Reply]:
        """Return the replies to rows of tokens whose beginning is equal."""
        num_shared = min(min(map(len, rows)) - 1, *(count_common(rows[0], row) for row in rows))
        self._read.read(rows[0][:num_shared])
        size = self.choose_batch_size(max(map(len, rows)) + sampling.max_tokens)
        replies: list[Reply] = []
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            rests = [row[num_shared:] for row in batch]
            steps = decode(self.model, self._read.copy(len(batch)), rests, sampling, self._ends)
            columns = zip(*steps, strict=True)
            replies += [self.make_reply(len(row), drawn) for row, drawn in zip(batch, columns, strict=True)]
        return replies

    def choose_batch_size(self, num_tokens: int) -> int:
        """Return how many rows of so many tokens are answered side by side."""
        if not self._read.can_share:
            return 1
        num_bytes = self._read.num_bytes_per_token * num_tokens
        return max(1, self._max_cache_bytes // max(1, num_bytes))

    def make_reply(self, num_prompt_tokens: int, drawn: Sequence[int | None]) -> Reply:
        """Return the reply that a row's tokens are."""
        ids = [token for token in drawn if token is not None]
        is_complete = ids[-1] in self._ends
        text = self.decode_tokens(ids)
        return Reply(text.strip(), num_prompt_tokens, len(ids), is_complete)

    def stream(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        progress: Progress = ignore_progress,
        is_stopped: Callable[[], bool] = never,
    ) -> Iterator[str]:
        """Yield the reply to a conversation in pieces; what the last one had in common with it is not read again."""
        ids = self.fit(self.writer.encode(turns), sampling.max_tokens)
        self._read.read(ids[:-1], progress)
        drawn: list[int] = []
        shown = ""
        for (token,) in decode(self.model, self._read.cache, [ids[-1:]], sampling, self._ends):
            self._read.ids.append((ids[-1:] + drawn)[-1])  # the token before this one has been read now
            assert token is not None
            drawn.append(token)
            text = self.decode_tokens(drawn)
            if not text.endswith(REPLACEMENT):
                yield text[len(shown) :]
                shown = text
            if is_stopped():
                break
        yield self.decode_tokens(drawn)[len(shown) :]

    def decode_tokens(self, ids: Sequence[int]) -> str:
        """Return the text of tokens, without those that end a reply."""
        text: str = self._tokenizer.decode(
            [token for token in ids if token not in self._ends], skip_special_tokens=True
        )
        return text


def load(reference: str, params: ModelParams) -> tuple[Any, Any]:
    """Return a model in evaluation mode, and its tokenizer.

    Raises:
        InputError: There is none.
    """
    dtype = getattr(torch, choose_dtype(params.dtype))
    options: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    if params.quantized:
        options["quantization_config"] = quantize(params.quantized, dtype)
    try:
        tokenizer = AutoTokenizer.from_pretrained(reference)
        model = AutoModelForCausalLM.from_pretrained(reference, **options)
    except (OSError, ValueError) as error:
        raise InputError(
            reference,
            found=str(error).split("\n")[0],
            expected="a folder with a model as save_pretrained writes it, the name of one on the Hub, or the address of"
            " an OpenAI-compatible server",
            fix="Run the stage that makes it ('dvc repro' runs what is missing), or name another.",
        ) from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return (model if params.quantized else model.to(device)).eval(), tokenizer


def quantize(kind: str, dtype: torch.dtype) -> Any:
    """Return the configuration of quantised weights."""
    from transformers import BitsAndBytesConfig

    if kind == "8bit":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=dtype)
