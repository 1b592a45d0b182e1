r"""LaTeX: begins with a command and has a document class, or is called .tex."""

from pipeline.readers.formats.format import Format, Read, Sample
from pipeline.readers.latex.source import is_latex

SUFFIXES = (".tex", ".ltx", ".latex")


def is_latex_source(sample: Sample) -> bool:
    """Say whether a file is the source of a LaTeX document, or is called one."""
    return sample.suffix in SUFFIXES or is_latex(sample.text_start.decode("latin-1"))


def load() -> Read:
    """Import the reader of LaTeX."""
    from pipeline.readers.latex.latex import read

    return read


FORMAT = Format(
    name="latex",
    media_type="text/x-tex",
    suffixes=dict.fromkeys(SUFFIXES, "text/x-tex"),
    priority=120,
    recognises=is_latex_source,
    load=load,
)
