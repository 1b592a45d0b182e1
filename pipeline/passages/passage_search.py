"""Find the passages of a document that come closest to a question, by BM25.

Source  Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond (2009), as bm25s computes it
"""

import logging

from pipeline.passages.spans import Span, trim_span

PASSAGE_CHARACTERS = 600


def split_into_passages(text: str) -> list[Span]:
    """Return the passages of a text: about 600 characters each, ended at a line end or a space if there is one."""
    found, start = [], 0
    while start < len(text):
        end = min(len(text), start + PASSAGE_CHARACTERS)
        if end < len(text):
            cut = max(text.rfind("\n", start + PASSAGE_CHARACTERS // 2, end), text.rfind(" ", start, end))
            end = cut + 1 if cut > start else end
        if text[start:end].strip():
            found.append(trim_span(text, start, end))
        start = end
    return found


def search_passages(text: str, query: str, num: int) -> list[Span]:
    """Return up to `num` passages of a text that have most of the words of a query, the best first."""
    import bm25s  # takes 60 MB, and few runs search

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # which the import sets to DEBUG

    passages = split_into_passages(text)
    tokens = bm25s.tokenize([passage.text for passage in passages], stopwords="en", show_progress=False)
    asked = bm25s.tokenize([query], stopwords="en", show_progress=False)
    if not passages or not any(asked.ids) or not tokens.vocab:
        return []
    index = bm25s.BM25()
    index.index(tokens, show_progress=False)
    ranked, scores = index.retrieve(asked, k=min(num, len(passages)), show_progress=False)
    return [passages[rank] for rank, score in zip(ranked[0], scores[0], strict=True) if score > 0]
