"""pypdf's view of a PDF, for the pages on which PDFium fails."""

from io import BytesIO
from pathlib import Path

import pypdf

from pipeline.readers.common.reading import UnreadableError
from pipeline.readers.pdf.layers import find_hidden_layers


class PypdfDocument:
    """A file, opened by pypdf only when it is needed."""

    def __init__(self, path: Path) -> None:
        """Remember the file."""
        self.path = path
        self.reader: pypdf.PdfReader | None = None

    def open(self) -> pypdf.PdfReader:
        """Return the open file."""
        if self.reader is None:
            self.reader = pypdf.PdfReader(BytesIO(self.path.read_bytes()))
            if self.reader.is_encrypted and not self.reader.decrypt(""):
                raise UnreadableError("encrypted", "it needs a password")
        return self.reader

    def num_pages(self) -> int:
        """Return the number of pages.

        Raises:
            UnreadableError: pypdf cannot open the file either.
        """
        try:
            return len(self.open().pages)
        except UnreadableError:
            raise
        except Exception as error:
            raise UnreadableError("broken", f"no PDF that can be opened: {type(error).__name__}: {error}") from error

    def text(self, index: int) -> str | None:
        """Return the text of a page, None if it cannot be read."""
        try:
            return self.open().pages[index].extract_text()
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (as above)
            return None

    def hidden_layers(self) -> frozenset[str]:
        """Return the names of the layers that are switched off; none if the file's structure cannot be read."""
        try:
            return find_hidden_layers(self.open())
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 (as above)
            return frozenset()

    def metadata(self) -> dict[str, str]:
        """Return the information dictionary of the file."""
        try:
            return {str(name).lstrip("/"): str(value) for name, value in (self.open().metadata or {}).items()}
        except Exception:  # noqa: BLE001 (as above)
            return {}
