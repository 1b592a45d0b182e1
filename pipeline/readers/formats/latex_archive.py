"""The source of a paper as arXiv serves it: gzip around one LaTeX file or a tar archive."""

from pipeline.readers.formats.format import Format, Read


def load() -> Read:
    """Import the reader of archives."""
    from pipeline.readers.latex.archive import read

    return read


FORMAT = Format(
    name="latex archive",
    media_type="application/gzip",
    suffixes={".gz": "application/gzip"},
    priority=30,
    recognises=lambda sample: sample.head.startswith(b"\x1f\x8b"),
    load=load,
)
