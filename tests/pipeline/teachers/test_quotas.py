"""How many examples of a kind are kept."""

from pipeline.records import Example
from pipeline.teachers.quotas import ExampleTraits, Quota, choose_within, list_unfilled


def test_a_full_quota_keeps_out_and_an_unfilled_one_says_why() -> None:
    examples = [
        (Example(f"{number:016d}", task, "q", "a"), ExampleTraits(task, "book", 100))
        for number, task in enumerate(["cell", "cell", "cell", "speech"])
    ]
    quotas = [Quota(task="cell", num=2), Quota(task="speech", num=3), Quota(task="order", num=1)]
    kept, statuses = choose_within(examples, quotas)
    assert [example.task for example in kept] == ["cell", "cell", "speech"]
    assert list_unfilled(statuses) == [
        "speech: 1 of 3, no more were found",
        "order: 0 of 1, none was found",
    ]


def test_a_quota_names_what_it_counts() -> None:
    assert str(Quota(task="cell", category="statement", max_tokens=65_536, num=4)) == "cell statement 0-65536 tokens"
    assert str(Quota(num=4)) == "all"
