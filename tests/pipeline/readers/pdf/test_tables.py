import pytest

from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, find_tables, paragraph, read, table

ROWS = [("Net sales", "32,765", "31,657"), ("Cost of sales", "7,602", "16,055"), ("Net income", "(547)", "—")]


@pytest.fixture
def page(tmp_path):
    """A page to draw on; `page.read()` reads it."""
    page = canvas(tmp_path / "page.pdf")
    page.read = lambda: (page.save(), read(tmp_path / "page.pdf").text)[1]
    return page


def test_figures_of_different_width_share_a_column_that_a_narrow_head_stands_beside(page):
    """The head is narrower than the figures, and does not touch the shorter ones."""
    page.setFont("Helvetica", 10)
    for right, year in ((341, "2018"), (441, "2017")):
        page.drawRightString(right, 662, year)
    table(page, [("Sales in all of the years", "132,765,900", "131,657,000"), *ROWS], 650)

    assert find_tables(page.read()) == [
        ["", "2018", "2017"],
        ["Sales in all of the years", "132,765,900", "131,657,000"],
        ["Net sales", "32,765", "31,657"],
        ["Cost of sales", "7,602", "16,055"],
        ["Net income", "(547)", "—"],
    ]


def test_heads_of_several_lines_are_joined_whatever_order_the_file_has_them_in(page):
    page.setFont("Helvetica", 10)
    for right, words in ((350, ("Net", "Sales")), (450, ("Operating", "Income"))):
        for number, word in enumerate(words):
            page.drawRightString(right, 680 - 12 * number, word)
    table(page, ROWS, 650)

    assert find_tables(page.read())[0] == ["", "Net Sales", "Operating Income"]


def test_a_head_over_two_columns_stands_in_both(page):
    page.setFont("Helvetica", 10)
    for middle, head in ((300, "Three months"), (480, "Nine months")):
        page.drawCentredString(middle, 674, head)
    rows = [("", "2018", "2017", "2018", "2017")]
    rows += [(label, one, two, two, one) for label, one, two in ROWS]
    table(page, rows, 662, rights=(280, 340, 460, 520))

    assert find_tables(page.read())[0] == [
        "",
        "Three months 2018",
        "Three months 2017",
        "Nine months 2018",
        "Nine months 2017",
    ]


def test_the_mark_of_a_note_in_a_head_does_not_make_it_a_row(page):
    page.setFont("Helvetica", 10)
    for y, words in ((674, ("Shares", "Price")), (662, ("(1)", "paid"))):
        for right, word in zip((350, 450), words, strict=True):
            page.drawRightString(right, y, word)
    page.drawString(72, 662, "Period")
    table(page, ROWS, 650)

    assert find_tables(page.read())[:2] == [["Period", "Shares (1)", "Price paid"], ["Net sales", "32,765", "31,657"]]


def test_a_label_that_takes_two_lines_is_one(page):
    rows = [*ROWS, ("Adjustments to net income that lead to cash",), ("provided by operations", "12", "13")]
    table(page, rows, 650)

    assert find_tables(page.read())[-1] == [
        "Adjustments to net income that lead to cash provided by operations",
        "12",
        "13",
    ]


def test_a_second_table_below_the_first_has_heads_of_its_own(page):
    y = table(page, [("(Millions)", "2018", "2017"), *ROWS], 650)
    table(page, [("(Shares)", "May", "June", "July"), *[(*row, "9") for row in ROWS]], y, rights=(300, 400, 500))

    rows = find_tables(page.read())

    assert rows[:2] == [["(Millions)", "2018", "2017"], ["Net sales", "32,765", "31,657"]]
    assert rows[4:6] == [["(Shares)", "May", "June", "July"], ["Net sales", "32,765", "31,657", "9"]]


def test_figures_that_stand_close_together_are_parted(page):
    page.setFont("Helvetica", 10)
    for number, (label, one, two) in enumerate([*ROWS, ("Total", "22.4 %", "1,672")]):
        page.drawString(72, 650 - 12 * number, label)
        page.drawRightString(350, 650 - 12 * number, one)
        page.drawRightString(390, 650 - 12 * number, two)
        if label == "Total":
            page.drawString(353, 650 - 12 * number, "$")

    assert find_tables(page.read())[-1] == ["Total", "22.4 %", "$ 1,672"]


def test_labels_of_groups_stay_in_the_table_even_if_they_are_bold(page):
    y = table(page, [("(Millions)", "2018", "2017"), *ROWS], 650)
    page.setFont("Helvetica-Bold", 10)
    page.drawString(72, y, "Investing Activities")
    table(page, ROWS, y - 12)

    rows = find_tables(page.read())

    assert rows[4:6] == [["Investing Activities", "", ""], ["Net sales", "32,765", "31,657"]]


def test_a_line_below_a_table_is_not_of_it(page):
    y = table(page, [("(Millions)", "2018", "2017"), *ROWS], 650)
    paragraph(page, "The accompanying Notes are part of this statement.", 72, y - 12, 400)

    text = page.read()

    assert len(find_tables(text)) == 4
    assert text.endswith("\n\nThe accompanying Notes are part of this statement.")


def test_contents_with_leaders_are_no_table(page):
    rows = [(f"{number}. Section {'. ' * 30}", str(number)) for number in range(1, 6)]
    table(page, rows, 650)

    text = page.read()

    assert "|" not in text
    assert text.startswith("1. Section ... 1\n2. Section ... 2")


def test_where_a_row_would_put_two_figures_into_one_column_the_lines_stay(page):
    page.setFont("Helvetica", 10)
    for number, places in enumerate([(250, 350), (250, 350), (250, 350), (235, 265)]):
        page.drawString(72, 650 - 12 * number, f"Row {number}")
        for place in places:
            page.drawCentredString(place, 650 - 12 * number, "12,345,678" if number < 3 else "9")

    text = page.read()

    assert "Row 3" in text
    assert ["Row 3", "9 9", ""] not in find_tables(text)


def test_prose_with_years_is_no_table(page):
    paragraph(page, f"In 2018 and 2017 {WORDS}. " * 6, 72, 700, 400)

    assert "|" not in page.read()


def test_headers_set_aslant_are_above_the_columns_where_they_begin(page):
    page.setFont("Helvetica", 10)
    for middle, group in ((276, "Plain"), (396, "Tuned")):
        page.drawCentredString(middle, 712, group)
    page.drawString(72, 662, "Model")
    for left, word in ((232, "Procedure"), (292, "Completion"), (352, "Procedure"), (412, "Completion")):
        page.saveState()
        page.translate(left, 662)
        page.rotate(45)
        page.drawString(0, 0, word)
        page.restoreState()
    rows = [(name, "0.87", "0.20", "0.80", "0.00") for name in ("Small", "Middle", "Large")]
    table(page, rows, 645, rights=(250, 310, 370, 430))
    assert find_tables(page.read())[0] == [
        "Model",
        "Plain Procedure",
        "Plain Completion",
        "Tuned Procedure",
        "Tuned Completion",
    ]


def test_a_lone_period_heads_all_columns_and_a_unit_in_the_middle_belongs_to_all(page):
    page.setFont("Helvetica", 10)
    page.drawCentredString(400, 690, "Year Ended")
    for right, date in ((320, "Jan 26, 2025"), (420, "Jan 28, 2024"), (520, "Jan 29, 2023")):
        page.drawRightString(right, 678, date)
    page.drawCentredString(395, 666, "(In millions)")
    table(page, [(*row, "138") for row in ROWS], 650, rights=(320, 420, 520))
    dates = ["Year Ended Jan 26, 2025", "Year Ended Jan 28, 2024", "Year Ended Jan 29, 2023"]
    assert find_tables(page.read())[0] == ["(In millions)", *dates]


def test_a_row_of_labels_in_several_columns_of_words_is_no_header(page):
    rights = (310, 370, 430, 490)
    heads = ("First", "Second", "Third", "Fourth")
    rows = [
        ("Task", *heads),
        ("Clustering", "", "", "", ""),
        *((name, *("0.5",) * 4) for name in ("In 2D", "In 3D", "All")),
    ]
    for number, topic in enumerate(("Topic", "Proteomics", "Easy", "Normal", "Hard")):
        page.setFont("Helvetica", 10)
        page.drawString(72, 674 - 14 * number, topic)
        table(page, [rows[number]], 674 - 14 * number, label=160, rights=rights)
    found = find_tables(page.read())
    assert found[0] == ["Topic", "Task", *heads]
    assert found[1] == ["Proteomics", "Clustering", "", "", "", ""]


def test_a_header_with_a_rule_below_it_is_over_the_columns_that_the_rule_covers(page):
    """Centred over three columns it is above the second alone; the rule below it says that it is over all of them."""
    page.setFont("Helvetica", 10)
    page.drawCentredString(385, 686, "Net sales of the year")
    page.line(300, 683, 470, 683)
    page.drawCentredString(520, 686, "Staff")
    page.line(490, 683, 545, 683)
    rows = [("", "2018", "2017", "2016", "2018"), *[(*row, "7", "8") for row in ROWS]]
    table(page, rows, 670, rights=(330, 400, 470, 545))

    header = find_tables(page.read())[0]

    assert header == ["", *[f"Net sales of the year {year}" for year in (2018, 2017, 2016)], "Staff 2018"]


def test_rows_of_words_below_the_rule_of_the_labels_are_no_header(page):
    page.setFont("Helvetica", 10)
    for middle, words in ((385, "Asked"), (480, "Found")):
        page.drawCentredString(middle, 674, words)
    page.drawCentredString(385, 662, "for")
    page.drawCentredString(480, 662, "by us")
    page.drawString(72, 662, "Subject")
    for left, right in ((70, 300), (350, 420), (440, 520)):
        page.line(left, 659, right, 659)
    table(page, [("Assets", "", "Consistent"), *ROWS], 647, rights=(400, 500))

    assert find_tables(page.read())[:2] == [["Subject", "Asked for", "Found by us"], ["Assets", "", "Consistent"]]


def test_figures_a_little_lower_than_their_label_are_in_its_row(page):
    y = table(page, [("(Millions)", "2018", "2017"), *ROWS], 650)
    page.drawString(72, y, "Fair value of the assets of the plan")
    page.drawRightString(350, y - 9, "14,803")
    page.drawRightString(450, y - 9, "15,686")

    assert find_tables(page.read())[-1] == ["Fair value of the assets of the plan", "14,803", "15,686"]


def test_the_header_of_the_next_table_is_no_row_of_the_one_before(page):
    y = table(page, [("(Millions)", "2018", "2017"), *ROWS], 650)
    page.setFont("Helvetica-Bold", 10)
    for middle, words in ((330, "Effective"), (430, "Carrying")):
        page.drawCentredString(middle, y, words)
    table(page, [("(Shares)", "Rate", "Value"), *ROWS], y - 12)

    rows = find_tables(page.read())

    assert rows[3] == ["Net income", "(547)", "—"]
    assert rows[4] == ["(Shares)", "Effective Rate", "Carrying Value"]


def test_numbered_equations_are_no_table(page):
    page.setFont("Helvetica", 10)
    for number, equation in enumerate(("a = b + c", "d = e", "f = g h")):
        page.drawString(250, 650 - 14 * number, equation)
        page.drawRightString(520, 650 - 14 * number, f"({number + 4})")

    assert "|" not in page.read()


def test_rates_beside_a_unit_are_headers(page):
    rows = [("(Millions)", "-0.25%", "+0.25%"), ("Plans at home", "31", "(34)"), ("Plans abroad", "21", "(17)")]
    table(page, rows, 650)

    assert find_tables(page.read()) == [list(row) for row in rows]
