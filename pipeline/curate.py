"""Select documents, refuse the others with a reason, and split them into train and test.

Reads   DOCUMENTS/*.parquet   documents
Writes  OUT/documents-00000.parquet   the documents that are kept, each with its `split`; private data is masked
        OUT/refused.jsonl             one object per refused document: doc_id, source, reason
        OUT/report.json               counts of what was kept, refused and masked
Source  see pipeline/curation/: quality.py, page_scores.py, near_duplicates.py and pii.py

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

from pydantic import Field

from pipeline.cli import run_stage
from pipeline.curation.language_id import detect_language
from pipeline.curation.licences import licence_rejection
from pipeline.curation.near_duplicates import Summary, find_duplicates, summarise_document
from pipeline.curation.page_scores import doubtful_page_share
from pipeline.curation.pii import Found, find_private, list_kinds, mask
from pipeline.curation.quality import quality_rejection
from pipeline.curation.splits import assign_splits
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Document, Split
from pipeline.rejections import count_reasons, list_rejections
from pipeline.storage.parquet import read_documents, write_documents

WITHOUT_PAPER = "review without its paper"
log = logging.getLogger(__name__)

Handling = Literal["mask", "refuse", "keep"]


class CurateParams(Params):
    """Section `curate` of params.yaml."""

    min_tokens: int = Field(ge=0)  # shorter documents are refused
    max_garbage_ratio: float = Field(ge=0, le=1)  # of U+FFFD and private-use characters
    min_page_score: float = Field(ge=0, le=1)  # share of words that may be words; less is doubtful
    max_doubtful_pages: float = Field(ge=0, le=1)  # of the pages of a document; with more it is refused
    quality: bool  # apply the rules of Gopher and FineWeb
    languages: list[str]  # ISO 639-1; documents in other languages are refused; empty for any
    near_duplicate_similarity: float = Field(gt=0, le=1)  # Jaccard, of word 5-grams
    emails: Handling
    phones: Handling
    secrets: Handling
    licences: list[str]  # SPDX identifiers; a document of any other licence is refused
    publishing: bool  # the dataset will be published: unknown licences are refused
    test_fraction: float = Field(ge=0, lt=1)  # of the documents of each category; at least one if there are two
    seed: int


def rejection_reason(document: Document, params: CurateParams) -> str:
    """Return the reason to refuse a document for itself, '' without one."""
    if document.error:
        return f"unreadable: {document.error}"
    if fault := licence_rejection(document.licence, params.licences, publishing=params.publishing):
        return fault
    if document.category != "review" and (fault := text_rejection(document, params)):
        return fault
    if found := find_handled(document.text, params, "refuse"):
        return f"private: {list_kinds(found)}"
    return ""


def text_rejection(document: Document, params: CurateParams) -> str:
    """Return the reason to refuse a text, '' without one; not for reviews, which are short and never in a prompt."""
    if document.num_tokens < params.min_tokens:
        return f"short: fewer than {params.min_tokens} tokens"
    if garbage_ratio(document.text) > params.max_garbage_ratio:
        return f"garbled: more than {params.max_garbage_ratio:.0%} replacement or private-use characters"
    doubtful = doubtful_page_share(document.text, document.page_offsets, params.min_page_score)
    if doubtful > params.max_doubtful_pages:
        return f"doubtful pages: {doubtful:.0%} have less than {params.min_page_score:.0%} of words that may be words"
    language = detect_language(document.text)
    if params.languages and language not in params.languages:
        return f"language: {language or 'none'}"
    return quality_rejection(document.text, document.category, language) if params.quality else ""


def garbage_ratio(text: str) -> float:
    """Return the share of characters without a meaning: U+FFFD and the private-use area."""
    return len(re.findall("[\ufffd\ue000-\uf8ff]", text)) / max(1, len(text))


def find_handled(text: str, params: CurateParams, handling: Handling) -> list[Found]:
    """Find the private data of a text that is to be handled in the given way."""
    handled = {"email": params.emails, "phone": params.phones, "secret": params.secrets}
    return find_private(text, tuple(kind for kind, way in handled.items() if way == handling))


def masked(document: Document, params: CurateParams) -> Document:
    """Mask private data. The length of the text stays the same, and so do all offsets."""
    found = find_handled(document.text, params, "mask")
    if not found:
        return document
    return replace(
        document, text=mask(document.text, found), warnings=(*document.warnings, f"masked: {list_kinds(found)}")
    )


def summarise(documents: Iterable[Document], params: CurateParams, refused: dict[str, str]) -> Iterator[Summary]:
    """Yield a summary of each sound document, and add the reasons to refuse the others to `refused`."""
    for document in documents:
        reason = rejection_reason(document, params)
        if reason:
            refused[document.doc_id] = reason
        else:
            yield summarise_document(document, params.seed)


def reviews_without_paper(summaries: Iterable[Summary], refused: dict[str, str]) -> dict[str, str]:
    """Return the reason for each review whose paper was not kept."""
    kept = [summary for summary in summaries if summary.doc_id not in refused]
    groups = {summary.group for summary in kept if summary.group and summary.category != "review"}
    return {s.doc_id: WITHOUT_PAPER for s in kept if s.category == "review" and s.group not in groups}


def decide(documents: Path, params: CurateParams) -> tuple[dict[str, Split], dict[str, str]]:
    """Return the split of each document to keep, and the reason for each to refuse.

    Raises:
        InputError: No document is left.
    """
    refused: dict[str, str] = {}
    summaries = list(summarise(read_documents(documents), params, refused))
    refused |= find_duplicates((s for s in summaries if s.category != "review"), params.near_duplicate_similarity)
    refused |= reviews_without_paper(summaries, refused)
    kept = [summary for summary in summaries if summary.doc_id not in refused]
    if not kept:
        raise InputError(
            documents,
            found=f"nothing to keep: {list_rejections(count_reasons(refused.values()))}",
            expected="at least one document",
            fix="Add documents to the sources file, or loosen section 'curate' of params.yaml.",
        )
    return assign_splits(kept, params.test_fraction, params.seed), refused


def kept_documents(
    documents: Path, params: CurateParams, splits: dict[str, Split], counts: dict[str, Counter[str]]
) -> Iterator[Document]:
    """Yield the documents to keep, with their splits and masks, and count them."""
    for document in read_documents(documents):
        if document.doc_id in splits:
            counts["masked"].update(kind for kind, _, _ in find_handled(document.text, params, "mask"))
            counts["kept"][f"{document.category}/{splits[document.doc_id]}"] += 1
            counts["licences"][document.licence or "unknown"] += 1
            yield replace(masked(document, params), split=splits[document.doc_id])


def write_refused(path: Path, documents: Path, refused: dict[str, str]) -> None:
    """Write one object per refused document."""
    with path.open("w", encoding="utf-8") as file:
        for document in read_documents(documents):
            if document.doc_id in refused:
                row = {"doc_id": document.doc_id, "reason": refused[document.doc_id], "source": document.source}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def run(params: CurateParams, *, documents: Path, out: Path) -> None:
    """Write the documents to keep, and the reasons for the others."""
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
