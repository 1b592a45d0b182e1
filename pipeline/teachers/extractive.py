"""The embedded teacher: no model, only questions whose answers stand in the text by construction."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from pipeline.passages import Passages
from pipeline.records import Document, Example
from pipeline.tasks import cell, continuation, figure, section, series, speech

TASKS = (cell, continuation, figure, section, series, speech)


def ask(document: Document, num_examples: int, seed: int) -> list[Example]:
    """Return up to `num_examples` examples of a document, its tasks in equal parts and each spread over its length."""
    passages = Passages(document)
    tasks = [task for task in TASKS if document.category in task.CATEGORIES]
    found = [spread(task.candidates(passages), len(document.text), num_examples, seed) for task in tasks]
    return alternate(found)[:num_examples]


def spread(candidates: Iterable[Example], length: int, num_examples: int, seed: int) -> list[Example]:
    """Draw one example from each of `num_examples` equal stretches of the text that has any.

    Positions are those of the last evidence: an answer that needs a table's head and its row lies at the row.
    """
    stretches: dict[int, list[Example]] = {}
    for example in candidates:
        stretch = example.evidence[-1].start * num_examples // length
        stretches.setdefault(stretch, []).append(example)
    drawn = [min(stretches[stretch], key=lambda example: draw(example, seed)) for stretch in sorted(stretches)]
    return sorted(drawn, key=lambda example: draw(example, seed))


def draw(example: Example, seed: int) -> bytes:
    """Return the lot of an example: a hash, so that neither order nor other examples change it."""
    return sha256(f"{seed}:{example.example_id}".encode()).digest()


def alternate(lists: Sequence[Sequence[Example]]) -> list[Example]:
    """Return the first of each list, then the second of each, and so on."""
    longest = max((len(examples) for examples in lists), default=0)
    return [examples[place] for place in range(longest) for examples in lists if place < len(examples)]
