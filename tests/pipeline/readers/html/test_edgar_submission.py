"""Of a submission to EDGAR the main document is read; the others are counted."""

import pytest

from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.formats.format import detect_format

HEADER = """<SEC-DOCUMENT>0000-20-1.txt : 20200301
<SEC-HEADER>
CONFORMED SUBMISSION TYPE:	10-K
CONFORMED PERIOD OF REPORT:	20191231
COMPANY CONFORMED NAME:		HARBOUR CO
</SEC-HEADER>
"""
DOCUMENT = "<DOCUMENT>\n<TYPE>{}\n<SEQUENCE>1\n<TEXT>\n{}\n</TEXT>\n</DOCUMENT>\n"
PICTURE = DOCUMENT.format("GRAPHIC", "begin 644 logo.jpg\nM_]C_X``02D9)1@\nend")


def read(path, source):
    path.write_text(source)
    return detect_format(path).load()(path, None)


def test_the_main_document_is_read_and_the_header_names_it(tmp_path):
    exhibit = DOCUMENT.format("EX-99", "An exhibit.")
    main = DOCUMENT.format("10-K", "<html><body><p>Item 1. Business</p><p>We build piers.</p></body></html>")
    reading = read(tmp_path / "a.txt", f"{HEADER}{exhibit}{main}{PICTURE}</SEC-DOCUMENT>")

    assert "We build piers." in reading.text
    assert "exhibit" not in reading.text
    assert (reading.title, reading.authors, reading.date) == (
        "HARBOUR CO, Form 10-K for the period ended 2019-12-31",
        ("HARBOUR CO",),
        "2019-12-31",
    )
    assert reading.warnings[0] == "2 other documents of the submission left out"


def test_a_document_in_plain_text_is_read_as_text(tmp_path):
    reading = read(tmp_path / "a.htm", DOCUMENT.format("S-3", "As filed with the Commission\n<PAGE>\non May 25."))
    assert reading.text == "As filed with the Commission\n\non May 25."


def test_a_submission_of_pictures_is_empty(tmp_path):
    with pytest.raises(UnreadableError, match="empty: none of the 1 documents of the submission is text"):
        read(tmp_path / "a.txt", HEADER + PICTURE)
