"""Keep the documents that are worth learning from, refuse the others with a reason, and part them into train and test.

Reads   DOCUMENTS/*.parquet   documents
Writes  OUT/documents-00000.parquet   the documents that are kept, each with its `split`; private things are masked
        OUT/refused.jsonl             one object a refused document: doc_id, source, reason
        OUT/report.json               counts of what was kept, refused and masked
Source  pipeline/curation/quality.py, pipeline/curation/near_duplicates.py and pipeline/curation/pii.py name theirs

Documents are read twice, one at a time; of each only a summary of a kilobyte stays in memory.
"""

import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pipeline.cli import run_stage
from pipeline.curation.language_id import language_of
from pipeline.curation.licences import licence_fault
from pipeline.curation.near_duplicates import Summary, find_duplicates, summary_of
from pipeline.curation.pii import Found, find_private, list_kinds, mask
from pipeline.curation.quality import quality_fault
from pipeline.curation.splits import splits_of
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Document, Split
from pipeline.rejections import count_reasons, list_rejections
from pipeline.storage.parquet import read_documents, write_documents

ORPHAN = "review without its paper: that was not kept"
log = logging.getLogger(__name__)

Handling = Literal["mask", "refuse", "keep"]


class CurateParams(Params):
    """Section `curate` of params.yaml."""

    min_tokens: int  # shorter documents do not teach long context
    max_garbage_ratio: float  # share of U+FFFD and private-use characters, above which the text layer is broken
    quality: bool  # whether the rules of Gopher and FineWeb refuse documents
    languages: list[str]  # ISO 639-1; documents in another are refused; empty for any
    near_duplicate_similarity: float  # Jaccard similarity of word 5-grams from which two documents are one
    emails: Handling
    phones: Handling
    secrets: Handling
    licences: list[str]  # SPDX identifiers; a document of any other licence is refused
    publishing: bool  # whether the dataset is meant for others: refuses unknown licences, which private use may have
    test_fraction: float  # share of each category's documents kept for testing, at least one of two or more
    seed: int


def fault_of(document: Document, params: CurateParams) -> str:
    """Return why a document is refused on its own account, '' if it is not."""
    if document.error:
        return f"unreadable: {document.error}"
    if fault := licence_fault(document.licence, params.licences, publishing=params.publishing):
        return fault
    if document.category != "review" and (fault := text_fault(document, params)):
        return fault
    if found := private_in(document.text, params, "refuse"):
        return f"private: {list_kinds(found)}"
    return ""


def text_fault(document: Document, params: CurateParams) -> str:
    """Return why a text is not worth learning from, '' if it is; reviews are short and are never shown in a prompt."""
    if document.num_tokens < params.min_tokens:
        return f"short: fewer than {params.min_tokens} tokens"
    if garbage_ratio(document.text) > params.max_garbage_ratio:
        return f"garbled: more than {params.max_garbage_ratio:.0%} replacement or private-use characters"
    language = language_of(document.text)
    if params.languages and language not in params.languages:
        return f"language: {language or 'none'}"
    return quality_fault(document.text, document.category, language) if params.quality else ""


def garbage_ratio(text: str) -> float:
    """Return the share of characters that stand for no character: U+FFFD and the private-use area."""
    return len(re.findall("[\ufffd\ue000-\uf8ff]", text)) / max(1, len(text))


def private_in(text: str, params: CurateParams, handling: Handling) -> list[Found]:
    """Return where a text has private things that are handled in the given way."""
    handled = {"email": params.emails, "phone": params.phones, "secret": params.secrets}
    return find_private(text, tuple(kind for kind, way in handled.items() if way == handling))


def masked(document: Document, params: CurateParams) -> Document:
    """Return a document without private things; no character moves, so that its offsets stay right."""
    found = private_in(document.text, params, "mask")
    if not found:
        return document
    return replace(
        document, text=mask(document.text, found), warnings=(*document.warnings, f"masked: {list_kinds(found)}")
    )


def summarise(documents: Iterable[Document], params: CurateParams, refused: dict[str, str]) -> Iterator[Summary]:
    """Yield a summary of each sound document and put the reasons against the others into `refused`."""
    for document in documents:
        reason = fault_of(document, params)
        if reason:
            refused[document.doc_id] = reason
        else:
            yield summary_of(document, params.seed)


def orphans(summaries: Iterable[Summary], refused: dict[str, str]) -> dict[str, str]:
    """Return the reasons against the reviews whose papers were not kept."""
    kept = [summary for summary in summaries if summary.doc_id not in refused]
    groups = {summary.group for summary in kept if summary.group and summary.category != "review"}
    return {s.doc_id: ORPHAN for s in kept if s.category == "review" and s.group not in groups}


def decide(documents: Path, params: CurateParams) -> tuple[dict[str, Split], dict[str, str]]:
    """Return the split of each document that is kept, and the reason against each that is not.

    Raises:
        InputError: Nothing is kept.
    """
    refused: dict[str, str] = {}
    summaries = list(summarise(read_documents(documents), params, refused))
    refused |= find_duplicates((s for s in summaries if s.category != "review"), params.near_duplicate_similarity)
    refused |= orphans(summaries, refused)
    kept = [summary for summary in summaries if summary.doc_id not in refused]
    if not kept:
        raise InputError(
            documents,
            found=f"nothing to keep: {list_rejections(count_reasons(refused.values()))}",
            expected="at least one document to learn from",
            fix="Add documents to the sources file, or loosen section 'curate' of params.yaml.",
        )
    return splits_of(kept, params.test_fraction, params.seed), refused


def kept_documents(
    documents: Path, params: CurateParams, splits: dict[str, Split], counts: dict[str, Counter[str]]
) -> Iterator[Document]:
    """Yield the documents that are kept with their splits, masked, and count them."""
    for document in read_documents(documents):
        if document.doc_id in splits:
            counts["masked"].update(kind for kind, _, _ in private_in(document.text, params, "mask"))
            counts["kept"][f"{document.category}/{splits[document.doc_id]}"] += 1
            counts["licences"][document.licence or "unknown"] += 1
            yield replace(masked(document, params), split=splits[document.doc_id])


def write_refused(path: Path, documents: Path, refused: dict[str, str]) -> None:
    """Write one object a refused document."""
    with path.open("w", encoding="utf-8") as file:
        for document in read_documents(documents):
            if document.doc_id in refused:
                row = {"doc_id": document.doc_id, "reason": refused[document.doc_id], "source": document.source}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def run(params: CurateParams, *, documents: Path, out: Path) -> None:
    """Write the documents that are kept, and the reason for each that is not."""
    splits, refused = decide(documents, params)
    counts: dict[str, Counter[str]] = {"kept": Counter(), "licences": Counter(), "masked": Counter()}
    reasons = count_reasons(refused.values())
    with replacing(out) as beside:
        beside.mkdir()
        write_documents(beside / "documents-00000.parquet", kept_documents(documents, params, splits, counts))
        write_refused(beside / "refused.jsonl", documents, refused)
        write_json(beside / "report.json", {**counts, "refused_by_reason": reasons})
    split_counts = Counter(splits.values())
    log.info(
        "curate: %d train and %d test documents in %s, %s",
        split_counts["train"], split_counts["test"], out, list_rejections(reasons),
    )  # fmt: skip


if __name__ == "__main__":
    run_stage(run)
