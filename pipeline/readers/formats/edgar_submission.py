"""A full submission to EDGAR: an SGML text around the documents of a filing."""

import re

from pipeline.readers.formats.format import Format, Read, Sample

START = re.compile(
    rb"\s*(?:-----BEGIN PRIVACY-ENHANCED MESSAGE-----|<(?:SEC-DOCUMENT|IMS-DOCUMENT|SEC-HEADER|SUBMISSION)>"
    rb"|<DOCUMENT>\s*<TYPE>)"
)


def is_submission(sample: Sample) -> bool:
    """Say whether a file begins like a submission, and not like a page that shows one."""
    return START.match(sample.text_start) is not None


def load() -> Read:
    """Import the readers of what submissions hold."""
    from pipeline.readers.html.edgar_submission import read

    return read


FORMAT = Format(
    name="edgar submission",
    media_type="text/x-edgar-submission",
    suffixes={},
    priority=115,
    recognises=is_submission,
    load=load,
)
