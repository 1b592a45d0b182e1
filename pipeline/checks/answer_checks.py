"""Checks on what an answer says: whether it is whole, says more than its question, and claims no more than its quotes."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from pipeline.checks.citations import without_citations
from pipeline.checks.common_words import COMMON
from pipeline.checks.finding import Finding, doubt, fault, is_by_model
from pipeline.checks.sentences import content_words, split_sentences
from pipeline.checks.sources import flat, join_sources, words_in, words_near
from pipeline.passages.passage_search import search_passages
from pipeline.records import Document, Example

WHOLE = re.compile(r"[.!?…。！？।؟][)\]}”’\"'»›」』》`*_]*\s*$")
CLOSED = re.compile(r"[)\]}”’\"'»›」』》`*_|%‰°€$£¥\d]\s*$")
OPEN_WORDS = frozenset(
    [
        "the",
        "a",
        "an",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "with",
        "from",
        "and",
        "or",
        "but",
        "nor",
        "that",
        "which",
        "who",
        "whose",
        "as",
        "than",
        "because",
        "since",
        "while",
        "if",
        "when",
        "into",
        "onto",
        "over",
        "under",
        "between",
        "among",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "has",
        "have",
        "had",
        "its",
        "their",
        "his",
        "her",
        "my",
        "our",
        "your",
    ]
)
MAX_REPEATS = 2  # of a sentence
MIN_SENTENCE_WORDS = 5
BARE = re.compile(r"(?:yes|no|true|false|correct|indeed|none|nothing|it (?:is|was|does|did))\W*", re.IGNORECASE)
CHOICE = re.compile(r"\b(?:or|which|whether|between)\b", re.IGNORECASE)
GENERIC = frozenset(
    [
        "say",
        "says",
        "said",
        "tell",
        "told",
        "state",
        "stated",
        "mention",
        "mentioned",
        "describe",
        "described",
        "describes",
        "discuss",
        "discussed",
        "report",
        "reports",
        "reported",
        "document",
        "documents",
        "text",
        "texts",
        "passage",
        "passages",
        "paper",
        "papers",
        "book",
        "books",
        "story",
        "article",
        "filing",
        "filings",
        "author",
        "authors",
        "company",
        "companies",
        "section",
        "sections",
        "chapter",
        "page",
        "pages",
        "part",
        "parts",
        "thing",
        "things",
        "something",
        "anything",
        "everything",
        "topic",
        "topics",
        "subject",
        "point",
        "points",
        "main",
        "important",
        "interesting",
        "information",
        "detail",
        "details",
        "fact",
        "facts",
        "data",
        "content",
        "matter",
        "place",
        "happen",
        "happened",
        "happens",
        "explain",
        "explained",
        "give",
        "gives",
        "given",
        "find",
        "finds",
        "found",
        "does",
        "did",
        "please",
        "know",
        "people",
        "person",
        "man",
        "woman",
        "figure",
        "figures",
        "table",
        "tables",
        "case",
        "cases",
        "result",
        "results",
        "number",
        "numbers",
        "amount",
        "question",
        "answer",
        "read",
        "reader",
        "writer",
        "outlook",
        "general",
        "overall",
    ]
)
WHOLE_DOCUMENT = re.compile(
    r"\b(?:summar\w+|review\w*|overview|outline\w*|critique|assess\w*|evaluat\w+|advice|accept\w*|strength\w*|weakness\w*"
    r"|theme\w*|argument\w*|plot|style|forecast\w*|contribution\w*|compare\w*|table of|list all|how many)\b",
    re.IGNORECASE,
)
POINTS_BACK = re.compile(
    r"^(?:and |but |so )?(?:what|why|how|when|where|who|which)\b[^?]*\b(?:he|she|they|it|this|that|these|those)\b[^?]*\?",
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
ABSOLUTE_GROUPS = (
    frozenset(["every", "everyone", "everything", "everybody", "everywhere", "all", "always", "any", "anyone", "anything", "anybody", "entirely", "completely", "wholly", "each"]),
    frozenset(["never", "none", "nobody", "nothing", "nowhere", "any", "no", "not", "without", "neither", "nor"]),
)  # fmt: skip
DENIAL = re.compile(
    r"\b(?:do(?:es)?|did|has|have|is|are|was|were)(?: not|n['’]t)\s+(?:\w+\s+)?(?:say|state[ds]?|mention(?:ed)?|specif(?:y|ied)"
    r"|disclosed?|give|given|report(?:ed)?|provide[ds]?|explain(?:ed)?|tell|name[ds]?|identif(?:y|ied)|address(?:ed)?"
    r"|discuss(?:ed)?|contain|include[ds]?|quantif(?:y|ied)|reveal(?:ed)?|indicate[ds]?|record(?:ed)?|break out|list(?:ed)?)\b"
    r"|\bno(?:where)?\b[^.;]{0,40}\b(?:mention|information|figure|statement|reference|indication|detail|number|data|say|state)s?\b"
    r"|\bnever (?:says?|states?|mentions?|explains?|tells?|names?|gives?)\b|\b(?:is|are) silent\b|\bleaves? (?:it )?open\b",
    re.IGNORECASE,
)
DENIAL_SUBJECT = re.compile(
    r"\b(?:document|text|report|paper|book|novel|story|filing|author|narrator|company|statement|table|10-K|it|they|there|this)s?\b",
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
    repeated = [
        text
        for text, times in Counter(sentences).items()
        if times > MAX_REPEATS and len(text.split()) >= MIN_SENTENCE_WORDS
    ]
    if repeated:
        yield fault("answer repeats itself", repeated[0][:80])
    for name, words in (("question", example.question), ("answer", answer)):
        yield from weigh_ending(name, words, example, documents)


def weigh_ending(name: str, words: str, example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Yield a fault if a text has no end, and a doubt if its last word looks cut off."""
    ending = words.strip()[-30:]
    last = [word for word in re.findall(r"\w+", words)[-1:] if word.isalpha()]
    if not WHOLE.search(words):
        is_short = len(words.split()) <= 12 and "." not in words.strip()[:-1]
        if CLOSED.search(words) and (is_short or words.strip().endswith(("|", "*", "`", ")"))):
            return
        is_closed = bool(CLOSED.search(words))
        yield (
            doubt(f"{name} without an end", ending)
            if is_closed or name == "question"
            else fault(f"{name} cut off", ending)
        )
        return
    if not last or name == "question":
        return
    word = last[0].lower()
    if word in OPEN_WORDS - {
        "been",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "had",
        "in",
        "on",
        "over",
        "to",
        "for",
        "with",
        "by",
        "from",
        "of",
        "at",
        "her",
        "his",
        "that",
        "than",
        "so",
        "under",
        "be",
    }:
        yield doubt(f"{name} cut off", ending)
    elif is_cut_word(last[0], example, documents):
        yield doubt(f"{name} cut off", f"in “{last[0]}”")


def is_cut_word(word: str, example: Example, documents: Mapping[str, Document]) -> bool:
    """Say whether a word is none of the documents, but the beginning of one of theirs: 'interp' of 'interpreter'."""
    known = words_in(join_sources(example)) | words_in(
        flat(" ".join([example.question, example.answer.rsplit(word, 1)[0]]))
    )
    texts = [words_in(documents[doc_id].text) for doc_id in example.doc_ids]
    lower = word.lower()
    if lower in known or lower in COMMON or any(lower in text for text in texts):
        return False
    return any(other.startswith(lower) and len(other) > len(lower) + 1 for text in texts for other in text)


def question_asks_something(example: Example, documents: Mapping[str, Document]) -> Iterator[Finding]:
    """Doubt a question that names nothing, and an answer that its question has already."""
    if not is_by_model(example):
        return
    asked = [word for word in content_words(example.question) if word not in GENERIC_STEMS]
    is_first = not example.earlier
    if is_first and not asked and not WHOLE_DOCUMENT.search(example.question):
        yield fault("question names nothing", example.question[:80])
    elif is_first and len(asked) < 2 and POINTS_BACK.search(example.question):
        yield doubt("question names nothing", example.question[:80])
    answer = without_citations(example.answer)
    said = set(content_words(answer)) - GENERIC_STEMS
    if BARE.fullmatch(answer.strip()):
        yield doubt("answer in the question", answer[:40])
    elif said and said <= set(content_words(example.question)) and not CHOICE.search(example.question):
        yield doubt("answer in the question", answer[:80])


GENERIC_STEMS = frozenset(word for words in GENERIC for word in content_words(words))


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
    asked = set(content_words(words)) - GENERIC_STEMS - names
    if not asked:
        return ""
    for doc_id in example.doc_ids:
        for passage in search_passages(documents[doc_id].text, words, NUM_SEARCHED):
            if len(asked & set(content_words(passage.text))) >= max(1.0, LEAST_FOUND * len(asked)):
                return passage.text
    return ""
