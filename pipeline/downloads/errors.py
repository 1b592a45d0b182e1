"""Why a download failed, and whether another attempt may help."""


class DownloadError(Exception):
    """A document that could not be had: `kind` is what is counted, `reason` is for people."""

    def __init__(self, kind: str, reason: str) -> None:
        """Describe the fault, in `kind` by a few words."""
        super().__init__(f"{kind}: {reason}" if reason else kind)
        self.kind = kind
        self.reason = reason


class PassingError(DownloadError):
    """A fault that may pass: the next attempt goes on where this one broke off."""

    def __init__(self, kind: str, reason: str, wait: float | None = None) -> None:
        """Describe the fault, and the seconds that the server wants to be left alone, if it says so."""
        super().__init__(kind, reason)
        self.wait = wait


class HostDownError(PassingError):
    """A host that cannot be connected to."""
