"""Clean text for `Document.text`: NFC, valid UTF-8, no invisible characters."""

import re
import unicodedata

HYPHEN_AT_LINE_END = re.compile("\ufffe[ \t]*(?:\r?\n)?")  # PDFium's mark: the word goes on
SURROGATE = re.compile("[\ud800-\udfff]")
NEWLINE = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
SPACE = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000]")
LIGATURE = re.compile("[\ufb00-\ufb06]")
C1 = {
    code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0) if code != 0x85
}  # U+0085: a line end
C1_CONTROL = re.compile("[\x80-\x84\x86-\x9f]")
UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e007f]"
)
TAGS = re.compile("[\U000e0000-\U000e007f]")
BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
WIDTHLESS = re.compile("[\u200b\u2060-\u2065\u206a-\u206f\ufeff]")
MAX_UNSEEN, MAX_BIDI_RATIO, MAX_WIDTHLESS_RATIO = 10, 0.001, 0.005  # that typesetting may need
BLANK_LINES = re.compile("\n{4,}")


def clean(text: str) -> str:
    """Return `text` without what does no one any good; a second time changes nothing.

    Surrogate pairs are joined and lone ones dropped; C1 controls become the characters that Windows-1252 has for their
    codes, since no text means the controls; other control, bidi, tag and zero-width characters are dropped; spaces
    and line ends of every kind become ' ' and newline; ligatures become letters; hyphens that PDFium marks at the end
    of a line are undone; lines end without spaces, and at most two in a row are blank.
    """
    alphabet = "".join(set(text))  # short, so that a long text is gone through only for what it has
    if HYPHEN_AT_LINE_END.search(alphabet):
        text = HYPHEN_AT_LINE_END.sub("", text)
    if SURROGATE.search(alphabet):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        text = SURROGATE.sub("", text)
        alphabet = "".join(set(text))
    if NEWLINE.search(alphabet):
        text = NEWLINE.sub("\n", text)
    if C1_CONTROL.search(alphabet):
        text = text.translate(C1)
    if UNSEEN.search(alphabet):
        text = UNSEEN.sub("", text)
    if SPACE.search(alphabet):
        text = SPACE.sub(" ", text)
    if LIGATURE.search(alphabet):
        text = LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    text = unicodedata.normalize("NFC", text)
    text = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return BLANK_LINES.sub("\n\n\n", text).strip("\n")


def warn_of_invisible(text: str) -> list[str]:
    """Return a warning where a text, not yet cleaned, has more unseen characters than typesetting needs."""
    alphabet = "".join(set(text))
    if not any(kind.search(alphabet) for kind in (TAGS, BIDI, WIDTHLESS, C1_CONTROL)):
        return []
    num_c1 = len(C1_CONTROL.findall(text))
    warnings = [f"{num_c1} control characters read as cp1252"] if num_c1 else []
    num_tags, num_bidi, num_widthless = (len(kind.findall(text)) for kind in (TAGS, BIDI, WIDTHLESS))
    is_typeset = (
        num_tags == 0
        and num_bidi <= MAX_UNSEEN + MAX_BIDI_RATIO * len(text)
        and num_widthless <= MAX_UNSEEN + MAX_WIDTHLESS_RATIO * len(text)
    )
    num_invisible = num_tags + num_bidi + num_widthless
    return warnings if is_typeset else [*warnings, f"{num_invisible} characters that no one sees left out"]


def join_pages(pages: list[str]) -> tuple[str, tuple[int, ...]]:
    """Clean pages, join them into one text, and say where each of them starts in it.

    A sentence that runs on over the page is not broken: no blank line parts its halves. Nor is a word: nothing parts
    those of one that ends with PDFium's mark.
    """
    text, parts, offsets, length = "", [], [], 0
    in_word = False
    for raw, page in zip(pages, map(clean, pages), strict=True):
        if text and page:
            between = "" if in_word else "\n" if runs_on(text, page) else "\n\n"
            parts.append(between)
            length += len(between)
        offsets.append(length)
        parts.append(page)
        length += len(page)
        text, in_word = (page, raw.endswith("\ufffe")) if page else (text, in_word)
    return "".join(parts), tuple(offsets)


def runs_on(before: str, after: str) -> bool:
    """Say whether the sentence at the end of `before` goes on at the start of `after`."""
    last = before.rsplit("\n", 1)[-1]
    return after[0].islower() and last[-1:].isalpha() | (last[-1:] in ",;-") and last[0] not in "#|"


def garbage_ratio(text: str) -> float:
    """Return the share of characters that no encoding meant: U+FFFD, private use, controls."""
    if not text:
        return 0.0
    bad = {char for char in set(text) if unicodedata.category(char) in ("Co", "Cc", "Cn", "Cs")} - set("\t\n\r")
    return sum(text.count(char) for char in bad | {"\ufffd"}) / len(text)
