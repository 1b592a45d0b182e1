"""PDF, by its header anywhere in the first kilobyte, or by its name."""

from pipeline.readers.formats.format import Format, Read, Sample

HEADER_BYTES = 1024  # within which readers of PDF look for the header


def is_pdf(sample: Sample) -> bool:
    """Say whether a file is a PDF, or is called one."""
    return b"%PDF-" in sample.head[:HEADER_BYTES] or sample.suffix == ".pdf"


def load() -> Read:
    """Import PDFium and pypdf."""
    from pipeline.readers.pdf.pdf import read

    return read


FORMAT = Format(
    name="pdf",
    media_type="application/pdf",
    suffixes={".pdf": "application/pdf"},
    priority=10,
    recognises=is_pdf,
    load=load,
)
