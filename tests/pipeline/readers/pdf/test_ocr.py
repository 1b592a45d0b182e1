import io
from collections import Counter
from pathlib import Path

import pypdfium2
import pytest
import yaml
from reportlab.lib.utils import ImageReader

from pipeline.errors import InputError
from pipeline.extract import ExtractParams, make_options
from pipeline.readers.common.reading import Options
from pipeline.readers.pdf.lines import Piece
from pipeline.readers.pdf.ocr import is_installed, join_into_lines
from pipeline.readers.sandbox import Sandbox
from pipeline.readers.worker import Limits
from tests.pipeline.readers.pdf.pdf_pages import WORDS, canvas, paragraph, read, table

ROOT = Path(__file__).parents[4]
WITH_OCR = Options(layout=True, ocr=True, ocr_cpu_seconds_per_page=20)
LIMITS = Limits(
    cpu_seconds=20, cpu_seconds_per_page=0.5, wall_seconds=600, memory_bytes=1_500_000_000, max_text_bytes=1_000_000
)


@pytest.fixture
def scan(tmp_path):
    """A page of text, one of which there is only a picture, and an empty one."""
    page = canvas(tmp_path / "text.pdf")
    y = paragraph(page, f"The council says that {WORDS}. " * 3, 72, 700, 400)
    table(page, [("Net sales", "32,765", "31,657"), ("Costs", "7,602", "6,626"), ("Income", "5,363", "4,869")], y - 20)
    page.save()
    picture = io.BytesIO()
    pypdfium2.PdfDocument(tmp_path / "text.pdf")[0].render(scale=150 / 72).to_pil().save(picture, "PNG")
    page = canvas(tmp_path / "scan.pdf")
    paragraph(page, f"First {WORDS}.", 72, 700, 400)
    page.showPage()
    page.drawImage(ImageReader(picture), 0, 0, 612, 792)
    page.showPage()
    page.rect(1, 1, 2, 2)
    page.save()
    return tmp_path / "scan.pdf"


def test_pages_without_text_are_counted_when_they_are_not_to_be_recognised(scan):
    assert read(scan).warnings == ("2 pages without text",)


@pytest.mark.slow
def test_scanned_pages_are_recognised_within_the_limits_of_the_sandbox(scan, tmp_path):
    if not is_installed():
        pytest.skip("rapidocr and onnxruntime are not installed: pip install 'longalpaca[ocr]'")
    (tmp_path / "lock").touch()
    with Sandbox(LIMITS, tmp_path / "lock", WITH_OCR) as box:
        reading = box.read(scan).reading

    second = reading.text[reading.page_offsets[1] : reading.page_offsets[2]]
    wanted = Counter(f"The council says that {WORDS}. ".split() * 3)
    assert reading.reader == "pypdfium2, rapidocr"
    assert reading.warnings == ("1 pages without text", "1 pages read by recognition")
    assert (wanted & Counter(second.split())).total() >= 0.95 * wanted.total()
    assert "| Costs     |  7,602 |  6,626 |" in second


def test_recognition_without_its_library_is_a_fault_of_the_input(monkeypatch):
    monkeypatch.setattr("pipeline.extract.is_installed", lambda: False)
    section = yaml.safe_load((ROOT / "params.yaml").read_text())["extract"]

    with pytest.raises(InputError, match=r"pip install 'longalpaca\[ocr\]'"):
        make_options(ExtractParams(**section | {"ocr": True}))


def test_pieces_at_one_height_make_a_line_from_left_to_right():
    pieces = [(Piece("right", 200, 260), 700.5, 12.0), (Piece("left", 72, 120), 700.0, 12.0)]
    pieces += [(Piece("below", 72, 120), 680.0, 12.0)]

    assert [[piece.text for piece in line.pieces] for line in join_into_lines(pieces)] == [["left", "right"], ["below"]]
