"""What the card of a dataset says."""

from pipeline.dataset.card import describe_doubts


def test_the_card_says_how_many_examples_were_in_doubt_and_what_became_of_them() -> None:
    doubts = {"examples": 7, "found_sound_by_the_judge": 3, "refused_because_nobody_judges": 2}
    said = describe_doubts(doubts)
    assert "left 7 examples in doubt" in said
    assert "found 3 of them sound" in said
    assert "2 were refused because nobody judged" in said
    assert describe_doubts({}) == "The checks left no example in doubt."
