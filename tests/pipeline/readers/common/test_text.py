import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.common import text
from pipeline.readers.common.clean import clean, garbage_ratio, join_pages
from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.common.sections import find_sections

ANY_TEXT = st.text(
    st.characters() | st.sampled_from("\ufffe\n\r\x00 \u202e\ud83d\ude00\ufb01\u0301\u00a0"), max_size=200
)


def read(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return text.read(path, lambda num_pages: None)


@given(ANY_TEXT)
def test_cleaning_a_second_time_changes_nothing(dirty):
    assert clean(clean(dirty)) == clean(dirty)


@given(ANY_TEXT)
def test_clean_text_is_valid_nfc_without_controls(dirty):
    cleaned = clean(dirty)

    cleaned.encode("utf-8")
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not any(unicodedata.category(char) == "Cc" and char not in "\n\t" for char in cleaned)


@pytest.mark.parametrize(
    ("dirty", "cleaned"),
    [
        ("pro\ufffegram", "program"),
        ("pro\ufffe\r\ngram", "program"),
        ("\ud83d\ude00 and \ud83d alone", "\U0001f600 and  alone"),
        ("ef\ufb01cient \ufb04", "efficient ffl"),
        ("a\x00b\u202ec\u200bd\U000e0041e\ufefff", "abcdef"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a  \n\n\n\n\n\nb\t\n", "a\n\n\nb"),
        ("e\u0301", "é"),
        ("1\u00a0000\u202f000", "1 000 000"),
        ("x²", "x²"),
    ],
)
def test_cleaning_takes_what_no_one_sees(dirty, cleaned):
    assert clean(dirty) == cleaned


@given(st.lists(ANY_TEXT, max_size=6))
def test_pages_start_where_their_offsets_say(pages):
    joined, offsets = join_pages(pages)

    assert len(offsets) == len(pages)
    assert all(joined.startswith(clean(page), offset) for page, offset in zip(pages, offsets, strict=True))
    assert list(offsets) == sorted(offsets)


def test_a_sentence_that_runs_over_the_page_is_not_broken():
    assert join_pages(["It goes", "on. New", "Start"])[0] == "It goes\non. New\n\nStart"


def test_garbage_is_told_from_text():
    assert garbage_ratio("Ein schöner Text — mit ⟨Zeichen⟩") == 0
    assert garbage_ratio("\ue000\ufffd\x01x") == 0.75
    assert garbage_ratio("") == 0


def test_sections_nest_and_reach_to_the_next_of_their_level():
    source = "front\n## A\none\n### B\ntwo\n```\n## no heading\n```\n## C\nthree"

    sections = find_sections(source)

    assert [section.path for section in sections] == [("A",), ("A", "B"), ("C",)]
    assert source[sections[0].start : sections[0].end] == "## A\none\n### B\ntwo\n```\n## no heading\n```\n"
    assert source[sections[2].start : sections[2].end] == "## C\nthree"


GUTENBERG = """The Project Gutenberg eBook of A Tale

Title: A Tale
       of Two Lines
Author: Someone
Language: English

*** START OF THE PROJECT GUTENBERG EBOOK A TALE ***

CHAPTER I: THE BEGINNING

It was a day on which nothing happened that would be worth a sentence, and
yet this sentence goes on over the line.

  A verse stays
  as it is.

CHAPTER II

The end.

*** END OF THE PROJECT GUTENBERG EBOOK A TALE ***

Licence and more licence.
"""


def test_gutenbergs_wrapping_goes_and_its_fields_and_chapters_stay(tmp_path):
    reading = read(tmp_path / "tale.txt", GUTENBERG)

    assert (reading.title, reading.authors, reading.language) == ("A Tale of Two Lines", ("Someone",), "en")
    assert reading.text.startswith(
        "## CHAPTER I: THE BEGINNING\n\nIt was a day on which nothing happened that would be"
    )
    assert "sentence, and yet this sentence" in reading.text
    assert "  A verse stays\n  as it is." in reading.text
    assert reading.text.endswith("## CHAPTER II\n\nThe end.")


SAMPLE = (
    "Größe, Maß und Übermut: ein längerer Satz, damit man die Kodierung daran "
    "erkennen kann. Später mehr dazu, Herr Müller! "
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_the_encoding_is_found(tmp_path, encoding):
    assert "Übermut" in read(tmp_path / "a.txt", (SAMPLE * 20).encode(encoding)).text


def test_binary_data_is_no_text(tmp_path):
    with pytest.raises(UnreadableError, match="encoding"):
        read(tmp_path / "a.txt", bytes(range(256)) * 100)


def test_markdown_keeps_its_lines(tmp_path):
    assert read(tmp_path / "a.md", "# Title\n\n- one\n- two\n").text == "# Title\n\n- one\n- two"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-32"])
def test_wide_encodings_are_found_without_a_mark(tmp_path, encoding):
    assert "Übermut" in read(tmp_path / "a.txt", (SAMPLE * 20).encode(encoding)).text


def test_a_text_cut_within_its_last_letter_is_still_utf_8(tmp_path):
    reading = read(tmp_path / "a.txt", (SAMPLE * 20 + "ü").encode()[:-1])

    assert reading.text.endswith("Herr Müller!")
    assert reading.reader == "text (utf-8)"


def test_a_word_divided_at_its_hyphen_is_whole_and_a_gap_stays(tmp_path):
    block = "This line is long enough to be taken for a wrapped one, an after-\nlecture talk of pre- and post-war days."

    assert read(tmp_path / "a.txt", block).text.endswith("an after-lecture talk of pre- and post-war days.")


def test_the_credits_of_gutenbergs_volunteers_go(tmp_path):
    source = GUTENBERG.replace("\nCHAPTER I:", "\nProduced by A. Volunteer\nand others\n\n\nCHAPTER I:")

    assert read(tmp_path / "a.txt", source).text.startswith("## CHAPTER I: THE BEGINNING")


@pytest.mark.parametrize(
    ("hidden", "is_told"),
    [("\U000e0041", True), ("\u202e" * 12, True), ("\u200b" * 20, True), ("\u2060" * 5, False), ("\u00ad" * 99, False)],
)
def test_unseen_characters_go_and_are_told_when_they_are_many(tmp_path, hidden, is_told):
    reading = read(tmp_path / "a.txt", f"some {hidden}text")

    assert reading.text == "some text"
    assert reading.warnings == ((f"{len(hidden)} characters that no one sees left out",) if is_told else ())


def test_a_text_of_blanks_is_refused(tmp_path):
    with pytest.raises(UnreadableError, match="empty: no text, only blanks"):
        read(tmp_path / "a.txt", " \n\u200b\n")


LINES = st.lists(
    st.sampled_from(["# A", "## B", "### C ", "###### F", "text", "", "```", "#no", "####### G", "# "]), max_size=30
)


@given(LINES)
def test_sections_are_exact_nested_and_in_order(lines):
    source = "\n".join(lines)
    sections = find_sections(source)

    starts = [section.start for section in sections]
    assert starts == sorted(set(starts))
    for section in sections:
        heading = source[section.start : section.end].split("\n", 1)[0]
        assert heading.lstrip("#").strip() == section.path[-1]
        above = [other for other in sections if other.start < section.start < other.end]
        assert tuple(other.path[-1] for other in above) == section.path[:-1]
        assert all(section.end <= other.end for other in above)
        assert section.end == len(source) or source[section.end] == "#"
