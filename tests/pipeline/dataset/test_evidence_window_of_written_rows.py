"""A row is cut to fit by its documents alone, and its evidence stays."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dataset.evidence_window import cut_to_fit
from pipeline.records import Evidence, Example, Material, MixedExample

QUESTION = "\nNow the material ends. Who did it?"
ANSWER = "The butler did."


def words(text):
    return len(text.split())


def mixed(texts, spans, example_id="00"):
    """Write documents into one instruction; `spans` are (document, start, end) of the evidence."""
    instruction, material = "Below are documents.\n", []
    for number, text in enumerate(texts):
        material.append(Material(doc_id=f"d{number}", start=0, end=len(text), offset=len(instruction)))
        instruction += text + "\n--\n"
    evidence = tuple(Evidence(f"d{n}", start, end, texts[n][start:end]) for n, start, end in spans)
    example = Example(
        example_id,
        "lookup",
        "Who did it?",
        ANSWER,
        doc_ids=tuple(f"d{n}" for n in range(len(texts))),
        evidence=evidence,
    )
    return MixedExample(instruction + QUESTION, ANSWER, 0, tuple(material), example)


text_of_words = st.lists(st.text("abc\né東", min_size=1, max_size=9), min_size=1, max_size=80).map(" ".join)


@st.composite
def rows(draw):
    texts = draw(st.lists(text_of_words, min_size=1, max_size=3))
    spans = []
    for number, text in enumerate(texts):
        if draw(st.booleans()):
            start = draw(st.integers(0, len(text) - 1))
            spans.append((number, start, draw(st.integers(start + 1, min(len(text), start + 40)))))
    return texts, mixed(texts, spans, example_id=draw(st.sampled_from(["00", "7f", "ff"])))


@settings(max_examples=200, deadline=None)
@given(rows(), st.integers(1, 200))
def test_what_is_kept_fits_and_agrees_with_the_documents(texts_and_row, max_tokens):
    texts, row = texts_and_row
    cut = cut_to_fit(row, max_tokens, words)
    if cut is None:
        return
    assert cut.num_tokens == words(cut.instruction) + words(cut.output) <= max_tokens
    assert cut.output == ANSWER
    assert cut.instruction.startswith("Below are documents.\n")
    assert cut.instruction.endswith(QUESTION)
    assert cut.example == row.example
    for text, part in zip(texts, cut.material, strict=True):
        assert cut.instruction[part.offset : part.offset + part.end - part.start] == text[part.start : part.end]
    places = {part.doc_id: part for part in cut.material}
    for item in cut.example.evidence:
        part = places[item.doc_id]
        assert part.start <= item.start
        assert item.end <= part.end
        shown = part.offset + item.start - part.start
        assert cut.instruction[shown : shown + len(item.quote)] == item.quote


@settings(max_examples=50, deadline=None)
@given(rows(), st.integers(1, 200))
def test_a_row_is_refused_only_where_its_evidence_alone_does_not_fit(texts_and_row, max_tokens):
    texts, row = texts_and_row
    without = [
        " ".join(i.quote for i in row.example.evidence if i.doc_id == f"d{number}") for number in range(len(texts))
    ]
    least = words(mixed(without, []).instruction) + words(ANSWER)
    assert (cut_to_fit(row, max_tokens, words) is None) == (least > max_tokens)


def test_a_row_that_fits_stays_as_it_is():
    row = mixed(["one two three"], [])
    assert cut_to_fit(row, 100, words) == replace(row, num_tokens=words(row.instruction) + words(ANSWER))


def test_nearly_all_of_the_room_is_used():
    text = " ".join(f"word{n}" for n in range(10_000))
    start = text.index("word5000")
    cut = cut_to_fit(mixed([text], [(0, start, start + 8)]), 1_000, words)
    assert 980 <= cut.num_tokens <= 1_000


def test_cuts_fall_on_white_space():
    text = " ".join(f"word{n}" for n in range(1_000))
    start = text.index("word500")
    part = cut_to_fit(mixed([text], [(0, start, start + 7)]), 100, words).material[0]
    assert text[part.start - 1] == " "
    assert text[part.end - 1] == " "


def test_the_evidence_stands_in_different_places_of_different_rows():
    text = " ".join(f"word{n}" for n in range(10_000))
    start = text.index("word5000")
    places = []
    for number in range(50):
        cut = cut_to_fit(mixed([text], [(0, start, start + 8)], f"{number:016x}"), 1_000, words).material[0]
        places.append((start - cut.start) / (cut.end - cut.start))
    assert min(places) < 0.1
    assert max(places) > 0.9


def test_a_document_without_evidence_keeps_its_beginning():
    text = " ".join(f"word{n}" for n in range(1_000))
    assert cut_to_fit(mixed([text], []), 100, words).material[0].start == 0


def test_a_short_example_that_is_too_long_is_refused():
    row = MixedExample("one two three", "four", 0, (), Example("00", "short", "one two three", "four"))
    assert cut_to_fit(row, 3, words) is None


def test_sentences_are_whole_where_one_fits():
    text = " ".join(f"Sentence {n} has six words altogether." for n in range(1_000))
    start = text.index("Sentence 500")
    part = cut_to_fit(mixed([text], [(0, start, start + 12)]), 100, words).material[0]
    assert text[part.start :].startswith("Sentence ")
    assert text[: part.end].rstrip().endswith("altogether.")


def test_a_text_without_white_space_is_cut_all_the_same():
    text = "東" * 5_000
    cut = cut_to_fit(mixed([text], [(0, 2_000, 2_010)]), 1_000, len)
    assert 900 <= cut.num_tokens <= 1_000


def test_evidence_outside_the_material_is_our_fault():
    row = mixed(["one two three"], [(0, 0, 3)])
    outside = replace(row, material=(replace(row.material[0], start=1, offset=row.material[0].offset + 1),))
    with pytest.raises(ValueError, match="outside its material"):
        cut_to_fit(outside, 100, words)
