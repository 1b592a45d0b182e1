"""Keep the documents that are worth learning from, refuse the others with a reason, and part them into train and test.

Reads   DOCUMENTS/*.parquet   documents
Writes  OUT/documents-00000.parquet   the documents that are kept, each with its `split`
        OUT/refused.jsonl             one object a refused document: doc_id, source, reason
Source  near-duplicates by MinHash over word 5-grams, as in FineWeb (arXiv 2406.17557, section 3.4)
"""

import json
import logging
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import rensa

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.params import Params
from pipeline.records import Document, Split, read_documents, write_documents
from pipeline.refusals import count_refusals, list_refusals

NUM_PERMUTATIONS = 128  # the standard error of an estimated similarity is at most 1 / (2 * sqrt(128)) = 0.044
SHINGLE_WORDS = 5
TYPES_BY_FIDELITY = (  # what says where headings and tables are comes before what leaves it to be guessed
    "application/epub+zip",
    "text/html",
    "application/xhtml+xml",
    "text/plain",
    "application/pdf",
)
log = logging.getLogger(__name__)


class CurateParams(Params):
    """Section `curate` of params.yaml."""

    min_tokens: int  # shorter documents do not teach long context
    max_garbage_ratio: float  # share of U+FFFD and private-use characters, above which the text layer is broken
    near_duplicate_similarity: float  # Jaccard similarity of word 5-grams from which two documents are one
    test_fraction: float  # share of each category's documents kept for testing, at least one of two or more
    seed: int


@dataclass(frozen=True)
class Summary:
    """What the decisions need of a document, without its text."""

    doc_id: str
    category: str
    source: str
    media_type: str
    num_tokens: int
    minhash: rensa.RMinHash


def fault_of(document: Document, params: CurateParams) -> str:
    """Return why a document is refused on its own account, '' if it is not."""
    if document.error:
        return f"unreadable: {document.error}"
    if document.num_tokens < params.min_tokens:
        return f"short: fewer than {params.min_tokens} tokens"
    if garbage_ratio(document.text) > params.max_garbage_ratio:
        return f"garbled: more than {params.max_garbage_ratio:.0%} replacement or private-use characters"
    return ""


def garbage_ratio(text: str) -> float:
    """Return the share of characters that stand for no character: U+FFFD and the private-use area."""
    return len(re.findall("[\ufffd\ue000-\uf8ff]", text)) / max(1, len(text))


def minhash_of(text: str, seed: int) -> rensa.RMinHash:
    """Return the MinHash of a text's word 5-grams, blind to case, punctuation and layout."""
    words = re.findall(r"\w+", text.lower())
    shingles = {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(max(1, len(words) - SHINGLE_WORDS + 1))}
    minhash = rensa.RMinHash(num_perm=NUM_PERMUTATIONS, seed=seed)
    minhash.update(sorted(shingles))
    return minhash


def fidelity(summary: Summary) -> tuple[int, int, str]:
    """Order near-duplicates, the best first: by media type, then the longer, then by id."""
    known = summary.media_type in TYPES_BY_FIDELITY
    rank = TYPES_BY_FIDELITY.index(summary.media_type) if known else len(TYPES_BY_FIDELITY)
    return rank, -summary.num_tokens, summary.doc_id


def near_duplicates(summaries: Iterable[Summary], similarity: float) -> dict[str, str]:
    """Map each document that resembles a better one to the id of that one.

    Candidates come from locality-sensitive hashing in 32 bands of 4 rows: at a true similarity of 0.7 a pair is missed
    with probability (1 - 0.7**4)**32 = 0.0002.
    """
    index = rensa.RMinHashLSH(threshold=similarity, num_perm=NUM_PERMUTATIONS, num_bands=32)
    kept: list[Summary] = []
    duplicate_of: dict[str, str] = {}
    for summary in sorted(summaries, key=fidelity):
        matches = (kept[number] for number in sorted(index.query(summary.minhash)))
        original = next((match for match in matches if match.minhash.jaccard(summary.minhash) >= similarity), None)
        if original is None:
            index.insert(len(kept), summary.minhash)
            kept.append(summary)
        else:
            duplicate_of[summary.doc_id] = original.doc_id
    return duplicate_of


def splits_of(summaries: Iterable[Summary], test_fraction: float, seed: int) -> dict[str, Split]:
    """Assign each document to train or test, by category and a hash of its id, so that the order does not matter."""
    by_category: dict[str, list[str]] = {}
    for summary in summaries:
        by_category.setdefault(summary.category, []).append(summary.doc_id)
    splits: dict[str, Split] = {}
    for doc_ids in by_category.values():
        ranked = sorted(doc_ids, key=lambda doc_id: sha256(f"{seed}:{doc_id}".encode()).digest())
        num_test = 0 if len(ranked) < 2 else max(1, math.floor(test_fraction * len(ranked)))
        splits |= {doc_id: "test" if rank < num_test else "train" for rank, doc_id in enumerate(ranked)}
    return splits


def summarise(documents: Iterable[Document], params: CurateParams, refused: dict[str, str]) -> Iterator[Summary]:
    """Yield a summary of each sound document and put the reasons against the others into `refused`."""
    for document in documents:
        reason = fault_of(document, params)
        if reason:
            refused[document.doc_id] = reason
        else:
            minhash = minhash_of(document.text, params.seed)
            yield Summary(
                document.doc_id, document.category, document.source, document.media_type, document.num_tokens, minhash
            )


def run(params: CurateParams, *, documents: Path, out: Path) -> None:
    """Write the documents that are kept, and the reason for each that is not."""
    refused: dict[str, str] = {}
    summaries = list(summarise(read_documents(documents), params, refused))
    source_of = {summary.doc_id: summary.source for summary in summaries}
    duplicate_of = near_duplicates(summaries, params.near_duplicate_similarity)
    refused |= {doc_id: f"near-duplicate of {source_of[original]}" for doc_id, original in duplicate_of.items()}
    kept = [summary for summary in summaries if summary.doc_id not in refused]
    if not kept:
        raise InputError(
            documents,
            found=f"nothing to keep: {list_refusals(count_refusals(refused.values()))}",
            wanted="at least one document to learn from",
            remedy="Add documents to the sources file, or loosen section 'curate' of params.yaml.",
        )
    splits = splits_of(kept, params.test_fraction, params.seed)
    with replacing(out) as beside:
        beside.mkdir()
        sound = (document for document in read_documents(documents) if document.doc_id in splits)
        split = (replace(document, split=splits[document.doc_id]) for document in sound)
        write_documents(beside / "documents-00000.parquet", split)
        with (beside / "refused.jsonl").open("w", encoding="utf-8") as file:
            for document in read_documents(documents):
                if document.doc_id in refused:
                    row = {"doc_id": document.doc_id, "reason": refused[document.doc_id], "source": document.source}
                    file.write(json.dumps(row, ensure_ascii=False) + "\n")
    counts = Counter(splits.values())
    refusals = list_refusals(count_refusals(refused.values()))
    log.info("curate: %d train and %d test documents in %s, %s", counts["train"], counts["test"], out, refusals)


if __name__ == "__main__":
    run_stage(run)
