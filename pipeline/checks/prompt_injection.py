"""Find instructions to a language model in a document.

The document keeps them, since a text about prompts may quote some. A teacher sees them masked, and no answer may rest
on them.
"""

import re
from collections.abc import Iterator

MASK = "\u2588"
SENTENCE = r"[^.!?\n]*[.!?\n]?"
ORDERS = (
    r"\b(?:ignore|disregard|forget|override)\s+(?:all\s+|any\s+|the\s+|your\s+|every\s+)*"
    r"(?:previous|prior|above|earlier|preceding|other|system)\s+"
    r"(?:instructions?|prompts?|rules|directions|messages?|context)",
    r"\b(?:new|updated|real|actual)\s+(?:system\s+)?(?:instructions?|prompt)\s*:",
    r"(?:^|\n)\s*(?:<\|?(?:im_start|system|assistant|user)\|?>|\[/?INST\]|###?\s*(?:system|assistant|instruction)\s*:)",
    r"\b(?:you are|act as|pretend to be)\s+(?:now\s+)?(?:an?\s+)?(?:AI|language model|assistant|chatbot|LLM|GPT)\b",
    r"\b(?:AI|language models?|LLMs?|assistants?|chatbots?)\b[^.\n]{0,40}\b(?:must|should|have to|shall)\s+"
    r"(?:answer|reply|respond|say|output|include|write|state|rate|recommend|give)\b",
    r"\b(?:answer|reply|respond)\s+(?:to\s+)?(?:every|each|all|any)\s+(?:questions?|prompts?|requests?)\s+with\b",
    r"\b(?:reveal|print|repeat|output|show)\s+(?:your|the)\s+(?:system\s+)?(?:prompt|instructions)\b",
    r"\b(?:include|insert|repeat|output|write)\s+the\s+(?:phrase|word|string|code|token|canary)\b[^.\n]{0,80}"
    r"\b(?:answer|reply|response|output)\b",
)
ORDER = re.compile("|".join(f"(?:{order})" for order in ORDERS), re.IGNORECASE)
RARE = re.compile(r"\b(?=\w*[\dA-Z])[\w-]{5,}\b")


def find_injections(text: str) -> Iterator[tuple[int, int]]:
    """Yield the range of each sentence that gives an order to a model, together with the sentence after it."""
    last = 0
    for match in ORDER.finditer(text):
        start = max(last, *(text.rfind(mark, last, match.start()) + 1 for mark in ".!?\n"))
        rest = re.compile(f"{SENTENCE}{SENTENCE}").match(text, match.end())
        end = rest.end() if rest else match.end()
        if end > last:
            yield start, end
            last = end


def mask_injections(text: str) -> str:
    """Return a text of the same length with every injection masked by '█'."""
    parts, last = [], 0
    for start, end in find_injections(text):
        parts += [text[last:start], MASK * (end - start)]
        last = end
    return "".join([*parts, text[last:]]) if parts else text


def find_canaries(text: str) -> set[str]:
    """Return the conspicuous words, with digits or capitals, that a text has only in its injections."""
    orders = [text[start:end] for start, end in find_injections(text)]
    if not orders:
        return set()
    rest = mask_injections(text)
    words = {word for order in orders for word in RARE.findall(order)}
    return {word for word in words if word not in rest}
