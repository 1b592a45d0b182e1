"""Families get their shares, kinds take turns, and who cannot be shown gives the place to the next."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset.sampling import Family, Pools, draw, match_family, share_rows
from pipeline.records import Example

FAMILIES = {
    "summaries": Family(share=7.0, kinds=["*/*summar*"]),
    "books": Family(share=13.0, kinds=["book/*"]),
    "other": Family(share=14.0, kinds=["*"]),
}


def examples(kind: str, count: int) -> list[Example]:
    return [Example(f"{kind}-{number}", kind, "", "") for number in range(count)]


def plan_all(batch: list[Example]) -> dict[str, Example]:
    return {example.example_id: example for example in batch}


@given(st.integers(0, 20_000), st.lists(st.floats(0, 100), min_size=1, max_size=6))
def test_quotas_sum_to_the_rows_and_are_within_one_of_the_shares(num_rows: int, shares: list[float]) -> None:
    families = {str(number): Family(share=share, kinds=["*"]) for number, share in enumerate(shares)}
    quotas = share_rows(num_rows, families)
    assert sum(quotas.values()) == num_rows
    if total := sum(shares):
        assert all(abs(quotas[str(n)] - num_rows * share / total) < 1 + 1e-6 for n, share in enumerate(shares))


def test_the_shares_of_the_original_are_met_to_the_row() -> None:
    shares = {"book": 13, "summary": 7, "review": 20, "analysis": 20, "other": 14}
    families = {name: Family(share=float(share), kinds=[name]) for name, share in shares.items()}
    assert share_rows(8_880, families) == {
        "book": 1560,
        "summary": 840,
        "review": 2400,
        "analysis": 2400,
        "other": 1680,
    }


def test_the_first_family_that_matches_has_the_kind() -> None:
    assert match_family("book/summary", FAMILIES) == "summaries"
    assert match_family("book/speech", FAMILIES) == "books"
    assert match_family("report/cell", FAMILIES) == "other"
    assert match_family("report/cell", {}) == "others"


def test_kinds_of_a_family_take_turns() -> None:
    pools = Pools(
        {"report/cell": examples("report/cell", 50), "report/figure": examples("report/figure", 3)}, FAMILIES, 1
    )
    plans, lacking = draw(pools, {"other": 8}, plan_all, fill=False)
    assert not lacking
    assert sum(example_id.startswith("report/figure") for example_id in plans) == 3


def test_who_cannot_be_shown_gives_the_place_to_the_next() -> None:
    pools = Pools({"book/speech": examples("book/speech", 10)}, FAMILIES, 1)
    plans, lacking = draw(
        pools, {"books": 5}, lambda batch: {k: v for k, v in plan_all(batch).items() if int(k[-1]) % 2}, fill=False
    )
    assert sorted(plans) == [f"book/speech-{number}" for number in (1, 3, 5, 7, 9)]
    assert not lacking


def test_what_a_family_lacks_is_named_or_taken_from_the_others() -> None:
    found = {"book/speech": examples("book/speech", 10), "report/cell": examples("report/cell", 10)}
    quotas = {"summaries": 4, "books": 3, "other": 3}
    plans, lacking = draw(Pools(found, FAMILIES, 1), quotas, plan_all, fill=False)
    assert (len(plans), dict(lacking)) == (6, {"summaries": 4})
    plans, lacking = draw(Pools(found, FAMILIES, 1), quotas, plan_all, fill=True)
    assert len(plans) == 10
    assert not lacking
    plans, lacking = draw(Pools(found, FAMILIES, 1), {**quotas, "summaries": 40}, plan_all, fill=True)
    assert len(plans) == 20
    assert lacking.total() == 26
