"""The parts of a document that questions are made of: the sentences of its prose, its tables and its headings."""

import re
from collections import Counter
from dataclasses import replace
from functools import cached_property

import nupunkt

from pipeline.passages.markdown_tables import UNQUOTABLE, MarkdownTable, find_tables
from pipeline.passages.spans import Span, trim_span
from pipeline.records import Document, Section

NOT_PROSE = re.compile(r"\s*(#|\||>|```|[-*•] |\d+[.)] |\[)")
PARAGRAPH = re.compile(r"[^\n]+(?:\n[^\n]+)*")
MIN_WORDS, MAX_WORDS = 8, 50  # of a sentence that a question may quote
MAX_CAPITALISED = 0.6  # of the words of a sentence; a list of authors has more
UNREADABLE = re.compile(  # what no reader would quote: formulas, LaTeX, emphasis, addresses, keys of citations, masks
    r"[\\$=<>≤≥≈±×÷√∑∫∈→^{}|~]|(?<!\w)_|_(?!\w)|https?:|www\.|@|\[[a-z]+\d{4}|\[\d|XXXX|\.\.\.|[a-z]{4}\. [A-Z]"
)
ABBREVIATED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Co|Inc|Corp|No|Nos|vs|Fig|Sec|Eq|pp?|cf|i\.e|e\.g)\.$"
)  # is no end
SENTENCE_LIKE = re.compile(r"(?:\S+ ){5,}\S*[a-z]\.$")  # a heading that is a sentence or an item of a list
CREDITS = re.compile(  # how captions, sources and notes begin
    r"(?:Figure|Fig\.|Table|Chart|Exhibit|Box|Plate|Listing)\s*[A-Z]?\.?\d|(?:Sources?|Notes?|Photos?|Images?|Credits?|Courtesy|Copyright"
    r"|Illustration|Reprinted|Reproduced|Adapted)\b.{0,12}(?:[:©]|\bby\b|\bof\b|\bfrom\b)|©",
    re.IGNORECASE,
)
DANGLING = re.compile(
    r"(?:\b(?:an?|the|of|for|to|in|on|by|with|and|or|from|at|as|than|its|our)|[,;(–-])$", re.IGNORECASE
)


class Passages:
    """A document with its sentences and tables, which are parsed on first use and kept."""

    def __init__(self, document: Document) -> None:
        """Take the document; nothing is parsed yet."""
        self.document = document

    @cached_property
    def paragraphs(self) -> list[list[Span]]:
        """The sentences of each paragraph of prose, in order; headings, tables and lists are left out."""
        text = self.document.text
        found = []
        for match in PARAGRAPH.finditer(text):
            if not NOT_PROSE.match(match[0]):
                spans = nupunkt.sent_spans(match[0])
                found.append([trim_span(text, match.start() + start, match.start() + end) for start, end in spans])
        return found

    @cached_property
    def sentences(self) -> list[Span]:
        """The sentences of all paragraphs, in order."""
        return [sentence for paragraph in self.paragraphs for sentence in paragraph]

    @cached_property
    def unique_sentences(self) -> frozenset[str]:
        """The texts of the sentences that occur in the document exactly once."""
        counts = Counter(sentence.text for sentence in self.sentences)
        return frozenset(sentence for sentence, count in counts.items() if count == 1)

    @cached_property
    def tables(self) -> list[MarkdownTable]:
        """The Markdown tables, in order; one without a title has the heading above it."""
        found = []
        for table in find_tables(self.document.text):
            path = () if table.title else self.heading_path_at(table.header_span.start)
            found.append(replace(table, heading=path[-1]) if path else table)
        return found

    @cached_property
    def named_tables(self) -> list[MarkdownTable]:
        """The tables that have a name which no other table has, and which can be quoted."""
        words = [table.title or table.heading for table in self.tables]
        times = Counter(map(str.casefold, words))  # a title and a heading may be the same
        named = zip(self.tables, words, strict=True)
        return [table for table, name in named if name and times[name.casefold()] == 1 and not set(name) & UNQUOTABLE]

    def heading_path_at(self, position: int) -> tuple[str, ...]:
        """Return the headings above a position, outermost first; empty before the first heading."""
        section = self.section_at(position)
        return section.path if section else ()

    def section_at(self, position: int) -> Section | None:
        """Return the innermost section around a position, None before the first heading."""
        inside = [section for section in self.document.sections if section.start <= position < section.end]
        return max(inside, key=lambda section: len(section.path)) if inside else None

    def heading_line(self, section: Section) -> Span:
        """Return the line of a section's heading."""
        text = self.document.text
        end = text.find("\n", section.start)
        return trim_span(text, section.start, len(text) if end < 0 else end)

    @cached_property
    def lower_case_words(self) -> frozenset[str]:
        """The words that the document has in lower case."""
        return frozenset(re.findall(r"(?<![\w’'-])[a-z]{3,}(?![\w-])", self.document.text))

    @cached_property
    def flat_text(self) -> str:
        """The text with all white space collapsed to single spaces, for counting how often words occur."""
        return " ".join(self.document.text.split())


def occurs_once(passages: Passages, gapped: str, gap: str) -> bool:
    """Say whether a sentence with gaps can be found: whether its longest part occurs in the document once."""
    return passages.flat_text.count(max(gapped.split(gap), key=len).strip()) == 1


def is_askable(sentence: Span) -> bool:
    """Say whether a question may quote a sentence.

    It is whole, of sensible length, without quotation marks, and neither a formula, a caption nor a list of names.
    """
    text, words = sentence.text, sentence.text.split()
    is_whole = text[0].isupper() and text[-1] in ".!?"
    if ABBREVIATED.search(text) or text.count("‘") > text.count("’"):
        return False
    if not is_whole or not MIN_WORDS <= len(words) <= MAX_WORDS or set(text) & UNQUOTABLE:
        return False
    num_capitalised = sum(word[0].isupper() for word in words)
    return num_capitalised <= MAX_CAPITALISED * len(words) and not (UNREADABLE.search(text) or CREDITS.match(text))


def is_telling_heading(heading: str) -> bool:
    """Say whether a question can name a heading: it has a word, is whole, and can be quoted; 'XVI' does not."""
    has_word = re.search(r"[^\W\d_]{3}", heading) and not re.fullmatch(r"[IVXLC]+\.?", heading)
    is_part = DANGLING.search(heading) or SENTENCE_LIKE.match(heading)
    return bool(has_word) and not (is_part or UNREADABLE.search(heading) or set(heading) & UNQUOTABLE)
