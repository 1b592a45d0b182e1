"""How many places evidence is in."""

import pytest

from pipeline.passages.evidence_places import count_by_bucket, find_bucket, find_buckets, find_example_bucket
from pipeline.records import Document, Evidence, Example

TABLE = "| a | b |\n|---|---|\n" + "".join(f"| row {number} | {number} |\n" for number in range(200))
TEXT = (
    "Lamps stand here.\n\n" + "They were lit. " * 80 + "\n\n" + TABLE + "\n\n" + "Nobody came. " * 80 + "\n\nThe end."
)


def evidence(*quotes: str, doc_id: str = "d") -> tuple[Evidence, ...]:
    return tuple(Evidence(doc_id, TEXT.index(quote), TEXT.index(quote) + len(quote), quote) for quote in quotes)


def bucket(*spans: Evidence) -> str:
    return find_example_bucket(Example("i", "cell", "q", "a", ("d",), spans), lambda _: TEXT)


def test_a_table_is_one_place_however_long_it_is() -> None:
    assert bucket(*evidence("| a | b |", "| row 3 | 3 |", "| row 199 | 199 |")) == "1"


def test_quotes_near_each_other_are_one_place_and_distant_ones_are_two() -> None:
    assert bucket(*evidence("Lamps stand here.", "They were lit.")) == "1"
    assert bucket(*evidence("Lamps stand here.", "| row 3 | 3 |", "The end.")) == "2-3"


def test_places_of_different_documents_are_counted_for_each() -> None:
    spans = [span for name in "abc" for span in evidence("Lamps stand here.", "The end.", doc_id=name)]
    examples = [Example("i", "across", "q", "a", tuple("abc"), tuple(spans)), Example("j", "cell", "q", "a")]
    documents = [Document(name, "report", "s", text=TEXT) for name in "abc"]
    assert count_by_bucket(examples[:1], find_buckets(examples, documents)) == {"1": 0, "2-3": 0, "4-5": 0, "6+": 1}


def test_reviews_that_a_prompt_does_not_show_are_no_places() -> None:
    spans = (*evidence("Lamps stand here."), *evidence("Lamps stand here.", "The end.", doc_id="review"))
    example = Example("i", "human_review", "q", "a", ("d",), spans)
    documents = [Document(name, "report", "s", text=TEXT) for name in ("d", "review")]
    assert find_buckets([example], documents) == {spans: "1"}


@pytest.mark.parametrize(("number", "name"), [
    (0, "1"), (1, "1"), (2, "2-3"), (3, "2-3"), (4, "4-5"), (5, "4-5"), (6, "6+"), (40, "6+"),
])  # fmt: skip
def test_buckets_have_the_bounds_of_their_names(number: int, name: str) -> None:
    assert find_bucket(number) == name
