"""The exception for a request without a usable reply."""

from pipeline.rejections import Reason


class RefusedError(Exception):
    """A request without a usable reply; the reason goes into the row of its example."""

    def __init__(self, kind: str, detail: str = "") -> None:
        """Say why, as `Reason` does."""
        self.reason = Reason(kind, detail)
        super().__init__(str(self.reason))
