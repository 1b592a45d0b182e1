"""Expand templates into sentences: a small context-free grammar that avoids repeating itself.

A grammar is written as text. A rule's name stands alone on a line and ends with a colon; its alternatives follow,
indented by four spaces, one per line or several separated by ` | `; a line indented by eight continues the one above.
`{rule}` stands for one alternative of `rule`, and `{^rule}` for the same with a capital.
"""

import random
import re
from collections import Counter
from collections.abc import Mapping

RULE = re.compile(r"^(\w+):$")
SLOT = re.compile(r"\{(\^?)(\w+)\}")
ARTICLE = re.compile(r"\b([Aa])n? (?=(\d+|[A-Za-z]+))")
SENTENCE_START = re.compile(r"(^“?|[.!?] )([a-z])")
CONSONANT_SOUND = re.compile(r"(uni(?!n)|us[eu]|ut[ei]|eu|one\b|once\b)", re.IGNORECASE)
SILENT_H = re.compile(r"(hour|honest|heir|honou?r)", re.IGNORECASE)
VOWEL_NUMBER = re.compile(r"(8\d*|11|18)$")
NUM_TRIES = 12  # draws before a sentence that the document already has is accepted

Rules = Mapping[str, list[str]]


def parse_rules(source: str) -> dict[str, list[str]]:
    """Read the rules of a grammar in the form that the head of this file describes."""
    rules: dict[str, list[str]] = {}
    name = ""
    for line in source.splitlines():
        if match := RULE.match(line):
            name = match[1]
            rules[name] = []
        elif line.startswith(" " * 8):
            rules[name][-1] += " " + line.strip()
        elif line.strip():
            rules[name].extend(part.strip() for part in line.split(" | "))
    return rules


class Grammar:
    """The rules of one document, drawn like cards: none comes again before all of its rule were drawn."""

    def __init__(self, rng: random.Random, *sources: str, **words: list[str]) -> None:
        """Join the rules of `sources`; `words` are rules of this document alone and replace those of equal name."""
        self.rng = rng
        self.rules = {name: cards for source in sources for name, cards in parse_rules(source).items()} | words
        self.decks: dict[str, list[str]] = {}
        self.last: dict[str, str] = {}
        self.num_drawn: Counter[str] = Counter()
        self.said: set[str] = set()

    def draw(self, rule: str) -> str:
        """Return the next alternative of a rule as it is written."""
        deck = self.decks.get(rule)
        if not deck:
            deck = self.decks[rule] = self.rng.sample(self.rules[rule], len(self.rules[rule]))
            if deck[-1] == self.last.get(rule):
                deck.reverse()
        self.num_drawn[rule] += 1
        self.last[rule] = deck.pop()
        return self.last[rule]

    def shuffle(self, rule: str) -> None:
        """Let every alternative of a rule come again, as on a new subject."""
        self.decks.pop(rule, None)

    def num_unsaid(self, rule: str) -> int:
        """Return how many alternatives of a rule were never drawn."""
        return max(0, len(self.rules[rule]) - self.num_drawn[rule])

    def say(self, rule: str, **known: str) -> str:
        """Return a finished sentence of a rule, if possible one that was not said before.

        Args:
            rule: Which one.
            known: What certain slots stand for here, in place of a rule of that name.
        """
        for _ in range(NUM_TRIES):
            sentence = tidy(self.expand(self.draw(rule), known))
            if sentence not in self.said:
                break
        self.said.add(sentence)
        return sentence

    def paragraph(self, *rules: str, **known: str) -> str:
        """Return one sentence of each rule in turn."""
        return " ".join(self.say(rule, **known) for rule in rules)

    def expand(self, template: str, known: Mapping[str, str]) -> str:
        """Fill the slots of a template, and the slots in what fills them."""

        def fill(slot: re.Match[str]) -> str:
            words = known[slot[2]] if slot[2] in known else self.expand(self.draw(slot[2]), known)
            return words[:1].upper() + words[1:] if slot[1] else words

        return SLOT.sub(fill, template)


def tidy(text: str) -> str:
    """Set `a` and `an` right, and a capital at the start of each sentence."""
    text = ARTICLE.sub(lambda match: f"{match[1]}n " if needs_an(match[2]) else f"{match[1]} ", text)
    return SENTENCE_START.sub(lambda match: match[1] + match[2].upper(), text)


def needs_an(word: str) -> bool:
    """Tell whether a word, or a number in digits, starts with a vowel when it is spoken."""
    if word[0].isdigit():
        return bool(VOWEL_NUMBER.match(word))
    return bool(SILENT_H.match(word)) or (word[0].lower() in "aeiou" and not CONSONANT_SOUND.match(word))


def series(items: list[str]) -> str:
    """Join items as a sentence does: `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def random_for(seed: int, *names: object) -> random.Random:
    """Return the generator of one document, so that no document depends on what was made before it."""
    return random.Random("/".join(map(str, (seed, *names))))  # noqa: S311 - made-up text, no secrets
