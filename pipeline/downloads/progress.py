"""Show the progress of downloads: documents, bytes, rates and time left."""

from types import TracebackType
from typing import Self

from tqdm import tqdm

from pipeline.downloads.downloader import Outcome
from pipeline.downloads.lockfile import Locked


class Progress:
    """A progress bar on a terminal, nothing elsewhere."""

    def __init__(self, num_documents: int) -> None:
        """Expect so many documents."""
        self._bar = tqdm(total=num_documents, desc="fetch", unit="document", disable=None)
        self._num_bytes = 0
        self._num_failed = 0

    def report(self, url: str, outcome: Outcome) -> None:
        """Count one document."""
        del url
        if isinstance(outcome, Locked):
            self._num_bytes += outcome.size
        else:
            self._num_failed += 1
        seconds = self._bar.format_dict["elapsed"] or 1.0
        total, rate = (tqdm.format_sizeof(n, "B") for n in (self._num_bytes, self._num_bytes / seconds))
        self._bar.set_postfix_str(f"{total}, {rate}/s, {self._num_failed} refused", refresh=False)
        self._bar.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()
