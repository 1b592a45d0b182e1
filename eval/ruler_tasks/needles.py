"""RULER's eight needle tasks: one or more values to find, for one or more keys, in noise, prose or other needles.

Wording and settings are RULER's; the prose is that of held-out documents instead of essays under copyright, and keys
are two words of it.

Source  RULER (arXiv 2404.06654), appendix B; github.com/NVIDIA/RULER, scripts/data/synthetic/niah.py and synthetic.yaml
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal
from uuid import UUID

from eval.haystack import hide
from eval.ruler_tasks.reply_scores import match_all
from eval.ruler_tasks.task import Draft, Source, Task

NOISE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."
NEEDLE = "One of the special magic {kind} for {key} is: {value}."
NUM_DEPTHS = 40
Kind = Literal["numbers", "words", "uuids"]


@dataclass(frozen=True)
class NeedleTask:
    """What is hidden in what, and how many of it are asked for."""

    name: str
    haystack: Literal["noise", "prose", "needles"]
    keys: Kind = "words"
    values: Kind = "numbers"
    num_keys: int = 1
    num_values: int = 1  # of each key
    num_queries: int = 1  # keys that are asked for


NEEDLE_TASKS = (
    NeedleTask("niah_single_1", "noise"),
    NeedleTask("niah_single_2", "prose"),
    NeedleTask("niah_single_3", "prose", values="uuids"),
    NeedleTask("niah_multikey_1", "prose", num_keys=4),
    NeedleTask("niah_multikey_2", "needles"),
    NeedleTask("niah_multikey_3", "needles", keys="uuids", values="uuids"),
    NeedleTask("niah_multivalue", "prose", num_values=4),
    NeedleTask("niah_multiquery", "prose", num_keys=4, num_queries=4),
)


def draw_value(kind: Kind, words: Sequence[str], draw: Random) -> str:
    """Return a number of seven digits, two words, or a UUID."""
    if kind == "numbers":
        return str(draw.randint(10**6, 10**7 - 1))
    if kind == "words":
        return f"{draw.choice(words)}-{draw.choice(words)}"
    return str(UUID(int=draw.getrandbits(128), version=4))


def make_builder(task: NeedleTask) -> Callable[[Source, int, Random], Draft]:
    """Return the function that builds drafts of a task."""

    def build(source: Source, size: int, draw: Random) -> Draft:
        words = source.haystack.words
        values: dict[str, list[str]] = {}
        while len(values) < task.num_keys:
            key = draw_value(task.keys, words, draw)
            values[key] = [draw_value(task.values, words, draw) for _ in range(task.num_values)]
        needles = [NEEDLE.format(kind=task.values, key=key, value=one) for key, own in values.items() for one in own]
        draw.shuffle(needles)
        text = hide_in(task, needles, source, size, draw)
        asked = draw.sample(list(values), task.num_queries)
        references = tuple(value for key in asked for value in values[key])
        return write_draft(task, text, asked, references)

    return build


def hide_in(task: NeedleTask, needles: Sequence[str], source: Source, size: int, draw: Random) -> str:
    """Return the text of so many sentences, or lines, with the needles at depths drawn at random."""
    if task.haystack == "prose":
        start = draw.randrange(len(source.haystack.sentences))
        depths = [depth / (NUM_DEPTHS - 1) for depth in draw.sample(range(NUM_DEPTHS), len(needles))]
        return hide(needles, depths, source.haystack.take(start, size))
    places = draw.sample(range(size + 1), len(needles))  # before any other needle is drawn, so that none depends on it
    lines = [NOISE] * size
    if task.haystack == "needles":
        words = source.haystack.words
        lines = [
            NEEDLE.format(
                kind=task.values, key=draw_value(task.keys, words, draw), value=draw_value(task.values, words, draw)
            )
            for _ in range(size)
        ]
    for place, needle in sorted(zip(places, needles, strict=True), reverse=True):
        lines.insert(place, needle)
    return "\n".join(lines)


def write_draft(task: NeedleTask, text: str, asked: Sequence[str], references: tuple[str, ...]) -> Draft:
    """Return the draft with RULER's wording, which is in the singular where one value is asked for."""
    kind = task.values
    query = asked[0] if len(asked) == 1 else f"{', '.join(asked[:-1])}, and {asked[-1]}"
    if len(references) == 1:
        one = kind.removesuffix("s")
        opening = f"A special magic {one} is hidden within the following text."
        question = f"What is the special magic {one} for {query} mentioned in the provided text?"
        answer = f"The special magic {one} for {query} mentioned in the provided text is"
        kind_asked: str = one
    else:
        opening = f"Some special magic {kind} are hidden within the following text."
        question = f"What are all the special magic {kind} for {query} mentioned in the provided text?"
        answer = f"The special magic {kind} for {query} mentioned in the provided text are"
        kind_asked = kind
    head = f"{opening} Make sure to memorize it. I will quiz you about the {kind_asked} afterwards."
    return Draft(f"{head}\n{text}\n", question, answer, references)


TASKS = tuple(
    Task(task.name, make_builder(task), match_all, max_reply_tokens=128, min_size=task.num_keys * task.num_values)
    for task in NEEDLE_TASKS
)
