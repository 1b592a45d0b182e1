"""Cut the documents of a dataset row, so that the row fits a number of tokens.

Question, answer and wrapper are never cut, and the words that carry the answer stay: each document is cut to one window
around its evidence. Where the evidence stands within the window differs from row to row, by `example_id`, so that a
model cannot learn to look in one place.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from pipeline.records import Evidence, Material, MixedExample
from pipeline.stable_order import hash_fraction

MAX_ROUNDS = 8  # of looking for the widest cut that fits; each counts the tokens of one row
CLOSE_ENOUGH = 0.01  # of the tokens at hand may stay unused
WORD_REACH = 200  # characters within which a cut moves to white space; further, there is none (Chinese, base64)

Span = tuple[int, int]  # characters of a document, end excluded


def cut_to_fit(row: MixedExample, max_tokens: int, count: Callable[[str], int]) -> MixedExample | None:
    """Cut the documents of `row` until instruction and output together have at most `max_tokens` tokens.

    The offsets of `row.material` follow the cut; evidence keeps its place in the document and lies inside the material.
    Without evidence a document keeps its beginning. What is left out is shared by the documents in proportion to what
    each has beside its evidence. Equal arguments give equal rows.

    Args:
        row: A row whose evidence lies inside its material.
        max_tokens: The most tokens that the result may have.
        count: Returns the number of tokens of a text.

    Returns:
        The row, with its `num_tokens` by `count`, or None where even its evidence alone does not fit.

    Raises:
        ValueError: The evidence does not lie inside the material.
    """
    kept = [evidence_span(part, row.example.evidence) for part in row.material]
    spare = sum(part.end - part.start - (end - start) for part, (start, end) in zip(row.material, kept, strict=True))

    def widened(num_characters: int) -> MixedExample:
        shares = shares_of(num_characters, row.material, kept)
        windows = [window(row, part, span, share) for part, span, share in zip(row.material, kept, shares, strict=True)]
        cut = with_windows(row, windows)
        return replace(cut, num_tokens=count(cut.instruction) + count(cut.output))

    whole = replace(row, num_tokens=count(row.instruction) + count(row.output))
    if whole.num_tokens <= max_tokens:
        return whole
    narrowest = widened(0)
    if narrowest.num_tokens > max_tokens:
        return None
    return widest_that_fits(narrowest, whole, spare, max_tokens, widened)


def widest_that_fits(
    fits: MixedExample, exceeds: MixedExample, spare: int, max_tokens: int, widened: Callable[[int], MixedExample]
) -> MixedExample:
    """Find by interpolation how many of the `spare` characters may stay beside the evidence."""
    low, high, high_tokens = 0, spare, exceeds.num_tokens
    for _ in range(MAX_ROUNDS):
        unused = max_tokens - fits.num_tokens
        if unused <= CLOSE_ENOUGH * max_tokens or high - low <= 1:
            break
        share = unused / (high_tokens - fits.num_tokens)
        middle = min(max(low + int((high - low) * share * (1 - CLOSE_ENOUGH / 2)), low + 1), high - 1)
        row = widened(middle)
        if row.num_tokens <= max_tokens:
            low, fits = middle, row
        else:
            high, high_tokens = middle, row.num_tokens
    return fits


def evidence_span(part: Material, evidence: Sequence[Evidence]) -> Span:
    """Return the shortest span of a document that holds all of its evidence; without any, an empty one at its start."""
    own = [item for item in evidence if item.doc_id == part.doc_id]
    if not own:
        return part.start, part.start
    start, end = min(item.start for item in own), max(item.end for item in own)
    if start < part.start or end > part.end:
        raise ValueError(
            f"the evidence [{start}:{end}] of document {part.doc_id} lies outside its material "
            f"[{part.start}:{part.end}]"
        )
    return start, end


def shares_of(num_characters: int, material: Sequence[Material], kept: Sequence[Span]) -> list[int]:
    """Divide `num_characters` among the documents in proportion to what each has beside its evidence."""
    spare = [part.end - part.start - (end - start) for part, (start, end) in zip(material, kept, strict=True)]
    return [num_characters * own // max(sum(spare), 1) for own in spare]


def window(row: MixedExample, part: Material, kept: Span, share: int) -> Span:
    """Widen `kept` by at most `share` characters, cut at white space where there is some near."""
    before = int(share * place_of(row.example.example_id, part.doc_id))
    before = min(max(before, share - (part.end - kept[1])), kept[0] - part.start)
    start = kept[0] - before
    end = min(kept[1] + share - before, part.end)
    text = row.instruction[part.offset : part.offset + part.end - part.start]
    return after_space(text, part, start, kept[0]), before_space(text, part, end, kept[1])


def place_of(example_id: str, doc_id: str) -> float:
    """Return a number in [0, 1) that depends on its arguments alone."""
    return hash_fraction(f"{example_id}\0{doc_id}")


def after_space(text: str, part: Material, start: int, limit: int) -> int:
    """Move a start that falls inside a word behind it, but not beyond `limit`."""
    if start == part.start:
        return start
    for place in range(start, min(limit, start + WORD_REACH) + 1):
        if text[place - part.start - 1].isspace():
            return place
    return start


def before_space(text: str, part: Material, end: int, limit: int) -> int:
    """Move an end that falls inside a word before it, but not below `limit`."""
    if end == part.end:
        return end
    for place in range(end, max(limit, end - WORD_REACH) - 1, -1):
        if text[place - part.start].isspace():
            return place
    return end


def with_windows(row: MixedExample, windows: Sequence[Span]) -> MixedExample:
    """Replace the material of a row by the given window of each document."""
    pieces: list[str] = []
    material: list[Material] = []
    copied = length = 0
    for part, (start, end) in sorted(zip(row.material, windows, strict=True), key=lambda pair: pair[0].offset):
        wrapper = row.instruction[copied : part.offset]
        shown = row.instruction[part.offset + start - part.start : part.offset + end - part.start]
        pieces += [wrapper, shown]
        material.append(Material(doc_id=part.doc_id, start=start, end=end, offset=length + len(wrapper)))
        length += len(wrapper) + len(shown)
        copied = part.offset + part.end - part.start
    order = {doc_id: place for place, doc_id in enumerate(row.example.doc_ids)}
    material.sort(key=lambda part: order.get(part.doc_id, len(order)))
    return replace(row, instruction="".join([*pieces, row.instruction[copied:]]), material=tuple(material))
