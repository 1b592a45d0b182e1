"""RULER's aggregation tasks: the ten most common words of a list, and the three most frequent coded words.

Source  RULER (arXiv 2404.06654), appendix B; github.com/NVIDIA/RULER, scripts/data/synthetic/common_words_extraction.py
        and freq_words_extraction.py
"""

from collections.abc import Sequence
from random import Random
from string import ascii_lowercase

from scipy.special import zeta

from eval.ruler_tasks.reply_scores import match_all
from eval.ruler_tasks.task import Draft, Source, Task

NUM_COMMON = 10
SHORT_LENGTH = 4_096  # tokens; below, words repeat less often, so that there are enough of them
ALPHA = 2.0  # of the distribution of coded words
CODED_LETTERS, TOKENS_PER_CODED_WORD, MIN_CODED = 6, 50, 10
LIST_OPENING = (
    "Below is a numbered list of words. In these words, some appear more often than others. Memorize the ones that "
    "appear most often."
)
LIST_QUESTION = "Question: What are the 10 most common words in the above list?"
LIST_ANSWER = "Answer: The top 10 words that appear most often in the list are:"
CODED_OPENING = (
    "Read the following coded text and track the frequency of each coded word. Find the three most frequently appeared "
    "coded words."
)
CODED_QUESTION = (
    "Question: Do not provide any explanation. Please ignore the dots '....'. What are the three most frequently "
    "appeared words in the above coded text?"
)
CODED_ANSWER = "Answer: According to the coded text above, the three most frequently appeared words are:"


def build_common(source: Source, size: int, draw: Random) -> Draft:
    """Return a draft whose list has so many different words, with a worked example before it."""
    is_short = source.length < SHORT_LENGTH
    words = source.haystack.words
    example, solved = list_words(words, *((20, 3, 1) if is_short else (40, 10, 3)), draw)
    listed, common = list_words(words, size, *((6, 1) if is_short else (30, 3)), draw)
    answer = " ".join(f"{number}. {word}" for number, word in enumerate(solved, 1))
    worked = f"{LIST_OPENING}\n{example}\n{LIST_QUESTION} {LIST_ANSWER} {answer}"
    return Draft(f"{worked}\n{LIST_OPENING}\n{listed}\n", LIST_QUESTION, LIST_ANSWER, common)


def list_words(
    words: Sequence[str], num: int, num_common: int, num_uncommon: int, draw: Random
) -> tuple[str, tuple[str, ...]]:
    """Return a numbered list of different words, ten of them more often than the others, and these ten."""
    chosen = draw_words(words, num, draw)
    common, others = chosen[:NUM_COMMON], chosen[NUM_COMMON:]
    listed = common * num_common + others * num_uncommon
    draw.shuffle(listed)
    return " ".join(f"{number}. {word}" for number, word in enumerate(listed, 1)), tuple(common)


def draw_words(words: Sequence[str], num: int, draw: Random) -> list[str]:
    """Return different words, some of them joined from others where there are too few."""
    if num <= len(words):
        return draw.sample(words, num)
    found = dict.fromkeys(draw.sample(words, len(words)))
    num_joined = 2
    while len(found) < num:
        joined = "-".join(draw.choices(words, k=num_joined))
        num_joined += joined in found  # few words make few pairs
        found[joined] = None
    return list(found)


def build_frequent(source: Source, size: int, draw: Random) -> Draft:
    """Return a draft of about so many coded words, whose frequencies fall with the square of their rank.

    The most frequent 'word' is dots, which do not count; the three after it are the answer.
    """
    num_coded = max(MIN_CODED, source.length // TOKENS_PER_CODED_WORD)
    coded: dict[str, None] = {"...": None}
    while len(coded) < num_coded:
        coded["".join(draw.choices(ascii_lowercase, k=CODED_LETTERS))] = None
    counts = [int(size * rank**-ALPHA / zeta(ALPHA)) for rank in range(1, num_coded + 1)]
    text = [word for word, count in zip(coded, counts, strict=True) for _ in range(count)]
    draw.shuffle(text)
    return Draft(f"{CODED_OPENING} {' '.join(text)}\n", CODED_QUESTION, CODED_ANSWER, tuple(list(coded)[1:4]))


TASKS = (
    Task("cwe", build_common, match_all, max_reply_tokens=120, min_size=NUM_COMMON + 1),
    Task("fwe", build_frequent, match_all, max_reply_tokens=50, min_size=100),
)
