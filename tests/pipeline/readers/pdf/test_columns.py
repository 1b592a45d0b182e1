from itertools import zip_longest

import pytest

from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, find_tables, read, table, wrapped

COLUMNS = {1: (72,), 2: (72, 320), 3: (60, 230, 400)}


def draw(path, number, by_rows):
    """Set a text in columns below a head that crosses them, column by column or row by row; return the text."""
    page = canvas(path)
    left = COLUMNS[number]
    width = 0.9 * (left[1] - left[0]) if number > 1 else 400
    texts = [f"Column {n} begins, {WORDS}, {WORDS}, {WORDS} and column {n} ends." for n in range(number)]
    columns = [wrapped(page, text, width) for text in texts]
    page.setFont("Helvetica", 10)
    page.drawString(60, 740, f"Above the columns {WORDS}.")
    cells = [(x, 700 - 12 * y, line) for x, column in zip(left, columns, strict=True) for y, line in enumerate(column)]
    for x, y, line in sorted(cells, key=lambda cell: (-cell[1], cell[0])) if by_rows else cells:
        page.drawString(x, y, line)
    page.save()
    return [f"Above the columns {WORDS}.", *texts]


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_columns_are_read_one_after_the_other_whatever_order_the_file_has_them_in(tmp_path, number, by_rows):
    expected = draw(tmp_path / "page.pdf", number, by_rows)

    assert read(tmp_path / "page.pdf").text.split() == " ".join(expected).split()


def test_a_table_of_words_is_not_taken_for_columns(tmp_path):
    page = canvas(tmp_path / "page.pdf")
    rows = [(f"Segment {n}", f"{n}.5", f"{n}.7") for n in range(1, 13)]
    table(page, rows, 700)
    page.save()

    assert find_tables(read(tmp_path / "page.pdf").text)[-1] == ["Segment 12", "12.5", "12.7"]


def test_the_last_line_of_a_column_is_parted_from_the_first_of_the_next_at_its_height(tmp_path):
    """Two columns at different heights, as notes below a text are set."""
    page = canvas(tmp_path / "page.pdf")
    page.setFont("Helvetica", 10)
    left, right = (wrapped(page, f"{side} {WORDS} and {side} ends", 200) for side in ("left", "right"))
    for number, line in enumerate(left):
        page.drawString(72, 700 - 12 * number, line)
    for number, line in enumerate(right):
        page.drawString(320, 700 - 12 * (len(left) - 1 + number), line)
    page.save()

    text = " ".join(read(tmp_path / "page.pdf").text.split())

    assert text == f"left {WORDS} and left ends right {WORDS} and right ends"


def test_the_pages_of_real_papers_keep_their_order(shared):
    """The file has them right; what mends others must leave them alone."""
    text = " ".join(read(shared / "corpus" / "papers" / "tracemonkey.pdf").text.split())
    places = [text.index(words) for words in PASSAGES]

    assert places == sorted(places)


PASSAGES = (  # of the paper, in its order: the end of a left column and the start of the right one, page by page
    "client-side web programming",
    "and is used for the application logic",
    "Hence, recording and compiling a trace speculates",
    "In the dark box, TM executes JS as compiled traces",
    "Here is the sequence of events broken down by outer loop iteration",
    "This is the first iteration of the outer loop",
)


def test_no_word_is_lost_by_reading_columns(tmp_path):
    for number, by_rows in ((2, False), (2, True), (3, True)):
        expected = draw(tmp_path / "page.pdf", number, by_rows)
        found = read(tmp_path / "page.pdf").text.split()

        differences = [
            pair for pair in zip_longest(sorted(found), sorted(" ".join(expected).split())) if len(set(pair)) > 1
        ]
        assert differences == []
