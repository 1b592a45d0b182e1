"""Checks on what an answer says: whether it is whole, tells something, and claims no more than its quotes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.checks.citations import without_citations
from pipeline.checks.common_words import COMMON
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.sentences import content_words, split_sentences
from pipeline.checks.sources import join_sources, words_in, words_near
from pipeline.checks.word_lists import ABSOLUTE_GROUPS, GENERIC_WORDS, OPEN_WORDS
from pipeline.passages.passage_search import search_passages
from pipeline.records import Document, Example

WHOLE = re.compile(r"[.!?…。！？।؟][)\]}”’\"'»›」』》`*_]*\s*$")
CLOSED = re.compile(r"[)\]}”’\"'»›」』》`*_|%‰°€$£¥\d]\s*$")
MAX_REPEATS = 2  # of a sentence
MIN_SENTENCE_WORDS = 5
MAX_BARE_WORDS = 12  # of an answer that needs no full stop
BARE = re.compile(r"(?:yes|no|true|false|correct|indeed|none|nothing|it (?:is|was|does|did))\W*", re.IGNORECASE)
CHOICE = re.compile(r"\b(?:or|which|whether|between)\b", re.IGNORECASE)
WHOLE_DOCUMENT = re.compile(
    r"\b(?:summar\w+|review\w*|overview|outline\w*|critique|assess\w*|evaluat\w+|advice|accept\w*|strength\w*|weakness\w*"
    r"|theme\w*|argument\w*|plot|style|forecast\w*|contribution\w*|compare\w*|table of|list all|how many)\b",
    re.IGNORECASE,
)
POINTS_BACK = re.compile(
    r"^(?:and |but |so )?(?:wh\w+|how)\b[^?]*\b(?:he|she|they|it|this|that|these|those)\b[^?]*\?",
    re.IGNORECASE,
)
ABSOLUTE = re.compile(
    r"\b(?:every(?:one|thing|body|where)?|all|always|never|none|nobody|nothing|nowhere|any(?:one|thing|body)?|entirely"
    r"|completely|wholly|exclusively|invariably|without exception)\b",
    re.IGNORECASE,
)
HARMLESS = re.compile(
    r"\b(?:at all|after all|all in all|above all|first of all|in all|all the same|of all|overall)\b", re.IGNORECASE
)
SAYING = (
    r"(?:say|state[ds]?|mention(?:ed)?|specif(?:y|ied)|disclosed?|give|given|report(?:ed)?|provide[ds]?|explain(?:ed)?"
    r"|tell|name[ds]?|identif(?:y|ied)|address(?:ed)?|discuss(?:ed)?|contain|include[ds]?|quantif(?:y|ied)|reveal(?:ed)?"
    r"|indicate[ds]?|record(?:ed)?|break out|list(?:ed)?)"
)
DENIAL = re.compile(
    rf"\b(?:do(?:es)?|did|has|have|is|are|was|were)(?: not|n['’]t)\s+(?:\w+\s+)?{SAYING}\b"
    r"|\bno(?:where)?\b[^.;]{0,40}\b(?:mention|information|figure|statement|reference|indication|detail|number|data)s?\b"
    r"|\bnever (?:says?|states?|mentions?|explains?|tells?|names?|gives?)\b|\b(?:is|are) silent\b"
    r"|\bleaves? (?:it )?open\b",
    re.IGNORECASE,
)
DENIAL_SUBJECT = re.compile(
    r"\b(?:document|text|report|paper|book|novel|story|filing|author|narrator|company|statement|table|10-K|it|they|there"
    r"|this)s?\b",
    re.IGNORECASE,
)
NUM_SEARCHED = 5
LEAST_FOUND = 0.5  # of the words of a question, in one passage, for 'does not say' to be in doubt


def answer_is_whole(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Refuse a model's answer that ends in the middle of a sentence or of a word, or says the same again and again."""
    if not is_by_model(example):
        return
    answer = without_citations(example.answer)
    sentences = [" ".join(span.text.split()).casefold() for span in split_sentences(answer)]
    often = [text for text, times in Counter(sentences).items() if times > MAX_REPEATS]
    repeated = [text for text in often if len(text.split()) >= MIN_SENTENCE_WORDS]
    if repeated:
        yield fault("answer repeats itself", repeated[0][:80])
    for name, words in (("question", example.question), ("answer", answer)):
        yield from weigh_ending(name, words, example, documents)


def weigh_ending(name: str, words: str, example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Yield a fault if a text has no end, and a doubt if its last word looks cut off."""
    ending = words.strip()[-30:]
    if not WHOLE.search(words):
        is_closed = bool(CLOSED.search(words))
        is_short = len(words.split()) <= MAX_BARE_WORDS and "." not in words.strip()[:-1]
        if is_closed and (is_short or words.strip().endswith(("|", "*", "`", ")"))):
            return
        is_sure = name == "answer" and not is_closed
        yield fault(f"{name} cut off", ending) if is_sure else doubt(f"{name} without an end", ending)
        return
    last = [word for word in re.findall(r"\w+", words)[-1:] if word.isalpha()]
    is_cut = bool(last) and (last[0].lower() in OPEN_WORDS or is_cut_word(last[0], example, documents))
    if is_cut and name == "answer":
        yield doubt(f"{name} cut off", ending)


def is_cut_word(word: str, example: Example, documents: Mapping[str, Document]) -> bool:
    """Say whether a word is none of the documents, but the beginning of one of theirs: 'interp' of 'interpreter'."""
    before = example.answer.rsplit(word, 1)[0]
    known = words_in(join_sources(example, [before]))
    texts = [words_in(documents[doc_id].text) for doc_id in example.doc_ids]
    lower = word.lower()
    if lower in known or lower in COMMON or any(lower in text for text in texts):
        return False
    return any(other.startswith(lower) and len(other) > len(lower) + 1 for text in texts for other in text)


def question_asks_something(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a question that names nothing, and an answer that its question has already."""
    if not is_by_model(example):
        return
    asked = [word for word in content_words(example.question) if word not in GENERIC_WORDS]
    is_empty = not asked and not WHOLE_DOCUMENT.search(example.question)
    if not example.earlier and (is_empty or (len(asked) < 2 and POINTS_BACK.search(example.question))):
        yield doubt("question names nothing", example.question[:80])
    answer = without_citations(example.answer)
    said = set(content_words(answer)) - GENERIC_WORDS
    if BARE.fullmatch(answer.strip()):
        yield doubt("answer in the question", answer[:40])
    elif said and said <= set(content_words(example.question)) and not CHOICE.search(example.question):
        yield doubt("answer in the question", answer[:80])


def claims_are_no_stronger(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt 'every', 'all', 'never' and the like in a model's answer where the words around its quotes have none."""
    if not is_by_model(example):
        return
    near = words_in(words_near(example, documents, 300)) | words_in(join_sources(example))
    for sentence in split_sentences(without_citations(example.answer)):
        if DENIAL.search(sentence.text):
            continue
        for match in ABSOLUTE.finditer(HARMLESS.sub(" ", sentence.text)):
            word = match[0].lower()
            alike = {word}.union(*(group for group in ABSOLUTE_GROUPS if word in group))
            if not alike & near & words_in(join_sources(example)):
                yield doubt("claim beyond its quotes", f"“{match[0]}” in “{sentence.text[:80]}”")
                break


def denials_hold(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt 'the document does not say' where a search of the document finds the words of the question together."""
    if not is_by_model(example):
        return
    for sentence in split_sentences(without_citations(example.answer)):
        if not (DENIAL.search(sentence.text) and DENIAL_SUBJECT.search(sentence.text)):
            continue
        found = find_together(f"{example.question}", example, documents)
        found = found or find_together(DENIAL.sub(" ", sentence.text), example, documents)
        if found:
            yield doubt("denial that a search contradicts", " ".join(found.split())[:120])
            return


def find_together(words: str, example: Example, documents: Mapping[str, Document]) -> str:
    """Return the passage of the documents that has at least half of the words, '' if none has."""
    names = {word for doc_id in example.doc_ids for word in content_words(documents[doc_id].title)}
    asked = set(content_words(words)) - GENERIC_WORDS - names
    if not asked:
        return ""
    for doc_id in example.doc_ids:
        for passage in search_passages(documents[doc_id].text, words, NUM_SEARCHED):
            if len(asked & set(content_words(passage.text))) >= max(1.0, LEAST_FOUND * len(asked)):
                return passage.text
    return ""
