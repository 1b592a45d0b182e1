import pytest

from pipeline.benchmarks.evidence.pdf_figures import check_figures, iter_figure_cells
from pipeline.benchmarks.evidence.pdf_words import measure_order, measure_recall, words_in
from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, paragraph, table, wrapped
from tests.pipeline.readers.pdf.test_hidden_text import CANARY, hide


@pytest.fixture
def filing(tmp_path):
    """Three pages with a running head, a table, a divided word and hidden words."""
    page = canvas(tmp_path / "filing.pdf")
    for number in range(3):
        page.setFont("Helvetica", 8)
        page.drawString(72, 760, "Annual report of nobody")
        y = paragraph(page, f"{('Ada', 'Torvin', 'Ruth')[number]} says that {WORDS}. " * 3, 72, 700, 300)
        rows = [(f"Row {name} of {number}", f"{number}1,{n}05", f"{number}2,{n}06") for n, name in enumerate("abcd")]
        table(page, [("(Millions)", "2018", "2017"), *rows], y - 20)
        hide(page, "white")
        page.showPage()
    page.save()
    return tmp_path / "filing.pdf"


def test_words_are_compared_without_hyphens_and_signs():
    assert words_in("The tra-\nces, “local-currency”\ufffe of 3.1") == [
        "the",
        "traces",
        "localcurrency",
        "of",
        "3",
        "1",
    ]


def test_every_word_of_the_other_engine_is_in_the_text_or_was_left_out_on_purpose(filing):
    pages = measure_recall(filing)

    assert [page.page for page in pages] == [1, 2, 3]
    assert {page.recall for page in pages} == {1.0}
    assert {page.num_left_out for page in pages} == {4 + len(CANARY.split())}


def test_a_lost_word_is_missed(filing, monkeypatch):
    monkeypatch.setattr("pipeline.benchmarks.evidence.pdf_words.page_texts", lambda reading: ["Ada says that", "", ""])

    first, second, _ = measure_recall(filing)

    assert first.num_in_text == 3
    assert first.recall < 0.5
    assert second.num_in_text == 0


def columns(path, by_rows):
    page = canvas(path)
    left, right = (
        [f"{side}{n} {line}" for n, line in enumerate(wrapped(page, f"{WORDS} " * 9, 170))] for side in ("l", "r")
    )
    page.setFont("Helvetica", 10)
    cells = [(x, 700 - 12 * n, line) for x, lines in ((72, left), (330, right)) for n, line in enumerate(lines)]
    for x, y, line in sorted(cells, key=lambda cell: -cell[1]) if by_rows else cells:
        page.drawString(x, y, line)
    page.save()
    return path


def test_columns_that_are_read_one_after_the_other_are_in_order(tmp_path):
    (page,) = measure_order(columns(tmp_path / "page.pdf", by_rows=False))

    assert (page.num_columns, page.in_order) == (2, True)
    assert page.num_found == page.num_shingles > 100


def test_columns_that_are_read_across_are_not(tmp_path, monkeypatch):
    """As the text would be if the lines of a page were left as they stand in the file."""
    monkeypatch.setattr("pipeline.readers.pdf.layout.sort_for_reading", lambda lines: lines)

    (page,) = measure_order(columns(tmp_path / "page.pdf", by_rows=True))

    assert page.num_found < 0.8 * page.num_shingles
    assert not page.in_order


def test_figures_are_found_in_their_row_and_column(filing):
    checks = check_figures(filing, count=20, seed=2023)

    assert len(checks) == 20
    assert all(check.row_is_right and check.column_is_right for check in checks)
    assert checks == check_figures(filing, count=20, seed=2023)
    assert checks != check_figures(filing, count=20, seed=2024)


@pytest.mark.parametrize(("change", "right"), [(("2018", "2019"), (True, False)), (("Row a", "Row b"), (False, False))])
def test_a_figure_under_another_head_or_in_another_row_is_not_right(filing, monkeypatch, change, right):
    monkeypatch.setattr(
        "pipeline.benchmarks.evidence.pdf_figures.iter_figure_cells",
        lambda text: [
            cell._replace(label=cell.label.replace(*change), head=cell.head.replace(*change))
            for cell in iter_figure_cells(text)
            if change[0] in cell.label + cell.head
        ],
    )

    checks = check_figures(filing, count=3, seed=1)

    assert {(check.row_is_right, check.column_is_right) for check in checks} == {right}
