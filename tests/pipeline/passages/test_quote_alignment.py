"""Where a quote is in a text, although someone copied it badly."""

import time

import pytest

from pipeline.passages.quote_alignment import locate, widen_to_words

TEXT = "The old mill burned down.\n\n| Net revenue | 1,250 |\n\nNobody counted the 37 lamps on the beam above his door."


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("The old mill", "The old mill"),
        ("“The old mill”", "The old mill"),
        ("Net revenue 1,250", "Net revenue | 1,250"),
        ("Nobody counted the 37 lamps on the beams above", "Nobody counted the 37 lamps on the beam above"),
        ("Nobody counted the 38 lamps on the beam above his door.", None),
        ("a word of another book", None),
        ("", None),
    ],
)
def test_a_quote_is_found_with_the_words_of_the_text(quote: str, expected: str | None) -> None:
    found = locate(TEXT, quote)
    assert (found.text if found else None) == expected
    assert found is None or TEXT[found.start : found.end] == found.text


def test_a_quote_that_is_nearly_right_can_be_refused() -> None:
    assert locate(TEXT, "Nobody counted the 37 lamps on the beam over his door.", near=False) is None


def test_a_range_is_widened_to_whole_words() -> None:
    assert widen_to_words("the old mill", 5, 10) == (4, 12)


LONG = (
    "Nineteen men — all of them old — came up the road, he said, and left.\n\n"
    "| Year | Revenue |\n| ---- | ------: |\n| 2024 |   1,100 |\n| 2025 |   1,250 |\n\n"
    "It was never sold. **Every** lamp\nwas lit in the part\u00adment."
)


@pytest.mark.parametrize(
    ("quote", "expected"),
    [
        ("Nineteen men … he said, and left", "Nineteen men — all of them old — came up the road, he said, and left"),
        ("Nineteen men [...] came up the road", "Nineteen men — all of them old — came up the road"),
        ("Nineteen men -- all of them old -- came", "Nineteen men — all of them old — came"),
        ("came up the road, [Torvin] said, and left", "came up the road, he said, and left"),
        ("“… [i]t was never sold", "It was never sold"),
        ("| Year | Revenue | | 2024 | 1,100 |", "Year | Revenue |\n| ---- | ------: |\n| 2024 |   1,100"),
        (
            "| Year | Revenue |\n| 2025 | 1,250 |",
            "Year | Revenue |\n| ---- | ------: |\n| 2024 |   1,100 |\n| 2025 |   1,250",
        ),
        ("Every lamp was lit", "Every** lamp\nwas lit"),
        ("Ninety men — all of them old — came up the road", None),
        ("It was ever sold. Every lamp was lit in the partment.", None),
        ("Nineteen men … of another book", None),
        ("****", None),
    ],
)
def test_a_quote_is_found_whatever_it_leaves_out_joins_or_inserts(quote: str, expected: str | None) -> None:
    found = locate(LONG, quote)
    assert (found.text if found else None) == expected
    assert found is None or LONG[found.start : found.end] == found.text


@pytest.mark.parametrize("quote", ["* * * *!", "| " * 300, "a … " * 200, "[a] [b] " * 100, "the … the … the … zebra"])
def test_no_quote_takes_long(quote: str) -> None:
    text = "*" * 200 + " the cat sat on the mat and a dog" * 3_000
    locate(text, "the cat")  # the spelling of a text is made once
    start = time.process_time()
    locate(text, quote)
    assert time.process_time() - start < 1.0
