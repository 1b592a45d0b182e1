"""Which names matter: whole ones, mentioned several times or explained."""

import pytest

from pipeline.passages.names import find_names
from pipeline.passages.passages import Passages, is_askable, is_telling_heading
from pipeline.passages.spans import Span
from pipeline.records import Document

REST = "Later the same was said of {name} by all who had seen it. In the end nobody spoke of anything but {name} there."


def names_in(*paragraphs: str) -> list[str]:
    text = "\n\n".join(paragraphs)
    return [name.words for name in find_names(Passages(Document("d", "report", "s", text=text)))]


def test_a_name_that_is_mentioned_three_times_matters() -> None:
    first = "The council of the valley sent for Torvin Hale before the winter had begun."
    assert names_in(first, REST.format(name="Torvin Hale")) == ["Torvin Hale"]
    assert names_in(first, "Nobody ever saw him again in the valley after that day.") == []


def test_a_name_matters_once_if_its_abbreviation_is_explained() -> None:
    sentence = "Copies are moved by the Tensor Memory Accelerator (TMA) without a thread that waits for them."
    assert names_in(sentence, "It is a memory of its own, and an accelerator of tensor work.") == [
        "Tensor Memory Accelerator"
    ]


@pytest.mark.parametrize(
    ("whole", "part"),
    [
        ("NVIDIA Tensor Memory Accelerator", "Tensor Memory Accelerator"),
        ("Floating Point Operations Per Second", "Per Second"),
        ("Single-Instruction Multiple-Thread Execution", "Thread Execution"),
        ("Journal of the American Statistical Association", "Statistical Association"),
    ],
)
def test_a_part_of_a_longer_name_is_none(whole: str, part: str) -> None:
    first = f"The committee of the lake had always called it {whole} in its letters."
    assert part not in names_in(first, REST.format(name=whole))


def test_two_names_joined_by_and_are_two_or_none() -> None:
    first = "People of the lake had spoken with Jory Sand and Olla Brask about it before."
    found = names_in(first, REST.format(name="Jory Sand and Olla Brask"))
    assert "Jory Sand and Olla Brask" not in found
    assert "Black and White" not in names_in(
        "The old film was made in Black and White by people of the lake.", REST.format(name="Black and White")
    )


def test_words_that_are_only_written_in_capitals_are_no_name() -> None:
    first = "The company of the lake asked its Board Members to leave before the winter."
    assert names_in(first, REST.format(name="Board Members"), "No board has members that stay for ever.") == []


def test_a_name_that_a_heading_has_first_is_not_asked_for() -> None:
    first = "The council of the valley sent for Torvin Hale before the winter had begun."
    assert names_in("# Torvin Hale", first, REST.format(name="Torvin Hale")) == []


@pytest.mark.parametrize("sentence", [
    r"The loss \mathcal{L} is the sum of all terms that we have described above.",
    "The cache has a fixed size of $W=4$ and is filled from the left to right.",
    "Figure 3. The river at dawn, as it was seen from the tower of the mill.",
    "Photo: the river at dawn, as it was seen from the tower of the old mill.",
    "Source: own calculations on the basis of what the mills of the valley reported.",
    "Albert Jiang Alexandre Sablayrolles Arthur Mensch Chris Bamford Devendra Chaplot and Diego de las Casas.",
    "We have shown before that _poor_ is what he was called in the whole valley.",
    "More can be read at https://example.org/lamps by all who want to know about lamps.",
])  # fmt: skip
def test_formulas_captions_lists_of_authors_and_addresses_are_not_quoted(sentence: str) -> None:
    assert not is_askable(Span(0, len(sentence), sentence))


def test_plain_sentences_are_quoted() -> None:
    for sentence in (
        "The mill of the valley burned 3,200 logs in the winter after the flood.",
        "In 2017 the Board of Directors asked Torvin Hale to come back (he did not).",
    ):
        assert is_askable(Span(0, len(sentence), sentence))


@pytest.mark.parametrize(("heading", "is_telling"), [
    ("2.1 Trace trees", True),
    ("Item 7. Management's Discussion", True),
    ("An approach for provision of", False),
    ("XVI", False),
    ("S", False),
    ("The set $S$", False),
])  # fmt: skip
def test_headings_that_name_nothing_or_are_cut_are_not_named(heading: str, is_telling: bool) -> None:
    assert is_telling_heading(heading) == is_telling
