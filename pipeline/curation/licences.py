"""Say what may be done with a document, by the licence that its source names."""

UNKNOWN = {"", "unknown", "noassertion", "other", "none"}


def is_unknown(licence: str) -> bool:
    """Return whether a licence says nothing."""
    return licence.strip().lower() in UNKNOWN


def licence_fault(licence: str, allowed: list[str], *, publishing: bool) -> str:
    """Return why a licence is refused, '' if it is not.

    Args:
        licence: An SPDX identifier, or a sign that it is not known.
        allowed: The identifiers that are allowed; upper and lower case are alike.
        publishing: Whether the result is to be given to others; a licence that nobody knows is refused then alone.
    """
    if is_unknown(licence):
        return "unknown licence: it may be used in private alone" if publishing else ""
    if licence.strip().lower() not in {name.lower() for name in allowed}:
        return f"licence not allowed: {licence}"
    return ""
