"""Why a download failed, and whether another attempt may help."""


class DownloadError(Exception):
    """A document could not be downloaded. Reports count by `kind`; `reason` is for people."""

    def __init__(self, kind: str, reason: str) -> None:
        """Describe the error; `kind` is a few words that hold for every case."""
        super().__init__(f"{kind}: {reason}" if reason else kind)
        self.kind = kind
        self.reason = reason


class TransientError(DownloadError):
    """An error that may not happen again; the next attempt resumes where this one broke off."""

    def __init__(self, kind: str, reason: str, wait: float | None = None) -> None:
        """Describe the error; `wait` is the Retry-After of the server in seconds, if it sent one."""
        super().__init__(kind, reason)
        self.wait = wait


class HostDownError(TransientError):
    """A host that cannot be connected to."""
