"""Words with a line through them are struck out; underlined words and words beside rules are not."""

import pytest

from tests.pipeline.readers.pdf.pdf_pages import canvas, paragraph, read


@pytest.mark.parametrize(
    ("height", "thickness", "expected"),
    [
        (3.0, 0.6, "The fine is ~~five hundred~~ dollars."),
        (2.6, 1.0, "The fine is ~~five hundred~~ dollars."),
        (-1.2, 0.6, "The fine is five hundred dollars."),  # underlined
        (11.0, 0.6, "The fine is five hundred dollars."),  # a rule above the words
    ],
)
def test_a_line_through_the_middle_of_words_strikes_them_out(tmp_path, height, thickness, expected):
    page = canvas(tmp_path / "a.pdf")
    paragraph(page, "The fine is five hundred dollars.", 72, 700, 400)
    left = 72 + page.stringWidth("The fine is ", "Helvetica", 10)
    page.setLineWidth(thickness)
    page.line(left, 700 + height, left + page.stringWidth("five hundred", "Helvetica", 10), 700 + height)
    page.save()

    reading = read(tmp_path / "a.pdf")

    assert reading.text == expected
    assert ("2 words struck out, kept" in reading.warnings) is ("~~" in expected)


def test_a_thin_rectangle_strikes_words_out_as_well(tmp_path):
    page = canvas(tmp_path / "a.pdf")
    paragraph(page, "two three years", 72, 700, 400)
    page.rect(72, 703, page.stringWidth("two", "Helvetica", 10), 0.5, stroke=0, fill=1)
    page.save()

    assert read(tmp_path / "a.pdf").text == "~~two~~ three years"
