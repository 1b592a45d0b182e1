"""Which part of a document is shown where the whole does not fit, and how its tokens are counted."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipeline.dataset.evidence_window import fit_row, sentence_borders
from pipeline.dataset.prompt import Shown, count_row_tokens, write_instruction
from pipeline.records import Document, Evidence, Example, Section
from pipeline.tokenization.token_grid import CUT_CHARACTERS, count_tokens, token_grid
from pipeline.tokenization.tokenizers import load_tokenizer


@pytest.fixture(scope="module")
def tokenizer(word_tokenizer) -> Tokenizer:
    return load_tokenizer(str(word_tokenizer))


def document(num_sections: int, paragraphs: int = 4, sentences: int = 5, name: str = "d") -> Document:
    text, sections = "", []
    for s in range(num_sections):
        body = "\n\n".join(
            " ".join(f"Word{s} of {name} is here for {p} and {n}." for n in range(sentences)) for p in range(paragraphs)
        )
        part = f"## Part {s}\n\n{body}\n\n"
        sections.append(Section((f"Part {s}",), len(text), len(text) + len(part)))
        text += part
    return Document(name, "book", name, text=text, sections=tuple(sections))


def example_of(documents: list[Document], places: list[int], example_id: str = "0") -> Example:
    evidence = []
    for found, place in zip(documents, places, strict=True):
        borders = [border for border in sentence_borders(found.text) if border <= place]
        start = borders[-1]
        evidence.append(Evidence(found.doc_id, start, start + 20, found.text[start : start + 20]))
    ids = tuple(found.doc_id for found in documents)
    return Example(example_id, "t", "What is it?", "It is here.", doc_ids=ids, evidence=tuple(evidence))


def whole(tokenizer: Tokenizer, documents: list[Document]) -> list[Shown]:
    return [Shown(found, (0, len(found.text)), token_grid(tokenizer, found.text)) for found in documents]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_part_fits_holds_its_evidence_and_ends_with_sentences(tokenizer, data) -> None:
    documents = [document(data.draw(st.integers(1, 12)), data.draw(st.integers(1, 6)), name=n) for n in ("d", "e")]
    documents = documents[: data.draw(st.integers(1, 2))]
    places = [data.draw(st.integers(0, len(found.text) - 60)) for found in documents]
    example = example_of(documents, places, str(data.draw(st.integers(0, 9))))
    limit = data.draw(st.integers(120, 2_000))
    fitted = fit_row(tokenizer, example, whole(tokenizer, documents), limit)
    if fitted is None:
        assert limit < 260
        return
    shown, num_tokens = fitted
    instruction, material = write_instruction(example, [(part.document, part.span) for part in shown])
    assert num_tokens == count_tokens(tokenizer, instruction) + count_tokens(tokenizer, example.answer) <= limit
    for part, span in zip(material, example.evidence, strict=True):
        assert part.start <= span.start < span.end <= part.end
        text = next(found.text for found in documents if found.doc_id == part.doc_id)
        assert {part.start, part.end} <= set(sentence_borders(text))
        assert instruction[part.offset : part.offset + part.end - part.start] == text[part.start : part.end]


def test_whole_sections_are_shown_where_they_fill_half_of_the_room(tokenizer) -> None:
    found = document(20)
    example = example_of([found], [len(found.text) // 2])
    (part,), num_tokens = fit_row(tokenizer, example, whole(tokenizer, [found]), 1_500)
    starts = {section.start for section in found.sections} | {len(found.text)}
    assert set(part.span) <= starts
    assert num_tokens > 750


def test_a_section_that_is_too_long_is_parted_at_paragraphs(tokenizer) -> None:
    found = document(1, paragraphs=60)
    example = example_of([found], [len(found.text) // 2])
    (part,), _ = fit_row(tokenizer, example, whole(tokenizer, [found]), 800)
    assert all(border in (0, len(found.text)) or found.text[border - 2 : border] == "\n\n" for border in part.span)


def test_the_evidence_stands_in_different_places_of_different_rows(tokenizer) -> None:
    found = document(40)
    places = []
    for number in range(40):
        example = example_of([found], [len(found.text) // 2], str(number))
        (part,), _ = fit_row(tokenizer, example, whole(tokenizer, [found]), 1_500)
        start = example.evidence[0].start
        places.append((start - part.span[0]) / (part.span[1] - part.span[0]))
    assert min(places) < 0.2
    assert max(places) > 0.8


def test_evidence_that_is_too_wide_is_refused(tokenizer) -> None:
    found = document(40)
    example = example_of([found], [0])
    wide = replace(example, evidence=(*example.evidence, Evidence("d", len(found.text) - 20, len(found.text), "")))
    assert fit_row(tokenizer, wide, whole(tokenizer, [found]), 1_000) is None


@pytest.mark.parametrize(
    "text", ["", "x", "one two  three\n\nfour " * 3_000, "東" * 30_000, "a" * (3 * CUT_CHARACTERS)]
)
def test_a_grid_has_the_tokens_of_the_whole(tiny_tokenizer, text: str) -> None:
    tokenizer = tiny_tokenizer.backend_tokenizer
    grid = token_grid(tokenizer, text)
    assert grid.cuts[-1] == len(text)
    assert grid.tokens[-1] == sum(
        len(tokenizer.encode(text[a:b], add_special_tokens=False))
        for a, b in zip(grid.cuts[:-1], grid.cuts[1:], strict=True)
    )
    if text.startswith("one"):
        assert grid.tokens[-1] == len(tokenizer.encode(text, add_special_tokens=False))


def test_the_tokens_of_a_row_are_those_of_its_words(tiny_tokenizer) -> None:
    tokenizer = tiny_tokenizer.backend_tokenizer
    found = document(60)
    example = example_of([found], [4_000])
    shown = [replace(part, span=(1_000, 40_000)) for part in whole(tokenizer, [found])]
    instruction, _ = write_instruction(example, [(part.document, part.span) for part in shown])
    counted = len(tokenizer.encode(instruction, add_special_tokens=False)) + len(tokenizer.encode(example.answer))
    assert count_row_tokens(tokenizer, example, shown) == counted
