"""Decide by its licence whether a document may be used."""

UNKNOWN = {"", "unknown", "noassertion", "other", "none"}


def is_unknown(licence: str) -> bool:
    """Tell whether a licence is unknown."""
    return licence.strip().lower() in UNKNOWN


def licence_rejection(licence: str, allowed: list[str], *, publishing: bool) -> str:
    """Return the reason to refuse a licence, '' without one.

    Args:
        licence: An SPDX identifier, or a word for unknown.
        allowed: The identifiers that are allowed; case does not matter.
        publishing: Whether the result will be published. Only then is an unknown licence refused.
    """
    if is_unknown(licence):
        return "unknown licence: for private use only" if publishing else ""
    if licence.strip().lower() not in {name.lower() for name in allowed}:
        return f"licence not allowed: {licence}"
    return ""
