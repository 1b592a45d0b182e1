"""The scorer of olmOCR-bench passes what a page says, and nothing else."""

import json
from pathlib import Path

import pytest
from reportlab.pdfgen.canvas import Canvas

from pipeline.benchmarks.olmocr import measure_olmocr, passes
from pipeline.errors import InputError
from pipeline.extract import ExtractParams

TEXT = (
    "# A title\n\nThe “old” pier — built in 1871.[^1] It fell.\n\n| Name | Year Ended 2024 | 2023 |\n"
    "| --- | ---: | ---: |\n| Sales | 1,200 | 1,100 |\n| Cost | 900 | 800 |\n\nSo $x^{2} + 1$ holds. 62"
)


@pytest.mark.parametrize(
    ("test", "passed"),
    [
        ({"type": "present", "text": 'The "old" pier - built in 1871. It fell.'}, True),
        ({"type": "present", "text": "The new pier"}, False),
        ({"type": "present", "text": "the old pier", "case_sensitive": False, "max_diffs": 2}, True),
        ({"type": "absent", "text": "62"}, False),
        ({"type": "absent", "text": "62", "first_n": 20}, True),
        ({"type": "absent", "text": "Downloaded from"}, True),
        ({"type": "order", "before": "A title", "after": "It fell."}, True),
        ({"type": "order", "before": "It fell.", "after": "A title"}, False),
        ({"type": "table", "cell": "900", "up": "1,200", "right": "800"}, True),
        ({"type": "table", "cell": "900", "left": "Sales"}, False),
        ({"type": "table", "cell": "900", "top_heading": "Year Ended", "left_heading": "Cost"}, True),
        ({"type": "table", "cell": "800", "top_heading": "Year Ended"}, False),
        ({"type": "math", "math": "x^2+1"}, True),
        ({"type": "math", "math": r"\int_0^1 y dy"}, False),
    ],
)
def test_a_test_passes_where_the_page_says_so(test, passed):
    assert passes(test, TEXT) is passed


def test_a_folder_is_scored_and_its_failures_are_named(tmp_path):
    (tmp_path / "pdfs").mkdir()
    page = Canvas(str(tmp_path / "pdfs/a.pdf"))
    page.drawString(72, 700, "The pier was built in 1871.")
    page.save()
    tests = [
        {"pdf": "a.pdf", "page": 1, "id": "a1", "type": "present", "text": "built in 1871"},
        {"pdf": "a.pdf", "page": 2, "id": "a2", "type": "present", "text": "built in 1871"},
    ]
    (tmp_path / "tests.jsonl").write_text("\n\n".join(map(json.dumps, tests)), encoding="utf-8")
    kinds, files = measure_olmocr(ExtractParams.load(Path("params.yaml")), folder=tmp_path)

    assert kinds.rows[-1] == ("all", 2, 1, 50.0)
    assert files.rows == (("a.pdf", 2, 1, "a2"),)


def test_a_folder_without_tests_is_refused(tmp_path):
    with pytest.raises(InputError, match="no test"):
        measure_olmocr(ExtractParams.load(Path("params.yaml")), folder=tmp_path)
