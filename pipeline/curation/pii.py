"""Find e-mail addresses, telephone numbers and secrets in a text, and mask them without moving a character.

A mask has as many characters as what it hides, and every offset into the text stays valid: pages, sections, tagged
figures, and the evidence that is found later.

Source  secrets: the patterns of detect-secrets, those of its detectors that look for a form. Its detectors of high
        entropy and of words like 'password' are left out: in prose and in tables of figures they find little else
        than false alarms.
"""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

MASK = "X"
LEFT_OUT = {"Public IP (ipv4)", "Base64 High Entropy String", "Hex High Entropy String", "Secret Keyword"}
EMAIL = re.compile(
    r"(?<![\w.+-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,24}\b"
)
PHONE = re.compile(
    r"(?<![\w.,/+-])(?:"
    r"\+\d{1,3}[ .-]?(?:\(0?\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]?\d{2,4}){2,4}"  # international
    r"|(?:1[ .-])?\(\d{3}\)[ ]?\d{3}[-. ]\d{4}"  # (202) 555-0143
    r"|(?:1[ .-])?\d{3}-\d{3}-\d{4}"  # 202-555-0143
    r")(?![\w-]|[.,]\d)"
)
PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[^-]{0,20000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s]{0,20000})"
)
HINT = re.compile(r"[A-Za-z0-9_+/=-]{16}|://|\bAP?K?C?[A-Za-z0-9]{8}")  # a line without any of these holds no secret

Found = tuple[str, int, int]  # kind, start and end


def find_private(text: str, kinds: tuple[str, ...]) -> list[Found]:
    """Find e-mail addresses, telephone numbers and secrets, in the order of the text.

    Args:
        text: Any text.
        kinds: Which of 'email', 'phone' and 'secret' to look for; the kind of a secret goes on as in 'secret AWS
        Access Key'.
    """
    found: list[Found] = []
    if "email" in kinds and "@" in text:
        found += [("email", *match.span()) for match in EMAIL.finditer(text)]
    if "phone" in kinds:
        found += [("phone", *match.span()) for match in PHONE.finditer(text)]
    if "secret" in kinds:
        found += find_secrets(text)
    return sorted(set(found), key=lambda item: item[1:])


def find_secrets(text: str) -> Iterator[Found]:
    """Yield the secrets of a text: private keys with their bodies, others line by line."""
    for match in PRIVATE_KEY.finditer(text):
        yield "secret Private Key", *match.span()
    start = 0
    for line in text.split("\n"):
        if HINT.search(line):
            yield from ((kind, start + first, start + last) for kind, first, last in secrets_in_line(line))
        start += len(line) + 1


def secrets_in_line(line: str) -> Iterator[Found]:
    """Yield the secrets of a line. A match without a digit is a word; some detectors check more."""
    for kind, detector in detectors():
        for pattern in detector.denylist:
            for match in pattern.finditer(line):
                has_digit = any(character.isdigit() for character in match[0]) or kind == "Basic Auth Credentials"
                if has_digit and any(detector.analyze_string(match[0])):
                    yield f"secret {kind}", *match.span()


@cache
def detectors() -> tuple[tuple[str, Any], ...]:
    """Return the detectors by name."""
    classes = get_mapping_from_secret_type_to_class()
    return tuple((name, classes[name]()) for name in sorted(classes) if name not in LEFT_OUT | {"Private Key"})


def mask(text: str, found: list[Found]) -> str:
    """Replace each range by as many 'X'; line ends stay."""
    pieces: list[str] = []
    done = 0
    for _, start, end in found:
        if end > done:
            hidden = text[max(start, done) : end]
            pieces += [text[done : max(start, done)], re.sub(r"[^\n]", MASK, hidden)]
            done = end
    return "".join([*pieces, text[done:]])


def list_kinds(found: list[Found]) -> str:
    """Return '2 email, 1 secret AWS Access Key'."""
    counts = Counter(kind for kind, _, _ in found)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
