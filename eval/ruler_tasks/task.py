"""What a task of long texts is: how its samples are built, how long a reply may be, and how it is scored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from eval.haystack import Haystack

Score = Callable[[str, Sequence[str]], float]  # of a reply, by the references


@dataclass(frozen=True)
class Draft:
    """A document, a question about it, the first words of the answer, and the strings that the answer must have."""

    document: str
    question: str
    answer_start: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Source:
    """What a draft is made of."""

    haystack: Haystack
    length: int  # tokens of prompt and reply, at most; some tasks look different in short texts


Build = Callable[[Source, int, Random], Draft]


@dataclass(frozen=True)
class Task:
    """A task: `build` makes the longer a document the higher the size is, from `min_size` on."""

    name: str
    build: Build
    score: Score
    max_reply_tokens: int
    min_size: int = 1


@dataclass(frozen=True)
class Sample:
    """A draft of a task that fits a length."""

    task: str
    length: int  # tokens of prompt and reply, at most
    number: int
    num_prompt_tokens: int
    max_reply_tokens: int
    document: str
    question: str
    answer_start: str
    references: tuple[str, ...]
