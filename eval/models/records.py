"""What is asked of a model, how its reply is drawn, and the reply."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from pipeline.params import Part
from pipeline.records import Turn
from train.recipe import Dtype

Progress = Callable[[int, int], None]  # tokens of the prompt that are read, and all of them


class ModelParams(Part):
    """How a model that lies in a folder or on the Hub is loaded and asked."""

    dtype: Dtype
    quantized: Literal["8bit", "4bit"] | None  # weights by bitsandbytes; null for none
    template: Literal["chat", "llama2", "plain"]  # the model's own, [INST]…[/INST], or the text alone
    max_context_tokens: int | None = Field(ge=1)  # of prompt and reply; null for what the model's config says
    max_cache_bytes: int = Field(ge=1)  # of the keys and values of replies that are written side by side


class Sampling(Part):
    """How a reply is drawn."""

    max_tokens: int = Field(ge=1)
    temperature: float = Field(ge=0)  # 0 takes the most likely token
    top_p: float = Field(gt=0, le=1)  # the share of the probability that tokens are drawn from
    seed: int = Field(ge=0)


@dataclass(frozen=True)
class Prompt:
    """A question after a document. Prompts that begin with an equal document share what is computed for it."""

    document: str  # with the words around it
    question: str
    answer_start: str = ""  # the first words of the answer, which the model goes on from


@dataclass(frozen=True)
class Reply:
    """What a model answers."""

    text: str
    num_prompt_tokens: int
    num_reply_tokens: int
    is_complete: bool  # whether the model ended it, not the limit
    refused: str = ""  # why there is none: a server's refusal; of a model that runs here there is always one


def ignore_progress(num_read: int, num_tokens: int) -> None:
    """Say nothing about how far a prompt is read."""


def never() -> bool:
    """Go on to the end."""
    return False


class ChatModel(Protocol):
    """A model that answers, wherever it runs."""

    name: str
    max_context_tokens: int

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text, on the high side where the tokenizer is not known."""

    def respond(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Reply]:
        """Return the reply to each prompt, in their order.

        Raises:
            InputError: A prompt and the reply have no room in the context, or the model cannot be asked.
        """

    def stream(
        self,
        turns: Sequence[Turn],
        sampling: Sampling,
        *,
        progress: Progress = ignore_progress,
        is_stopped: Callable[[], bool] = never,
    ) -> Iterator[str]:
        """Yield the reply to a conversation in pieces, as they are written.

        Args:
            turns: Of the conversation; the user's is the last.
            sampling: How the reply is drawn.
            progress: Called while the prompt is read.
            is_stopped: Asked before each token; true ends the reply.

        Raises:
            InputError: As `respond`.
        """
