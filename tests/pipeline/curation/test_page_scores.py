"""Pages whose characters are not what they show score low; prose, tables and listings score high."""

import pytest

from pipeline.curation.page_scores import doubtful_page_share, score_page

PROSE = "The committee of the harbour met on Monday to hear the treasurer, who read the accounts for 2019 aloud. " * 4
CODE = "def read(path): return strftime(now), argv[1], 3.14, utf8, HTTP, std::vector, sha256 " * 6


@pytest.mark.parametrize("text", [PROSE, CODE, "| Sales | $1,200 | 3.5% | kWh |\n" * 12])
def test_what_people_write_scores_high(text):
    score = score_page(text)
    assert score is not None
    assert score > 0.9


@pytest.mark.parametrize("garbage", ["Thc hqrbXvr \ufffd\ufffd", "whlch sgnt br0ught trsmn", "\ue012\ue044 \ue013 the"])
def test_characters_without_a_meaning_and_words_without_a_vowel_score_low(garbage):
    score = score_page(f"{garbage} " * 20)
    assert score is not None
    assert score < 0.7


def test_pages_with_few_words_are_not_judged():
    assert score_page("\ufffd\ufffd " * 20) is None


def test_the_share_is_of_the_pages_that_are_judged():
    garbage = "\ufffdhe har\ufffdour " * 30
    text = PROSE + garbage + "Title"

    share = doubtful_page_share(text, (0, len(PROSE), len(PROSE + garbage)), 0.9)

    assert share == 0.5
    assert doubtful_page_share(PROSE, (), 0.9) == 0
