"""Plain text and Markdown: whatever no other format has recognised."""

from pipeline.readers.formats.format import Format, Read


def load() -> Read:
    """Import the detection of encodings."""
    from pipeline.readers.common.text import read

    return read


FORMAT = Format(
    name="text",
    media_type="text/plain",
    suffixes={".txt": "text/plain", ".md": "text/markdown", ".markdown": "text/markdown"},
    priority=1_000,
    recognises=lambda _: True,
    load=load,
)
