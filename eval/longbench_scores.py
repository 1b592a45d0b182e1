"""LongBench's metrics, each from 0 to 1 for one prediction.

Source  github.com/THUDM/LongBench, metrics.py (MIT), whose definitions these follow, quirks included: published figures
        come from them. ROUGE-L is the F1 of the `rouge` package that they use (summary level: unions of longest common
        subsequences of sentences), written out here; similarity of code is RapidFuzz's ratio, rounded to per cent.
"""

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from rapidfuzz import fuzz

ARTICLES = re.compile(r"\b(a|an|the)\b")
PUNCTUATION = frozenset(string.punctuation)
NUMBER = re.compile(r"\d+")
PARAGRAPH = re.compile(r"Paragraph (\d+)")
Metric = Callable[[str, str, Sequence[str]], float]  # of a prediction, a reference, and all classes


def normalise(text: str) -> str:
    """Return a text in lower case, without punctuation, articles and double spaces."""
    bare = "".join(character for character in text.lower() if character not in PUNCTUATION)
    return " ".join(ARTICLES.sub(" ", bare).split())


def qa_f1(prediction: str, reference: str, classes: Sequence[str] = ()) -> float:
    """Return the F1 of the words of a prediction and a reference."""
    del classes
    predicted, expected = normalise(prediction).split(), normalise(reference).split()
    num_common = sum((Counter(predicted) & Counter(expected)).values())
    if not num_common:
        return 0.0
    precision, recall = num_common / len(predicted), num_common / len(expected)
    return 2 * precision * recall / (precision + recall)


def rouge_l(prediction: str, reference: str, classes: Sequence[str] = ()) -> float:
    """Return the F1 of ROUGE-L at summary level, as the package `rouge` computes it; 0 for an empty text.

    For each sentence of the reference, the words of its longest common subsequences with all predicted sentences are
    joined; the sum of their numbers is divided by the number of different words of either side.
    """
    del classes
    predicted, expected = split_sentences(prediction), split_sentences(reference)
    if not predicted or not expected:
        return 0.0
    num_predicted = len({word for sentence in predicted for word in sentence})
    num_expected = len({word for sentence in expected for word in sentence})
    union: set[str] = set()
    for sentence in expected:
        for other in predicted:
            union |= set(find_common_words(sentence, other))
    precision, recall = len(union) / num_predicted, len(union) / num_expected
    return 2 * precision * recall / (precision + recall + 1e-8)


def split_sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence, which ends with a full stop; of white space alone, one empty word."""
    return [" ".join(sentence.split()).split(" ") for sentence in text.split(".") if sentence]


def find_common_words(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """Return a longest common subsequence of words."""
    lengths = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, left in enumerate(one, 1):
        for j, right in enumerate(other, 1):
            lengths[i][j] = lengths[i - 1][j - 1] + 1 if left == right else max(lengths[i - 1][j], lengths[i][j - 1])
    found: list[str] = []
    i, j = len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            found.append(one[i - 1])
            i, j = i - 1, j - 1
        elif lengths[i - 1][j] > lengths[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found[::-1]


def classify(prediction: str, reference: str, classes: Sequence[str] = ()) -> float:
    """Return 1 / n if the right class is among the n that are in a prediction.

    A class that is part of the right one does not count. LongBench removes these from the list while it walks through
    it, which skips the one after each; this is kept, since published figures have it.
    """
    found = [name for name in classes if name in prediction]
    for name in found:
        if name in reference and name != reference:
            found.remove(name)
    return 1 / len(found) if reference in found else 0.0


def retrieve(prediction: str, reference: str, classes: Sequence[str] = ()) -> float:
    """Return the share of the numbers in a prediction that are the paragraph's."""
    del classes
    asked = PARAGRAPH.findall(reference)[0]
    numbers = NUMBER.findall(prediction)
    return numbers.count(asked) / len(numbers) if numbers else 0.0


def count(prediction: str, reference: str, classes: Sequence[str] = ()) -> float:
    """Return the share of the numbers in a prediction that are the reference."""
    del classes
    numbers = NUMBER.findall(prediction)
    return numbers.count(str(reference)) / len(numbers) if numbers else 0.0


def compare_code(prediction: str, reference: str, classes: Sequence[str] = ()) -> float:
    """Return how alike the first line of code of a prediction and the reference are, comments apart."""
    del classes
    lines = prediction.lstrip("\n").split("\n")
    code = next((line for line in lines if not any(mark in line for mark in ("`", "#", "//"))), "")
    return round(fuzz.ratio(code, reference)) / 100
