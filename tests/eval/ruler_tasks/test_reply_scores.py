"""Scores are RULER's on hand-made cases and by lm-eval's functions, and those of LongChat and MRCR."""

import pytest

from eval.ruler_tasks.reply_scores import compare_after_mark, match_all, match_any, match_first_number

CASES = [
    ("The numbers are 12 and 34.", ["12", "34"], 1.0, 1.0),
    ("The numbers are 12 and 35.", ["12", "34"], 0.5, 1.0),
    ("1. KESTREL 2. Heron", ["kestrel", "heron", "gull", "crow"], 0.5, 1.0),
    ("", ["12"], 0.0, 0.0),
    ("  \x00\x07 twelve\x0b ", ["twelve"], 1.0, 1.0),
    ("1234567", ["123"], 1.0, 1.0),  # a substring counts, as in RULER
    ("none of them", ["12", "34"], 0.0, 0.0),
]


@pytest.mark.parametrize(("reply", "references", "share", "found"), CASES)
def test_scores_are_those_of_ruler(reply: str, references: list[str], share: float, found: float) -> None:
    assert match_all(reply, references) == share
    assert match_any(reply, references) == found


@pytest.mark.parametrize(("reply", "references", "share", "found"), CASES)
def test_lm_eval_gives_the_same(reply: str, references: list[str], share: float, found: float) -> None:
    ruler = pytest.importorskip("lm_eval.tasks.ruler.common_utils", reason="the extra eval is not installed")
    document = {"outputs": references, "max_length": 4_096}
    assert ruler.process_results(document, [reply])["4096"] == match_all(reply, references)
    if len(references) == 1:  # of several, lm-eval takes the share where RULER takes any
        assert ruler.process_results_part(document, [reply])["4096"] == match_any(reply, references)


def test_of_a_line_the_first_number_counts() -> None:
    assert match_first_number("The content is <24169>, not 5.", ["24169"]) == 1
    assert match_first_number("Line 5 has 24169.", ["24169"]) == 0
    assert match_first_number("I do not know.", ["24169"]) == 0


def test_a_repeated_text_is_compared_only_behind_its_mark() -> None:
    references = ["ab12", "The goat ate the hat."]
    assert compare_after_mark("ab12The goat ate the hat.", references) == 1
    assert compare_after_mark("The goat ate the hat.", references) == 0
    assert compare_after_mark("ab12abcd", ["ab12", "bcde"]) == pytest.approx(0.75)  # 2 * 3 / 8
