"""How replies are scored: a number from 0 to 1.

Source  RULER's string_match_all and string_match_part (github.com/NVIDIA/RULER, scripts/eval/synthetic/constants.py);
        LongChat's line retrieval; OpenAI's MRCR (huggingface.co/datasets/openai/mrcr)
"""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

CONTROL = re.compile(r"[\x00-\x1f]")
NUMBER = re.compile(r"\d+")


def clean_reply(reply: str) -> str:
    """Return a reply as RULER compares it: each control character is a line end."""
    return CONTROL.sub("\n", reply.strip()).strip()


def match_all(reply: str, references: Sequence[str]) -> float:
    """Return the share of the references that are in a reply, whatever their case."""
    text = clean_reply(reply).lower()
    return sum(reference.lower() in text for reference in references) / len(references)


def match_any(reply: str, references: Sequence[str]) -> float:
    """Return 1 if any of the references is in a reply, whatever its case."""
    text = clean_reply(reply).lower()
    return float(any(reference.lower() in text for reference in references))


def match_first_number(reply: str, references: Sequence[str]) -> float:
    """Return 1 if the first number in a reply is the one reference."""
    found = NUMBER.search(reply)
    return float(found is not None and found[0] == references[0])


def compare_after_mark(reply: str, references: Sequence[str]) -> float:
    """Return how alike a reply and the reference are; both must begin with the same mark, else it is 0.

    Args:
        reply: Of the model.
        references: The mark, and the text that must follow it.
    """
    mark, expected = references
    if not reply.startswith(mark):
        return 0.0
    return SequenceMatcher(None, reply.removeprefix(mark), expected).ratio()
