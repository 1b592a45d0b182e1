"""Find the encoding of a text that does not name it.

A mark, UTF-8 and zeros decide first. What is left is one byte a character: in a text with the common words of a western
language it is Windows-1252, Mac Roman or code page 850, whichever makes letters, quotes and amounts of its bytes where
these may be; any other text is left to charset-normalizer.
"""

import codecs
import re
from typing import NamedTuple

from charset_normalizer import from_bytes

from pipeline.readers.common.clean import garbage_ratio
from pipeline.readers.common.reading import UnreadableError

BOMS = {  # those of UTF-32 first: they begin like one of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WIDE = {  # which bytes of four are zero in Latin letters
    "utf-16-le": (False, True, False, True),
    "utf-16-be": (True, False, True, False),
    "utf-32-le": (False, True, True, True),
    "utf-32-be": (True, True, True, False),
}
MIN_ZEROS = 0.4  # of these
MAX_UTF8_CHARACTER = 4  # bytes
SAMPLE_BYTES = 200_000  # enough to know an encoding by
MAX_GARBAGE_RATIO = 0.05
MAX_STRAY_RATIO = 0.2  # of the characters beyond ASCII, that are no UTF-8 in a text that is
MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]{1,3}")
WESTERN = ("cp1252", "mac_roman", "cp850")
WORDS = re.compile(rb"(?<![A-Za-z\x80-\xff])[A-Za-z]{2,6}(?![A-Za-z\x80-\xff])")
WESTERN_WORDS = frozenset(  # the commonest of English, French, German, Spanish, Italian, Portuguese, Dutch, Swedish
    b"the of and to in that is was for le la les des et est une dans que pour der die und das den von mit ist nicht "
    b"el los las una por con del che il di per sono os uma com dos het een van och att det som med".split()
)
MIN_WESTERN_WORDS = 0.12  # of all short words
EAST_EUROPEAN_WORDS = frozenset(
    b"nu pe cu si este care sa se na je jest nie do od az es egy hogy ve bir bu ir un kas".split()
)
MAX_HIGH_RATIO = 0.2  # of the bytes, that are beyond ASCII in a text of western letters
CONTEXT = re.compile("(.|^)([\x80-\U0010ffff])(?=(.|$))", re.DOTALL)
LETTERS = frozenset("àâäáãåæçèéêëìíîïñòóôõöøœùúûüýÿßÀÂÄÁÃÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØŒÙÚÛÜÝ")
BEFORE_FIGURES, AFTER_FIGURES = frozenset("£€¥±§№"), frozenset("½¼¾°²³ª%¢€£º")
OPENING, CLOSING, DASHES = frozenset("“‘«„¿¡"), frozenset("”’»…™®"), frozenset("–—·•×")


class Decoded(NamedTuple):
    """The text of a file, its encoding, and how many bytes are no part of that: these are read as Windows-1252."""

    text: str
    encoding: str
    num_stray: int = 0

    @property
    def warnings(self) -> list[str]:
        """What is to be said of it."""
        return [f"{self.num_stray} bytes that are not {self.encoding} read as cp1252"] if self.num_stray else []


def decode(data: bytes) -> Decoded:
    """Return the text of `data` and the encoding that it was in.

    Raises:
        UnreadableError: No encoding makes sense of it, so it is no text.
    """
    found = decode_any(data)
    if garbage_ratio(found.text[:SAMPLE_BYTES]) > MAX_GARBAGE_RATIO:
        raise UnreadableError("encoding", f"binary data: it is no text, not even as {found.encoding}")
    return found


def decode_any(data: bytes) -> Decoded:
    """Return what the likeliest encoding makes of `data`: by its mark, as UTF-8, by its zeros, by its letters."""
    for mark, encoding in BOMS.items():
        if data.startswith(mark):
            return Decoded(data.decode(encoding, "replace"), encoding)
    if encoding := wide_encoding(data[:SAMPLE_BYTES]):
        return Decoded(data.decode(encoding, "replace"), encoding)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError as error:
        if len(data) - error.start < MAX_UTF8_CHARACTER and error.reason == "unexpected end of data":
            return Decoded(data.decode("utf-8", "ignore"), "utf-8")  # cut within its last character
    if found := decode_damaged_utf8(data):
        return found
    sample = data[:SAMPLE_BYTES]
    if is_western(sample) and (encoding := best_western_encoding(data)):
        return Decoded(data.decode(encoding, "replace"), encoding)
    best = from_bytes(sample).best()
    if best is None:
        raise UnreadableError("encoding", "no known encoding makes sense of the bytes")
    return Decoded(data.decode(best.encoding, "replace"), best.encoding)


def decode_damaged_utf8(data: bytes) -> Decoded | None:
    """Return a text in UTF-8 with a few stray bytes; None if these are too many for that."""
    num_whole = len(MULTIBYTE.findall(data))
    if not num_whole:
        return None
    text = data.decode("utf-8", "surrogateescape")
    stray = [ord(char) - 0xDC00 for char in text if "\udc80" <= char <= "\udcff"]
    if len(stray) > MAX_STRAY_RATIO * num_whole + 0.5:
        return None
    letters = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in set(stray)}
    return Decoded(text.translate(letters), "utf-8", len(stray))


def is_western(sample: bytes) -> bool:
    """Say whether a text is in a western language, by its commonest words in ASCII."""
    words = [word.lower() for word in WORDS.findall(sample)]
    num_high = sum(byte >= 0x80 for byte in sample)
    western = sum(word in WESTERN_WORDS for word in words)
    eastern = sum(word in EAST_EUROPEAN_WORDS for word in words)
    is_mostly_ascii = num_high <= MAX_HIGH_RATIO * len(sample)
    return bool(words) and is_mostly_ascii and western >= MIN_WESTERN_WORDS * len(words) and western > 1.5 * eastern


def best_western_encoding(data: bytes) -> str:
    """Return the western encoding that gives the most sense to the bytes beyond ASCII; '' if none gives any."""
    scores = {encoding: score_characters(data.decode(encoding, "replace")) for encoding in WESTERN}
    best = max(WESTERN, key=lambda encoding: (scores[encoding], -WESTERN.index(encoding)))
    return best if scores[best] > 0 else ""


def score_characters(text: str) -> int:
    """Return how many characters beyond ASCII are where such may be, less those that are not."""
    score = 0
    for match in CONTEXT.finditer(text):
        before, char, after = match[1], match[2], match[3]
        score += 1 if is_in_place(before, char, after) else -1
    return score


def is_in_place(before: str, char: str, after: str) -> bool:
    """Say whether a character may be between two others: a letter in a word, a sign at a figure, a quote at an edge."""
    if char in LETTERS:
        return (char.islower() and (before.isalpha() or after.isalpha() or (before + after).isspace())) or (
            char.isupper() and not before.islower()
        )
    if char in BEFORE_FIGURES and (after.isdigit() or after == " "):
        return True
    if char in AFTER_FIGURES:
        return before.isdigit() or before == " "
    if char in OPENING:
        return not before.isalnum()
    if char in CLOSING:
        return not before.isspace()
    return char in DASHES


def wide_encoding(sample: bytes) -> str:
    """Return the encoding of two or four bytes a character that a sample without a mark is in, '' if in none."""
    quarters = [sample[place::4].count(0) / max(1, len(sample) // 4) for place in range(4)]
    for encoding, zeros in WIDE.items():
        if all((quarter > MIN_ZEROS) == is_zero for quarter, is_zero in zip(quarters, zeros, strict=True)):
            return encoding
    return ""
