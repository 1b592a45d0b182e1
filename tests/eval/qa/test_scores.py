"""Scores of replies against cases computed by hand, and against scikit-learn where it has the same figure."""

import pytest
from sklearn.metrics import f1_score

from eval.qa.scores import compute_f1, normalise, score_reply, share_figures


def score(reply, answer, question="What is it?", quotes=(), *, is_unanswerable=False):
    return score_reply(reply, answer, question, quotes, is_unanswerable=is_unanswerable, tolerance=0.01)


def test_words_are_compared_as_in_squad():
    assert normalise("The Cat's  “hat”, a BIG one!") == ["cat", "s", "hat", "big", "one"]
    assert score("A cat.", "the cat").exact
    assert not score("A cat sat.", "the cat").exact


def test_f1_by_hand():
    assert compute_f1("the red boat sank", "a red boat") == pytest.approx(2 * 2 / (3 + 2))  # red, boat of 3 and 2
    assert compute_f1("boat boat", "boat") == pytest.approx(2 / 3)
    assert compute_f1("nothing", "boat") == 0
    assert compute_f1("", "") == 1


def test_f1_equals_that_of_scikit_learn_where_each_word_occurs_once():
    reply, answer = ["red", "boat", "left", "harbour"], ["blue", "boat", "left", "port", "early"]
    words = sorted({*reply, *answer})
    expected = f1_score([word in answer for word in words], [word in reply for word in words])
    assert compute_f1(" ".join(reply), " ".join(answer)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("reply", "share"),
    [
        ("It was $22,887 million.", 1.0),
        ("It was 22,887.", 1.0),  # in the unit of the table
        ("It was $22.9 billion.", 1.0),  # within one per cent
        ("It was $22,887 thousand.", 0.0),
        ("It was -$22,887 million.", 0.0),
        ("It was $24,000 million.", 0.0),
        ("It was a lot.", 0.0),
    ],
)
def test_figures_count_by_value_unit_and_sign(reply, share):
    assert share_figures(reply, "Revenue was $22,887 million.", "What was the revenue?", 0.01) == share


def test_figures_of_the_question_prove_nothing():
    answer, question = "In 2021 it was 12 and in 2022 it was 15.", "What was it in 2021 and 2022?"
    assert share_figures("2021 and 2022", answer, question, 0.01) == 0
    assert share_figures("15, before it 12", answer, question, 0.01) == 1
    assert share_figures("anything", "It rose.", question, 0.01) is None


def test_years_have_no_tolerance():
    assert share_figures("In 2012.", "It was in 2013.", "When?", 0.01) == 0


def test_the_score_is_figures_where_there_are_any_and_words_where_there_are_none():
    assert score("12 boats", "There were 12 boats and 4 carts.").score == 0.5
    assert score("red boat", "The red boat.").score == 1


def test_a_question_that_the_document_does_not_answer_must_be_refused_and_no_other():
    said = "The document does not say."
    assert score(said, f"{said} There is no figure for 2024.", is_unanswerable=True).score == 1
    assert score("It was 12.", f"{said} There is no figure for 2024.", is_unanswerable=True).score == 0
    refused = score("The text doesn't mention it, only 12 boats.", "There were 12 boats.")
    assert (refused.score, refused.refused) == (0, True)


@pytest.mark.parametrize(
    "reply", ["It is not stated.", "The report gives no figure for it.", "That cannot be determined from the text."]
)
def test_refusals_in_other_words_are_seen(reply):
    assert score(reply, "It is 5.").refused


def test_evidence_is_found_where_half_of_its_own_words_are_said():
    quotes = ("The miller sold six barrels of rye.", "The baker bought none at all.")
    found = score("The miller sold six barrels.", "Six.", "What did the miller sell?", quotes)
    assert found.evidence == 0.5
    assert score("Rain.", "Six.", quotes=quotes).evidence == 0
    assert score("Six.", "Six.").evidence is None
