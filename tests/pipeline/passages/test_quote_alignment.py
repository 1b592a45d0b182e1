"""Where a quote is in a text, although someone copied it badly."""

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
