"""Take documents and questions out of training that overlap with test sets.

Reads   DOCUMENTS/*.parquet          documents, each with its split
        EXAMPLES/examples*.parquet   examples that passed their checks
Writes  OUT/documents/documents-00000.parquet   the documents without reviews, and those of training that overlap
        OUT/examples/examples-00000.parquet     the examples without theirs
        OUT/examples/rejected-00000.parquet     the examples taken out, each with its reason
        OUT/hits.jsonl                          one object per document taken out: doc_id, source, reason
        OUT/report.json                         the counts
Source  13-grams as for GPT-3 (arXiv 2005.14165, appendix C); there, too, an n-gram that occurs in many training
        documents is ignored

The project's own test documents and questions are always a test set; `evaluation_sets` names a folder of others.

A document is taken out for what it shares in runs of `min_words` and more, if that is a large enough part of it or
touches what the test asks about. Standard text, like the cover of a form, never counts.
"""

import json
import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pipeline.cli import run_stage
from pipeline.decontamination.evaluation_sets import TestText, book_number, book_numbers, read_sets
from pipeline.decontamination.ngram_index import Index, Overlap, build_index
from pipeline.decontamination.ngrams import normalise_words
from pipeline.decontamination.standard_text import cut_words, is_standard_text
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Document, Example
from pipeline.rejections import Reason, count_reasons, list_rejections
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_documents, read_examples, write_documents, write_examples

OWN_TEST = "test document"
MIN_SHARE = 0.005  # of a document's words: 50 words of 10,000
MIN_ASKED_WORDS = 5  # of a quote or an answer, to be looked for in what a document shares
log = logging.getLogger(__name__)


class ContaminationParams(Params):
    """Section `contamination` of params.yaml."""

    ngram_words: int = Field(ge=1)  # words of an n-gram
    min_words: int = Field(ge=1)  # a document that shares a run of so many words with a test set is taken out
    max_documents: int = Field(ge=1)  # n-grams in more training documents than this are boilerplate and ignored
    certain_words: int = Field(ge=1)  # a run of so many words counts even if it is boilerplate
    evaluation_sets: str  # a folder of further test sets; '' for the project's own only


def read_test_texts(documents: Path, params: ContaminationParams) -> Iterator[TestText]:
    """Yield the texts of the project's own test documents, and those of the evaluation sets."""
    for document in read_documents(documents):
        if document.split == "test" and document.category != "review":
            yield TestText(f"{OWN_TEST} {document.source}", document.text)
    if params.evaluation_sets:
        yield from read_sets(Path(params.evaluation_sets), "contamination")


def overlapping(
    documents: Path, index: Index, asked: list[str], params: ContaminationParams
) -> tuple[dict[str, str], dict[str, str]]:
    """Map each training document that overlaps with a test set to the reason, and each that is kept all the same.

    The documents are read twice: the first pass counts how many documents have each n-gram. `asked` is what the tests
    ask about, in normalised words.
    """
    num_documents = np.zeros(len(index.grams) + 1, np.uint32)  # the last one for n-grams that are not in the index
    suspects: set[str] = set()
    reasons: dict[str, str] = {}
    kept: dict[str, str] = {}
    for document in training_documents(documents):
        places = index.look_up(document.text)
        num_documents[np.unique(places)] += 1
        overlap = index.longest_overlap(places, places >= 0)
        if overlap.num_words >= params.certain_words:
            reasons[document.doc_id] = str(overlap)
        elif overlap.num_words >= params.min_words:
            suspects.add(document.doc_id)
    for document in training_documents(documents):
        if document.doc_id in suspects:
            places = index.look_up(document.text)
            counted = (places >= 0) & (num_documents[places] <= params.max_documents)
            found = [each for each in index.list_overlaps(places, counted) if each.num_words >= params.min_words]
            reason, is_refused = judge_overlaps(document.text, len(places), found, asked)
            if reason:
                (reasons if is_refused else kept)[document.doc_id] = reason
    return reasons, kept


def judge_overlaps(text: str, num_words: int, found: list[Overlap], asked: list[str]) -> tuple[str, bool]:
    """Return the reason of the longest overlap that counts, '' if there is none, and whether it takes the text out."""
    words = {each: cut_words(text, each.first_word, each.num_words) for each in found}
    own = [each for each in found if not is_standard_text(words[each])]
    if not own:
        return (str(Reason("standard text", str(max(found, key=lambda each: each.num_words))))) if found else "", False
    longest = max(own, key=lambda each: each.num_words)
    share = sum(each.num_words for each in own) / num_words
    touches = any(f" {quote} " in f" {words[each]} " for each in own for quote in asked)
    if share >= MIN_SHARE or touches or any(not each.name.startswith(OWN_TEST) for each in own):
        return str(longest), True
    return str(Reason("small share", f"{share:.2%}, {longest.num_words} words with {longest.name}")), False


def list_asked(examples: Iterable[Example], store: DocumentStore) -> list[str]:
    """Return what the test examples ask about: their quotes and answers, in normalised words."""
    texts = {
        normalise_words(text)
        for example in examples
        if is_test(example, store)
        for text in (example.answer, *(span.quote for span in example.evidence))
    }
    return sorted(text for text in texts if text.count(" ") + 1 >= MIN_ASKED_WORDS)


def training_documents(documents: Path) -> Iterator[Document]:
    """Yield the documents of the training split that a prompt may show."""
    for document in read_documents(documents):
        if document.split == "train" and document.category != "review":
            yield document


def listed_books(documents: Path, folder: str) -> dict[str, str]:
    """Map each training document that a list of book numbers names to the reason."""
    numbers = book_numbers(Path(folder)) if folder else {}
    return {
        document.doc_id: str(Reason("listed book", f"{numbers[number]} {number}"))
        for document in training_documents(documents)
        if (number := book_number(document.source)) in numbers
    }


def judge(
    examples: Iterable[Example], store: DocumentStore, refused: dict[str, str], questions: set[str]
) -> Iterator[Example]:
    """Yield each example; training examples to be taken out have a reason."""
    held: list[Example] = list(examples)
    test_pairs = {question_and_answer(example) for example in held if is_test(example, store)}
    for example in held:
        documents = [refused[doc_id] for doc_id in example.doc_ids if doc_id in refused]
        if is_test(example, store):
            yield example
        elif documents:
            yield replace(example, reason=str(Reason("document taken out", documents[0])))
        elif question_and_answer(example) in test_pairs:
            yield replace(example, reason="question and answer of a test row")
        elif normalise_words(example.question) in questions:
            yield replace(example, reason="question of an evaluation set")
        else:
            yield example


def question_and_answer(example: Example) -> str:
    """Return a key that is equal for equal questions with equal answers."""
    return f"{normalise_words(example.question)}\0{normalise_words(example.answer)}"


def is_test(example: Example, store: DocumentStore) -> bool:
    """Tell whether an example is about a test document."""
    return any(store.splits.get(doc_id) == "test" for doc_id in example.doc_ids)


def run(params: ContaminationParams, *, documents: Path, examples: Path, out: Path) -> None:
    """Write the documents and examples without contamination, and the others with their reasons."""
    index = build_index(read_test_texts(documents, params), params.ngram_words)
    store = DocumentStore(documents)
    asked = list_asked(read_examples(examples, "examples*.parquet"), store)
    overlaps, overlaps_kept = overlapping(documents, index, asked, params)
    refused = listed_books(documents, params.evaluation_sets) | overlaps
    sets = read_sets(Path(params.evaluation_sets), "contamination") if params.evaluation_sets else ()
    questions = {normalise_words(piece.text) for piece in sets if piece.is_question} - {""}
    judged = list(judge(read_examples(examples, "examples*.parquet"), store, refused, questions))
    rejected = [example for example in judged if example.reason]
    if all(doc_id in refused for doc_id, split in store.splits.items() if split == "train"):
        raise InputError(
            documents,
            found="an overlap with a test set in every training document",
            expected="at least one without",
            fix="Add documents, or raise contamination.min_words.",
        )
    with replacing(out) as beside:
        beside.mkdir()
        kept = (d for d in read_documents(documents) if d.doc_id not in refused and d.category != "review")
        write_documents(beside / "documents" / "documents-00000.parquet", kept)
        write_examples(beside / "examples" / "examples-00000.parquet", (e for e in judged if not e.reason))
        write_examples(beside / "examples" / "rejected-00000.parquet", rejected)
        write_json(beside / "examples" / "doubts.json", read_doubts(examples))
        write_hits(beside / "hits.jsonl", refused, store)
        report = {
            "test_ngrams": len(index.grams),
            "test_texts": len(index.names),
            "documents": count_reasons(refused.values()),
            "documents_kept_with_overlap": count_reasons(overlaps_kept.values()),
            "documents_by_category": Counter(store.categories[doc_id] for doc_id in refused),
            "examples": count_reasons(example.reason for example in rejected),
        }
        write_json(beside / "report.json", report)
    log.info(
        "contamination: documents %s, examples %s, in %s",
        list_rejections(count_reasons(refused.values())),
        list_rejections(count_reasons(example.reason for example in rejected)),
        out,
    )


def read_doubts(examples: Path) -> dict[str, Any]:
    """Return what `verify` counted of examples in doubt, for the card of the dataset; empty if it did not run."""
    report = examples / "report.json"
    return json.loads(report.read_text(encoding="utf-8")).get("doubts", {}) if report.is_file() else {}


def write_hits(path: Path, refused: dict[str, str], store: DocumentStore) -> None:
    """Write one object per document taken out."""
    with path.open("w", encoding="utf-8") as file:
        for doc_id, reason in sorted(refused.items()):
            row = {"doc_id": doc_id, "reason": reason, "source": store.sources[doc_id]}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    run_stage(run)
