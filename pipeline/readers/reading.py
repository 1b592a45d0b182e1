"""What a reader returns, and how it says that it cannot."""

from collections.abc import Callable
from dataclasses import dataclass

Allow = Callable[[int], None]  # called with the number of pages once it is known: more pages may take more time


@dataclass(frozen=True)
class Reading:
    """The text of a file and what the file says about itself."""

    text: str  # cleaned Markdown
    reader: str  # the libraries that read it
    num_pages: int | None = None  # None where the format has no pages
    page_offsets: tuple[int, ...] = ()  # where each page starts in `text`, in characters
    title: str = ""
    authors: tuple[str, ...] = ()
    date: str = ""  # ISO 8601
    language: str = ""  # ISO 639-1
    warnings: tuple[str, ...] = ()


class UnreadableError(Exception):
    """A file that cannot be read: `kind` is what is counted, `reason` is for people."""

    def __init__(self, kind: str, reason: str) -> None:
        """Describe the fault, in `kind` by one of a few words."""
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
