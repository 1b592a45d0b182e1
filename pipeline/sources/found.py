"""What a finder yields: a source, or the reason to skip what it found."""

from dataclasses import dataclass

from pipeline.downloads.sources_file import Source


@dataclass(frozen=True)
class Skip:
    """An entry of a catalogue that is skipped; the report counts reasons."""

    reason: str


Found = Source | Skip
