"""Checks that the numbers and names of an answer come from its evidence."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from pipeline.checks.arithmetic import CONSTANTS, NUMBER, find_equations, parse_number
from pipeline.checks.citations import without_citations
from pipeline.checks.common_words import COMMON
from pipeline.checks.evidence_figures import find_years
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.matching import CONVERSIONS, Match, Matches, find_derivation, is_result, match_answer
from pipeline.checks.quantities import ONE, Quantity, find_quantities, find_references, is_rounding
from pipeline.checks.sentences import span_at, split_sentences
from pipeline.checks.sources import (
    distinguishing_years,
    document_names,
    flat,
    join_sources,
    lower_case_beginnings,
    lower_case_words,
    words_above,
    words_in,
    words_near,
)
from pipeline.checks.word_lists import PARTS
from pipeline.records import Document, Example

NAME = re.compile(r"(?<![\w’'-])[A-Z][a-z]{2,}(?![\w-])")
ACRONYM = re.compile(r"(?<![\w’'&-])[A-Z]{2,}(?![\w&-])")
SENTENCE_END = re.compile(r"(?<=[.!?:;])\s+|\n+")
BESIDE_CHARACTERS = 700  # on either side of a quote: its paragraph
LARGEST_COUNT, LARGEST_WORD = Decimal(20), Decimal(12)  # an answer may count what it lists
IN_PLAIN = re.compile(r"\bin (?:thousand|million|billion)s\b|\((?:thousand|million|billion)s\)", re.IGNORECASE)
MIN_STEM = 4
COMPUTED = re.compile(
    r"\b(?:total|sum|together|combined|average|mean|difference|ratio|share|times|fold|per ?cent(?:age)?|growth|rate"
    r"|later|earlier|apart|altogether|overall|in all)\b|%",
    re.IGNORECASE,
)
DERIVED = re.compile(r"(?:ian|ish|ese|ean|ist|ism|ic|an)s?$|^[A-Z]+$")  # an adjective or an abbreviation, perhaps
OFTEN = 10  # times that a document has a name, for all of it to be about whom it names


def arithmetic_holds(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse an answer with a wrong equation."""
    wrong = next((equation for equation in find_equations(example.answer) if not equation.holds), None)
    if wrong:
        yield fault("wrong arithmetic", wrong.words)


def numbers_are_in_evidence(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a number that neither the evidence nor a stated equation of such numbers gives.

    Those of a model are compared by value, unit, scale and rounding. One that the documents have elsewhere, or that
    follows from others without an equation, is a doubt.
    """
    if is_by_model(example):
        yield from weigh_quantities(example, documents)
        return
    source = join_sources(example, distinguishing_years(example, documents))
    known = {parse_number(digits) for digits in NUMBER.findall(source)}
    answer = without_citations(example.answer)
    for equation in find_equations(answer):
        num_terms = Decimal(len(equation.operands) - 1)  # of an average, as 3 in (2 + 4 + 6) / 3 = 4
        allowed = {*known, *CONSTANTS, num_terms}
        if all(operand in allowed for operand in equation.operands):
            known |= {equation.result, abs(equation.result), *CONSTANTS}
    missing = next((digits for digits in NUMBER.findall(answer) if parse_number(digits) not in known), None)
    if missing:
        yield fault("number not in evidence", missing)


def weigh_quantities(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Yield what is wrong with the numbers of a model's answer."""
    matches = match_answer(example, documents)
    others = [example.question, *(turn.content for turn in example.earlier), *words_above(example, documents)]
    others += [*document_names(example, documents), *(documents[doc_id].date for doc_id in example.doc_ids)]
    known = find_quantities(" \n".join(others))
    for match in matches.found:
        if match.figures or is_result(match.quantity, matches.results) or is_in(match.quantity, known):
            yield from weigh_unit(match, example, matches)
        elif is_term(match.quantity, matches) or is_told_difference(match.quantity, matches):
            continue
        elif match.unlike:
            yield weigh_unlike(match)
        elif is_digits_of_result(match.quantity, matches):
            yield fault("wrong unit", f"{match.quantity.words}, the result of an equation in another unit")
        else:
            yield from weigh_missing(match.quantity, matches, example, documents)
    yield from weigh_references(matches.text, example, documents)


def is_in(quantity: Quantity, known: tuple[Quantity, ...]) -> bool:
    """Say whether other words that an answer may rest on have its number."""
    return any(quantity.printed == one.printed or quantity.value == one.value for one in known)


def is_term(quantity: Quantity, matches: Matches) -> bool:
    """Say whether a number is part of a sound equation and needs no evidence: the 100 of a percentage, a count."""
    inside = [one for one in matches.equations if one.start <= quantity.start < one.end and one.holds]
    return any(quantity.printed in (*CONSTANTS, *CONVERSIONS, Decimal(len(one.operands) - 1)) for one in inside)


def is_told_difference(quantity: Quantity, matches: Matches) -> bool:
    """Say whether a number is the difference, or the change in percent, of two figures that the answer names too."""
    told = [figure for match in matches.found for figure in match.figures if not match.quantity.is_year]
    return len(told) > 1 and find_derivation(quantity, told) in ("difference", "percent")


def is_digits_of_result(quantity: Quantity, matches: Matches) -> bool:
    """Say whether a number has the digits of an equation's result in another unit: 'thousand' for millions."""
    return quantity.scale is not None and any(
        quantity.printed == result and scales for result, scales in matches.results if result > LARGEST_COUNT
    )


def weigh_unit(match: Match, example: Example, matches: Matches) -> Iterator[Finding]:
    """Yield a doubt about a figure that is printed in millions and given without saying so."""
    quantity = match.quantity
    if not match.figures or not quantity.is_money or quantity.scale is not None:
        return
    scaled = [figure for figure in match.figures if figure.scales and min(figure.scales) >= 1_000]
    is_equation = any(one.start <= quantity.start < one.end for one in matches.equations)
    is_bare = all(quantity.printed == figure.quantity.printed for figure in scaled)
    is_said = re.search(r"\b(?:thousand|million|billion)", f"{matches.text} {example.question}", re.IGNORECASE)
    if scaled and len(scaled) == len(match.figures) and is_bare and not is_equation and not is_said:
        yield doubt("figure without its unit", quantity.words)


def weigh_unlike(match: Match) -> Finding:
    """Return what is wrong with a figure whose digits the evidence has in another unit."""
    detail = f"{match.quantity.words}, where the evidence has {match.unlike[0].quantity.words}"
    is_known = all(figure.quantity.scale or max(figure.scales, default=ONE) > ONE for figure in match.unlike)
    return fault("wrong unit", detail) if is_known and match.quantity.scale else doubt("unit not in evidence", detail)


def weigh_missing(
    quantity: Quantity, matches: Matches, example: Example, documents: Mapping[str, Document]
) -> Iterator[Finding]:
    """Yield what is wrong with a number that the evidence does not have."""
    near = words_near(example, documents, BESIDE_CHARACTERS)
    derivation = find_derivation(quantity, matches.figures)
    if derivation:
        yield doubt("number without its arithmetic", f"{quantity.words}, perhaps a {derivation}")
    elif is_in_text(quantity, near):
        is_count = quantity.is_word and quantity.value <= LARGEST_WORD
        if not is_count and not quantity.is_year:
            yield doubt("number beside its quotes", quantity.words)
    elif any(is_in_text(quantity, documents[doc_id].text) for doc_id in example.doc_ids):
        yield doubt("number elsewhere in the document", quantity.words)
    elif quantity.is_word or (quantity.scale is None and not quantity.is_money and quantity.value <= LARGEST_COUNT):
        yield doubt("number not in evidence", f"{quantity.words}, perhaps a count")
    elif COMPUTED.search(span_at(split_sentences(matches.text), quantity.start).text):
        yield doubt("number not in evidence", f"{quantity.words}, perhaps computed")
    elif any(is_rounding(quantity.printed, quantity.step * 10, one.quantity.printed) for one in matches.figures):
        yield doubt("number not in evidence", f"{quantity.words}, perhaps rounded")
    else:
        yield fault("number not in evidence", quantity.words)


def is_in_text(quantity: Quantity, text: str) -> bool:
    """Say whether a text has a number, as digits or as a word."""
    if quantity.is_year:
        return quantity.words.strip("()") in find_years(text)
    digits = f"{quantity.printed.normalize():f}"
    pattern = re.compile(rf"(?<![\d.,]){spell_digits(digits)}(?![\d]|[.,]\d)")
    return bool(pattern.search(text)) or (quantity.is_word and quantity.words.lower() in flat(text))


def spell_digits(digits: str) -> str:
    """Return a pattern for a number with or without commas: '12,?345' for 12345."""
    whole, _, decimals = digits.partition(".")
    grouped = ",?".join(re.findall(r"\d{1,3}(?=(?:\d{3})*$)", whole))
    return grouped + (rf"\.{decimals}0*" if decimals else r"(?:\.0+)?")


def weigh_references(text: str, example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Yield a doubt about a reference, like 'Figure 13', that the documents do not have."""
    for reference in find_references(text):
        known = [flat(documents[doc_id].text) for doc_id in example.doc_ids]
        if not reference.startswith("[") and not any(reference.lower().split("(")[0] in one for one in known):
            numbers = set(re.findall(r"\d+", reference))
            if not all(any(re.search(rf"\b{number}\b", one) for one in known) for number in numbers):
                yield doubt("reference not in the document", reference)


def names_are_in_evidence(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a name that neither the evidence, the question nor a title has.

    A capitalised word within a sentence is a name. At the start of a sentence it is one unless it is a common word or
    the documents write it in lower case. A model may as well use names that its documents have near the evidence; one
    from elsewhere in them is a doubt.
    """
    source = words_in(join_sources(example, document_names(example, documents)))
    for word, is_first in find_names(without_citations(example.answer), source, example, documents):
        if is_by_model(example):
            yield from weigh_name(word, is_first, example, documents)
        else:
            yield fault("name not in evidence", word)
            return


def find_names(
    answer: str, known: frozenset[str], example: Example, documents: Mapping[str, Document]
) -> Iterator[tuple[str, bool]]:
    """Yield the names of an answer that known words do not have, each once, and whether it may be an ordinary word.

    It may be one if it begins a sentence and no other name follows it.
    """
    found = set()
    for sentence in SENTENCE_END.split(answer):
        names = [*NAME.finditer(sentence), *(ACRONYM.finditer(sentence) if is_by_model(example) else ())]
        for match in sorted(names, key=lambda match: match.start()):
            word = match[0]
            is_first = not re.search(r"\w", sentence[: match.start()])
            is_part = is_by_model(example) and word.lower() in PARTS
            is_ordinary = is_part or word.lower() in COMMON or occurs_in_lower_case(word, example, documents)
            if word.lower() not in known and word not in found and not (is_part or (is_first and is_ordinary)):
                found.add(word)
                yield word, is_first and not NAME.match(sentence[match.end() :].lstrip())


def weigh_name(
    word: str, may_be_ordinary: bool, example: Example, documents: Mapping[str, Document]
) -> Iterator[Finding]:
    """Yield what is wrong with a name that the evidence does not have, if anything is."""
    near = words_in(words_near(example, documents)) | words_in(" ".join(words_above(example, documents)))
    if word.lower() in near:
        return
    texts = [documents[doc_id].text for doc_id in example.doc_ids]
    if any(text.count(word) >= OFTEN for text in texts):
        return
    if any(word.lower() in words_in(text) for text in texts):
        yield doubt("name elsewhere in the document", word)
    elif may_be_ordinary or DERIVED.search(word) or has_relative(word, texts):
        yield doubt("name not in evidence", f"{word}, perhaps a form of a name that is, or no name")
    else:
        yield fault("name not in evidence", word)


def has_relative(word: str, texts: list[str]) -> bool:
    """Say whether a text has a word of the same beginning: 'Bennet' for 'Bennets', 'Europe' for 'European'."""
    stem = word.lower()[: max(MIN_STEM, len(word) - 3)]
    return any(known.startswith(stem) for text in texts for known in words_in(text))


def occurs_in_lower_case(word: str, example: Example, documents: Mapping[str, Document]) -> bool:
    """Say whether a document has a word in lower case; for a model's example, one that begins like it is enough."""
    texts = [documents[doc_id].text for doc_id in example.doc_ids]
    if any(word.lower() in lower_case_words(text) for text in texts):
        return True
    return is_by_model(example) and any(word.lower()[:5] in lower_case_beginnings(text) for text in texts)
