"""How many examples of a kind are kept."""

import pytest

from pipeline.records import Example
from pipeline.teachers.quotas import ExampleTraits, Quota, choose_within, limit_shares, list_unfilled


def test_a_full_quota_keeps_out_and_an_unfilled_one_says_why() -> None:
    examples = [
        (Example(f"{number:016d}", task, "q", "a"), ExampleTraits(task, "book", 100, places))
        for number, (task, places) in enumerate(
            [("cell", "1"), ("cell", "2-3"), ("cell", "1"), ("speech", "1"), ("speech", "6+")]
        )
    ]
    quotas = [
        Quota(task="cell", num=2), Quota(task="speech", num=3), Quota(task="order", num=1), Quota(places="6+", num=0),
    ]  # fmt: skip
    kept, statuses = choose_within(examples, quotas)
    assert [example.task for example in kept] == ["cell", "cell", "speech"]
    assert list_unfilled(statuses) == [
        "speech: 1 of 3, the others were kept out by other quotas",
        "order: 0 of 1, none was found",
    ]


def test_a_quota_names_what_it_counts() -> None:
    assert str(Quota(task="cell", category="statement", max_tokens=65_536, num=4)) == "cell statement 0-65536 tokens"
    assert str(Quota(places="4-5", num=4)) == "4-5 places"
    assert str(Quota(num=4)) == "all"


@pytest.mark.parametrize("share", [0.0, 0.1, 0.34, 1.0])
def test_a_task_has_no_more_than_its_share_of_what_is_left_and_no_less_than_it_could(share: float) -> None:
    examples = [Example(f"{number:016d}", "section" if number % 3 else "cell", "q", "a") for number in range(90)]
    kept = limit_shares(examples, {"section": share})
    num_sections = sum(example.task == "section" for example in kept)
    assert len(kept) - num_sections == 30
    assert num_sections <= share * len(kept)
    assert num_sections == 60 or num_sections + 1 > share * (len(kept) + 1)
    assert kept == [example for example in examples if example in kept]
