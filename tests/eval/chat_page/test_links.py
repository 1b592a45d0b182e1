"""Sentences of an answer are linked where the text bears them out, and only there."""

import pytest

from eval.chat_page.links import PlaceIndex, find_page, link_sentences

TEXT = """# Annual report

The company makes kilns and weighing systems in four plants. Net sales rose to $412.5 million in 2023, after $398.1
million in the year before. The board proposes no dividend for the year.

## Results

Table 2. Results by segment

| Segment | 2023 | 2022 |
|---|---:|---:|
| Kiln Technology | 210.4 | 201.9 |
| Weighing Systems | 202.1 | 196.2 |

Management expects sales of the Kiln Technology segment to grow next year. Orders from Norvania were strong.
"""


def link(answer: str, text: str = TEXT):
    return link_sentences(answer, {"d1": PlaceIndex(text)})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("The board proposes no dividend for the year.", "proposes no dividend"),
        ("Net sales of the company rose to $412.5 million in 2023.", "Net sales rose to $412.5 million"),
        ("Kiln Technology had 210.4 in 2023 according to the results by segment.", "| Kiln Technology | 210.4"),
        ("Management expects sales of the kiln technology segment to grow next year", "Management expects"),
    ],
)
def test_a_sentence_is_linked_to_where_the_text_has_it(answer: str, words: str) -> None:
    (found,) = link(answer)
    assert words in found.quote.text
    assert TEXT[found.quote.start : found.quote.end] == found.quote.text
    assert answer[found.start : found.end] == answer


@pytest.mark.parametrize(
    "answer",
    [
        "Net sales of the company rose to $413.5 million in 2023.",  # another figure
        "The board proposes a dividend for the year.",  # without the text's denial, and so the opposite
        "Kiln Technology had 202.1 in 2023 according to the results by segment.",  # another row's figure
        "Orders from Lodrenna were strong for the kiln segment.",  # another name
        "The document does not say what net sales of the company were in 2023.",
        "The weather was fine and the harvest came in early.",
        "Yes.",
    ],
)
def test_a_sentence_that_the_text_does_not_bear_out_has_no_link(answer: str) -> None:
    assert link(answer) == []


def test_a_sentence_that_two_places_bear_out_alike_has_no_link() -> None:
    text = "The mill of Varn has two old wheels inside.\n\nThe mill of Varn has two old doors inside.\n"
    assert link("The mill of Varn has two old inside.", text) == []


def test_each_sentence_has_its_own_link_and_document() -> None:
    other = "The quay of Varn was built in 1871 by forty masons.\n"
    answer = "The quay of Varn was built in 1871 by forty masons. Good. The board proposes no dividend for the year."
    found = link_sentences(answer, {"d1": PlaceIndex(TEXT), "d2": PlaceIndex(other)})
    assert [each.document for each in found] == ["d2", "d1"]
    assert [answer[each.start : each.end][:8] for each in found] == ["The quay", "The boar"]


def test_a_line_break_within_a_sentence_does_not_hide_it() -> None:
    (found,) = link("Net sales rose to $412.5 million in 2023, after $398.1 million in the year before.")
    assert "\nmillion in the year before." in found.quote.text
    answer = "The board proposes no\ndividend for the year.\n\n- Orders from Norvania\nwere strong."
    assert [answer[each.start : each.end] for each in link(answer)] == answer.split("\n\n")


@pytest.mark.parametrize(("position", "page"), [(0, 1), (99, 1), (100, 2), (250, 3)])
def test_the_page_of_a_position_counts_from_one(position: int, page: int) -> None:
    assert find_page((0, 100, 200), position) == page
    assert find_page((), position) is None
