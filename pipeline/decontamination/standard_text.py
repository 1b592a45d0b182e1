"""Recognise standard text: the covers of forms, licences and statements of law, which documents share by their nature.

Two companies' annual reports have the cover of Form 10-K in common, word for word, whatever the corpus is. It is known
by phrases that only such text has, so it needs no corpus in which many documents repeat it.
"""

import re

from pipeline.decontamination.ngrams import WORD, normalise_words

WORDS_PER_PHRASE = 60  # a run with fewer phrases than one in so many words is the document's own text
PHRASES = (
    # covers of the SEC's forms
    "indicate by check mark", "exchange act of 1934", "exact name of registrant", "securities registered pursuant",
    "aggregate market value", "documents incorporated by reference", "registrant s telephone number",
    "well known seasoned issuer", "large accelerated filer", "emerging growth company", "commission file number",
    "state or other jurisdiction of incorporation", "shell company as defined", "recovery analysis of incentive",
    "address of principal executive offices", "submitted electronically every interactive data file",
    # statements that law prescribes
    "forward looking statements", "private securities litigation reform act", "sarbanes oxley act",
    "internal control over financial reporting", "generally accepted accounting principles", "i certify that",
    "disclosure controls and procedures", "public company accounting oversight board", "fairly present in all material",
    "section 13 a or 15 d", "in our opinion the consolidated financial statements", "duly caused this report",
    # licences and notices of rights
    "all rights reserved", "permission is hereby granted", "project gutenberg", "creative commons",
    "gnu general public", "apache license", "without warranty",
    "as is without warranties", "copyright notice", "under the terms of this",
    "redistribution and use in source", "creativecommons org licenses", "crown copyright", "limitation of liability",
    "the work is licensed under", "international bank for reconstruction", "rights and permissions",
)  # fmt: skip
PATTERN = re.compile(r"\b(?:" + "|".join(PHRASES) + r")\b")


def cut_words(text: str, first: int, num_words: int) -> str:
    """Return some of the words of a text, in lower case and separated by single blanks."""
    words = [match[0] for _, match in zip(range(first + num_words), WORD.finditer(text), strict=False)]
    return normalise_words(" ".join(words[first:]))


def is_standard_text(words: str) -> bool:
    """Whether a run of words, as `cut_words` returns it, is standard text."""
    return len(PATTERN.findall(words)) * WORDS_PER_PHRASE >= words.count(" ") + 1
