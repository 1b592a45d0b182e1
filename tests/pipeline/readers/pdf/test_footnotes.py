import pytest

from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, paragraph, read

SIZE = 10.0


@pytest.fixture
def page(tmp_path):
    """A page to draw on; `page.read()` reads it."""
    page = canvas(tmp_path / "page.pdf")
    page.read = lambda: (page.save(), read(tmp_path / "page.pdf").text)[1]
    return page


def line(page, x, y, *parts, size=SIZE):
    """Draw a line whose parts that begin with ^ are raised."""
    text = page.beginText(x, y)
    for part in parts:
        raised = part.startswith("^")
        text.setFont("Helvetica", 0.6 * size if raised else size)
        text.setRise(0.4 * size if raised else 0)
        text.textOut(part.removeprefix("^"))
    page.drawText(text)


def test_a_note_stands_after_the_text_and_its_mark_is_a_reference(page):
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 640, "The reports", "^1", " say what happened.")
    line(page, 72, 100, "^1", "See the report of 2019,", size=8)
    line(page, 72, 90, "page 7.", size=8)

    assert page.read().split("\n\n")[-2:] == [
        "The reports[^1] say what happened.",
        "[^1]: See the report of 2019,\npage 7.",
    ]


def test_a_sentence_that_goes_on_on_the_next_page_is_not_interrupted_by_a_note(page):
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 640, "Mind the star", "^*", " that stands in the")
    line(page, 72, 100, "^*", "A note.", size=8)
    page.showPage()
    paragraph(page, f"middle of a sentence. {WORDS}.", 72, 700, 400)

    text = page.read()

    assert "[^*]: A note.\n\nMind the star[^*] that stands in the\nmiddle of a sentence." in text


def test_notes_that_the_file_has_before_the_text_are_put_after_it(page):
    for number in (1, 2):
        line(page, 72, 110 - 10 * number, f"^{number}", f"Note {number}.", size=8)
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 640, "One", "^1", " and two", "^2", ".")

    assert page.read().endswith("One[^1] and two[^2].\n\n[^1]: Note 1.\n\n[^2]: Note 2.")


def test_an_exponent_does_not_make_another_figure_of_its_base(page):
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 640, "It took 10", "^6", " steps of x", "^2", ".")

    assert page.read().endswith("It took 10^6 steps of x^2.")


def test_a_raised_mark_without_a_note_is_written_as_it_stands(page):
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 640, "The reports", "^3", " say.")

    assert page.read().endswith("The reports3 say.")


def test_a_note_that_begins_with_a_figure_keeps_it(page):
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 640, "He wrote at once", "^561", ".")
    line(page, 72, 100, "^561", "7/5/16 Email to nobody.", size=8)

    assert page.read().endswith("He wrote at once[^561].\n\n[^561]: 7/5/16 Email to nobody.")


def test_a_paragraph_that_ends_with_a_mark_ends(page):
    for number, parts in enumerate([(f"{WORDS} and more", ""), ("that is all of it.", "^1"), ("Then it began.", "")]):
        line(page, 72, 700 - 12 * number, *filter(None, parts))
    line(page, 72, 664, f"{WORDS} again and again.")
    line(page, 72, 100, "^1", "A note.", size=8)

    assert "that is all of it.[^1]\n\nThen it began." in page.read()


def test_a_mark_far_behind_its_word_is_still_a_mark(page):
    line(page, 72, 740, "The retrieval of documents is done with a dense index alone in this work, and a")
    line(page, 72, 727, "severe loss of quality is often seen in practice")
    line(page, 330, 731, "2", size=6)
    paragraph(page, f"{WORDS}.", 72, 700, 400)
    line(page, 72, 100, "^2", "For instance, the score drops from 80 to 40.", size=8)
    assert "practice[^2]" in page.read()
