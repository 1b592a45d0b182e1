"""What a finder yields: a source, or why something that was found is none."""

from dataclasses import dataclass

from pipeline.downloads.sources_file import Source


@dataclass(frozen=True)
class Skip:
    """Something that a catalogue lists and a finder leaves out; the reason is counted."""

    reason: str


Found = Source | Skip
