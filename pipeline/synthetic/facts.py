"""Plant a fact: a sentence with one answer in it, told at one place of a document; and join facts of several places."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.records import Statement
from pipeline.synthetic.grammar import Grammar, tidy
from pipeline.synthetic.manuscript import Fact

MAX_JOINED = 3  # facts in one question
SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
RANGE = re.compile(r"([\d.]+)\.\.([\d.]+)(.*)")


def plant(grammar: Grammar, line: str, **known: str) -> tuple[str, Fact]:
    """Return a sentence and the fact that it states.

    Args:
        grammar: What fills the slots.
        line: `SENTENCE || QUESTION || ANSWER`, where SENTENCE has the slot `{answer}`, and ANSWER is a rule's name or a
            range with a unit, like `12..40 hours`.
        known: What the slots that SENTENCE and QUESTION share stand for.
    """
    sentence, question, source = line.split(" || ")
    answer = answer_from(grammar, source)
    text = tidy(grammar.expand(sentence, {**known, "answer": answer}))
    return text, Fact("prose", tidy(grammar.expand(question, known)), answer, text)


def answer_from(grammar: Grammar, source: str) -> str:
    """Draw an answer: a number of a range with as many decimals as its ends have, or an alternative of a rule."""
    match = RANGE.fullmatch(source)
    if not match:
        return grammar.expand(grammar.draw(source), {})
    decimals = len(match[1].partition(".")[2])
    low, high = (round(float(end) * 10**decimals) for end in match.group(1, 2))
    return f"{grammar.rng.randint(low, high) / 10**decimals:,.{decimals}f}{match[3]}"


def know(task: str, question: str, answer: str, quotes: Sequence[str]) -> Fact:
    """Return what a document is known to say in several places, or in one that is not a look-up."""
    return Fact("several", question, answer, quotes=tuple(quotes), task=task)


def know_parts(task: str, question: str, parts: Sequence[tuple[str, tuple[int, ...]]], quotes: Sequence[str]) -> Fact:
    """Return what a document is known to say, in an answer of parts, each with the numbers of its quotes."""
    statements = tuple(Statement(text, numbers) for text, numbers in parts)
    return replace(know(task, question, " ".join(text for text, _ in parts), quotes), statements=statements)


def know_sentences(task: str, question: str, sentences: Sequence[str], quotes: Sequence[str]) -> Fact:
    """Return what a document is known to say, in an answer of which each sentence rests on the quote of its number."""
    return know_parts(task, question, [(sentence, (number,)) for number, sentence in enumerate(sentences)], quotes)


def join_facts(about: str, facts: Sequence[Fact]) -> Fact:
    """Return one question of the questions of facts about one subject, which are told in different places."""
    chosen = facts[:MAX_JOINED]
    asked = " ".join(f"({number}) {fact.question}" for number, fact in enumerate(chosen, 1))
    answer = "; ".join(f"({number}) {fact.answer}" for number, fact in enumerate(chosen, 1))
    return know("multi_hop", f"{about} {asked}", f"{answer}.", [fact.quote for fact in chosen])
