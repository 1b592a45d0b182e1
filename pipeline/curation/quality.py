"""Judge the quality of a document's prose: the rules of Gopher and FineWeb, adapted to long documents.

Source  Gopher (arXiv 2112.11446), appendix A.1.1 and table A1, with the values that datatrove's filters take:
            at least 50 words; mean word length 3 to 10; symbols (# and …) at most 0.1 a word; at most 90 % of lines
            begin with a bullet; at most 30 % end with an ellipsis; at least 80 % of words hold a letter; at least 2 of
            8 stop words. Characters in repeated paragraphs at most 20 %, repeated paragraphs at most 30 %. Characters
            in the commonest 2-, 3-, 4-gram at most 20, 18, 16 %; in repeated 5- to 10-grams at most 15 to 10 %.
        FineWeb (arXiv 2406.17557), section 3.6: at least 12 % of lines end with punctuation; at most 67 % are shorter
            than 30 characters. Its rule on duplicated lines is weaker here than Gopher's on paragraphs.

Both were made for web pages of a few hundred words, whose lines are paragraphs. Here a line is a paragraph of the
Markdown, since lines of a PDF are those of its page; headings, tables, listings and formulas are not prose and not
judged; the upper limit of 100,000 words is dropped; and n-grams repeat more the longer a text is, so that they are
counted in up to ten windows of 1,000 words, spread over the document, and averaged. Filings repeat their clauses by
law, and plays and verse have short lines: see `EXEMPT`. None of twenty real books, papers, reports and filings is
refused.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from pipeline.records import Category

MIN_WORDS = 50
MEAN_WORD_LENGTH = (3, 10)
MAX_SYMBOLS_PER_WORD = 0.1
MAX_BULLETS = 0.9
MAX_ELLIPSES = 0.3
MIN_WORDS_WITH_LETTERS = 0.8
MIN_STOP_WORDS = 2
STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
MAX_REPEATED_PARAGRAPHS = 0.3
MAX_REPEATED_PARAGRAPH_CHARACTERS = 0.2
MAX_TOP_NGRAM = {2: 0.2, 3: 0.18, 4: 0.16}
MAX_REPEATED_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
MIN_PUNCTUATED = 0.12
SHORT_LINE = 30
MAX_SHORT_LINES = 0.67

WINDOW_WORDS = 1_000
NUM_WINDOWS = 10
EXEMPT: dict[Category, tuple[str, ...]] = {
    "book": ("fineweb short lines",),  # plays and verse
    "statement": ("gopher paragraphs", "gopher n-grams", "fineweb short lines"),  # the law repeats clauses
    "report": ("fineweb short lines",),  # legends of charts
    "paper": (
        "gopher n-grams",
        "fineweb short lines",
    ),  # terms and results are named in full each time; figures' labels
}
NOT_PROSE = re.compile(r"\s*(?:\||#{1,6} |\$\$|\[\^)")
BULLET = re.compile(r"\s*[-*•●▪]\s")
PUNCTUATION = tuple(".!?…\"'”’»)。！？:;")


def quality_rejection(text: str, category: Category, language: str) -> str:
    """Return the first rule that a document breaks, with its value and the limit, '' if it breaks none."""
    paragraphs = prose_paragraphs(text)
    for rule, found, limit in broken(paragraphs, language):
        if not rule.startswith(EXEMPT.get(category, ())):
            return f"{rule}: {found:.3g}, limit {limit:.3g}"
    return ""


def prose_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a Markdown text, each on one line, without headings, tables, formulas and listings."""
    without_listings = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)
    blocks = re.split(r"\n\s*\n", without_listings)
    joined = (" ".join(line for line in block.split("\n") if not NOT_PROSE.match(line)) for block in blocks)
    return [stripped for block in joined if (stripped := " ".join(block.split()))]


def broken(paragraphs: Sequence[str], language: str) -> Iterator[tuple[str, float, float]]:
    """Yield each broken rule, with the value found and the limit."""
    words = " ".join(paragraphs).split()
    if len(words) < MIN_WORDS:
        yield "gopher words", len(words), MIN_WORDS
        return
    yield from broken_by_words(words, language)
    yield from broken_by_lines(paragraphs, len(words))
    yield from broken_by_repetition(paragraphs, words)


def broken_by_words(words: Sequence[str], language: str) -> Iterator[tuple[str, float, float]]:
    """Yield the broken rules about words. Those about word length and stop words apply to English only."""
    if (share := sum(any(c.isalpha() for c in word) for word in words) / len(words)) < MIN_WORDS_WITH_LETTERS:
        yield "gopher words with letters", share, MIN_WORDS_WITH_LETTERS
    if language != "en":
        return
    mean = sum(map(len, words)) / len(words)
    for bound, is_broken in zip(
        MEAN_WORD_LENGTH, (mean < MEAN_WORD_LENGTH[0], mean > MEAN_WORD_LENGTH[1]), strict=True
    ):
        if is_broken:
            yield "gopher mean word length", mean, bound
    found = len(STOP_WORDS & {word.lower() for word in words})
    if found < MIN_STOP_WORDS:
        yield "gopher stop words", found, MIN_STOP_WORDS


def broken_by_lines(paragraphs: Sequence[str], num_words: int) -> Iterator[tuple[str, float, float]]:
    """Yield the broken rules about lines; a line is a paragraph here."""
    count = len(paragraphs)
    symbols = sum(text.count("#") + text.count("...") + text.count("…") for text in paragraphs) / num_words
    shares = (
        ("gopher symbols", symbols, MAX_SYMBOLS_PER_WORD),
        ("gopher bullets", sum(bool(BULLET.match(text)) for text in paragraphs) / count, MAX_BULLETS),
        ("gopher ellipses", sum(text.endswith(("...", "…")) for text in paragraphs) / count, MAX_ELLIPSES),
        ("fineweb short lines", sum(len(text) < SHORT_LINE for text in paragraphs) / count, MAX_SHORT_LINES),
    )
    yield from ((rule, found, limit) for rule, found, limit in shares if found > limit)
    if (share := sum(text.endswith(PUNCTUATION) for text in paragraphs) / count) < MIN_PUNCTUATED:
        yield "fineweb punctuation", share, MIN_PUNCTUATED


def broken_by_repetition(paragraphs: Sequence[str], words: Sequence[str]) -> Iterator[tuple[str, float, float]]:
    """Yield the broken rules about repetition."""
    repeated = repeated_paragraphs(paragraphs)
    characters = sum(map(len, repeated)) / sum(map(len, paragraphs))
    windows = sample_windows(words)
    shares = [
        ("gopher paragraphs repeated", len(repeated) / len(paragraphs), MAX_REPEATED_PARAGRAPHS),
        ("gopher paragraphs repeated, characters", characters, MAX_REPEATED_PARAGRAPH_CHARACTERS),
        *((f"gopher top {n}-gram", mean_share(windows, top_share, n), limit) for n, limit in MAX_TOP_NGRAM.items()),
        *(
            (f"gopher n-grams repeated, n = {n}", mean_share(windows, repeated_share, n), limit)
            for n, limit in MAX_REPEATED_NGRAMS.items()
        ),
    ]
    yield from ((rule, found, limit) for rule, found, limit in shares if found > limit)


def repeated_paragraphs(paragraphs: Sequence[str]) -> list[str]:
    """Return the paragraphs that occurred before, each as often as it is repeated."""
    return [text for text, count in Counter(paragraphs).items() for _ in range(count - 1)]


def sample_windows(words: Sequence[str]) -> list[Sequence[str]]:
    """Return up to ten windows of a thousand words, spread evenly; all words of a shorter text in one."""
    count = min(NUM_WINDOWS, max(1, len(words) // WINDOW_WORDS))
    step = (len(words) - WINDOW_WORDS) // max(1, count - 1) if count > 1 else 0
    return [words[number * step : number * step + WINDOW_WORDS] for number in range(count)]


def mean_share(windows: Sequence[Sequence[str]], share: Callable[[Sequence[str], int], float], n: int) -> float:
    """Return the mean of a share over the windows."""
    return sum(share(window, n) for window in windows) / len(windows)


def top_share(words: Sequence[str], n: int) -> float:
    """Return the share of characters that the most frequent n-gram covers; an n-gram that occurs once covers none."""
    counts = Counter(zip(*(words[i:] for i in range(n)), strict=False))
    if not counts:
        return 0.0
    most = max(counts.values())
    longest = max(sum(map(len, gram)) for gram, count in counts.items() if count == most)
    return 0.0 if most == 1 else most * longest / max(1, sum(map(len, words)))


def repeated_share(words: Sequence[str], n: int) -> float:
    """Return the share of characters in repeated n-grams, no character counted twice."""
    seen: set[tuple[str, ...]] = set()
    place = characters = 0
    while place + n <= len(words):
        gram = tuple(words[place : place + n])
        if gram in seen:
            characters += sum(map(len, gram))
            place += n
        else:
            seen.add(gram)
            place += 1
    return characters / max(1, sum(map(len, words)))
