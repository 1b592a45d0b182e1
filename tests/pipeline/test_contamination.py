"""What of the test sets is found in training documents and questions, and what only looks like it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contamination import ContaminationParams, run
from pipeline.decontamination.ngrams import hash_ngrams, longest_run
from pipeline.errors import InputError
from pipeline.records import Document, Example
from pipeline.storage.parquet import read_documents, read_examples, write_documents, write_examples

PARAMS = ContaminationParams(ngram_words=13, min_words=50, max_documents=1, certain_words=200, evaluation_sets="")


def prose(name: str, num_words: int = 400) -> str:
    return " ".join(f"{name}{number}" for number in range(num_words))


def document(name: str, text: str = "", split: str = "train", **fields: object) -> Document:
    return replace(Document(name, "report", f"{name}.txt", text=text or prose(name), split=split), **fields)


def example(name: str, *doc_ids: str, question: str = "", answer: str = "It is so.") -> Example:
    return Example(name, "cell", question or f"What of {name}?", answer, doc_ids=doc_ids, checks=("a",))


def contamination(folder: Path, documents: list[Document], examples: list[Example], params=PARAMS):
    write_documents(folder / "curate" / "documents.parquet", documents)
    write_examples(folder / "verify" / "examples-00000.parquet", examples)
    run(params, documents=folder / "curate", examples=folder / "verify", out=folder / "out")
    kept = [d.doc_id for d in read_documents(folder / "out" / "documents")]
    rejected = {e.example_id: e.reason for e in read_examples(folder / "out" / "examples", "rejected*")}
    hits = [json.loads(line) for line in (folder / "out" / "hits.jsonl").read_text().splitlines()]
    return kept, {hit["doc_id"]: hit["reason"] for hit in hits}, rejected


def test_a_passage_of_a_test_document_is_found_with_its_length(tmp_path: Path) -> None:
    passage = " ".join(prose("held").split()[100:160])
    documents = [
        document("held", split="test"),
        document("leaky", f"{prose('leaky')} {passage.upper()} {prose('more')}"),
        document("sound"),
    ]
    kept, hits, rejected = contamination(tmp_path, documents, [example("a", "leaky"), example("b", "sound")])
    assert kept == ["held", "sound"]
    assert hits == {"leaky": "overlap: 60 words with test document held.txt"}
    assert rejected == {"a": "document taken out: overlap: 60 words with test document held.txt"}


@pytest.mark.parametrize(("num_words", "num_kept"), [(49, 3), (50, 2)])
def test_the_shortest_overlap_that_counts_is_that_of_the_parameter(
    tmp_path: Path, num_words: int, num_kept: int
) -> None:
    passage = " ".join(prose("held").split()[:num_words])
    documents = [document("held", split="test"), document("a", f"{prose('a')} {passage}"), document("b")]
    kept, _, _ = contamination(tmp_path, documents, [])
    assert len(kept) == num_kept


def test_what_stands_in_several_training_documents_is_a_commonplace(tmp_path: Path) -> None:
    clause = prose("clause", 80)
    documents = [document("held", f"{prose('held')} {clause}", split="test")]
    documents += [document(name, f"{prose(name)} {clause}") for name in ("a", "b")]
    kept, hits, _ = contamination(tmp_path, documents, [])
    assert kept == ["held", "a", "b"]
    assert not hits
    kept, hits, _ = contamination(
        tmp_path, [*documents, document("c")], [], PARAMS.model_copy(update={"max_documents": 2})
    )
    assert kept == ["held", "c"]


@pytest.mark.parametrize(("num_words", "num_kept"), [(199, 3), (200, 1)])
def test_a_leak_that_is_too_long_for_a_commonplace_is_found_in_all_documents(
    tmp_path: Path, num_words: int, num_kept: int
) -> None:
    leak = prose("leak", num_words)
    documents = [document("held", f"{prose('held')} {leak}", split="test"), document("c")]
    documents += [document(name, f"{prose(name)} {leak}") for name in ("a", "b")]
    kept, hits, _ = contamination(tmp_path, [*documents], [])
    assert len(kept) == num_kept + 1
    assert set(hits.values()) <= {f"overlap: {num_words} words with test document held.txt"}


def test_reviews_are_neither_searched_nor_passed_on(tmp_path: Path) -> None:
    documents = [document("held", split="test"), document("a"), document("r", category="review", group="g")]
    kept, hits, _ = contamination(tmp_path, documents, [])
    assert kept == ["held", "a"]
    assert not hits


def test_a_question_with_its_answer_is_taken_out_where_a_test_row_has_both(tmp_path: Path) -> None:
    documents = [document("held", split="test"), document("a")]
    examples = [
        example("test", "held", question="Who sold the mill?", answer="Hale."),
        example("same", "a", question="who sold the Mill", answer="hale"),
        example("other answer", "a", question="Who sold the mill?", answer="Quell."),
    ]
    _, _, rejected = contamination(tmp_path, documents, examples)
    assert rejected == {"same": "question and answer of a test row"}


@pytest.mark.parametrize("kind", ["jsonl", "json", "txt"])
def test_a_folder_of_evaluation_sets_is_searched_as_well(tmp_path: Path, kind: str) -> None:
    rows = [{"context": prose("bench"), "input": "What is hidden in bench?", "answers": ["a key"]}]
    sets = tmp_path / "sets" / "longbench"
    sets.mkdir(parents=True)
    content = {"jsonl": json.dumps(rows[0]), "json": json.dumps({"data": rows}), "txt": prose("bench")}[kind]
    (sets / f"qa.{kind}").write_text(content)
    documents = [document("held", split="test"), document("a", f"{prose('a')} {prose('bench')}"), document("b")]
    asked = example("asked", "b", question="What is hidden in bench?")
    params = PARAMS.model_copy(update={"evaluation_sets": str(tmp_path / "sets")})
    kept, hits, rejected = contamination(tmp_path, documents, [asked], params)
    assert kept == ["held", "b"]
    assert hits == {"a": f"overlap: 400 words with qa.{kind}"}
    assert rejected == ({} if kind == "txt" else {"asked": "question of an evaluation set"})


def test_a_set_without_questions_asks_nothing(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "summaries.jsonl").write_text(json.dumps({"context": prose("bench"), "input": ""}))
    params = PARAMS.model_copy(update={"evaluation_sets": str(tmp_path / "sets")})
    _, _, rejected = contamination(tmp_path, [document("a")], [example("mark", "a", question="?!")], params)
    assert not rejected


def test_books_of_a_list_of_numbers_are_taken_out(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "pg19-test.ids").write_text("1342\n84\n")
    source = "https://www.gutenberg.org/ebooks/1342.epub3.images"
    documents = [document("held", split="test"), document("a", source=source), document("b", source="books/pg845.txt")]
    params = PARAMS.model_copy(update={"evaluation_sets": str(tmp_path / "sets")})
    kept, hits, _ = contamination(tmp_path, documents, [], params)
    assert kept == ["held", "b"]
    assert hits == {"a": "listed book: pg19-test.ids 1342"}


def test_an_empty_folder_of_evaluation_sets_and_a_corpus_that_all_overlaps_are_errors(tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    params = PARAMS.model_copy(update={"evaluation_sets": str(tmp_path / "sets")})
    with pytest.raises(InputError, match="no evaluation set"):
        contamination(tmp_path, [document("a")], [], params)
    copied = [document("held", split="test"), document("a", prose("held"))]
    with pytest.raises(InputError, match="an overlap with a test set in every training document"):
        contamination(tmp_path, copied, [])


def test_n_grams_are_those_of_a_slow_count() -> None:
    text = "One two, three: TWO three four.\nOne two three"
    words = ["one", "two", "three", "two", "three", "four", "one", "two", "three"]
    grams = hash_ngrams(text, 2).tolist()
    pairs = [tuple(words[i : i + 2]) for i in range(8)]
    assert len(grams) == 8
    assert all((grams[i] == grams[j]) == (pairs[i] == pairs[j]) for i in range(8) for j in range(8))
    assert len(hash_ngrams("one two", 3)) == 0


@pytest.mark.parametrize(
    ("marks", "run"), [("", (0, 0)), ("0", (0, 0)), ("1", (0, 1)), ("1101110", (3, 3)), ("0011", (2, 2))]
)
def test_the_longest_run_is_found(marks: str, run: tuple[int, int]) -> None:
    assert longest_run(np.array([mark == "1" for mark in marks], bool)) == run


COVER = """
ANNUAL REPORT PURSUANT TO SECTION 13 OR 15(d) OF THE SECURITIES EXCHANGE ACT OF 1934. Indicate by check mark
if the registrant is a well-known seasoned issuer, as defined in Rule 405 of the Securities Act. Yes No.
Indicate by check mark if the registrant is not required to file reports pursuant to Section 13 or Section
15(d) of the Act. Yes No. Indicate by check mark whether the registrant (1) has filed all reports required to
be filed by Section 13 or 15(d) of the Securities Exchange Act of 1934 during the preceding 12 months and (2)
has been subject to such filing requirements for the past 90 days. Indicate by check mark whether the
registrant has submitted electronically every Interactive Data File required to be submitted pursuant to Rule
405 of Regulation S-T. Indicate by check mark whether the registrant is a large accelerated filer, an
accelerated filer, a non-accelerated filer, a smaller reporting company, or an emerging growth company.
"""
LICENCE = """
Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files, to deal in the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and to permit persons to whom the Software is
furnished to do so, provided that the above copyright notice and this permission notice shall be included in
all copies.
"""


@pytest.mark.parametrize("standard", [COVER, LICENCE])
@pytest.mark.parametrize("num_words", [100, 40_000])
def test_standard_text_of_two_documents_is_known_without_a_corpus(
    tmp_path: Path, standard: str, num_words: int
) -> None:
    documents = [
        document("held", f"{standard} {prose('held', num_words)}", split="test"),
        document("a", f"{standard} {prose('a', num_words)}"),
    ]
    kept, hits, rejected = contamination(tmp_path, documents, [example("x", "a")], PARAMS)
    assert (kept, hits, rejected) == (["held", "a"], {}, {})
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["documents_kept_with_overlap"] == {"standard text": 1}


def test_a_leak_beside_standard_text_is_found(tmp_path: Path) -> None:
    leak = " ".join(prose("held").split()[100:160])
    documents = [document("held", f"{COVER} {prose('held')}", split="test"), document("b")]
    documents.append(document("a", f"{COVER} {prose('a')} {leak}"))
    _, hits, _ = contamination(tmp_path, documents, [])
    assert hits == {"a": "overlap: 60 words with test document held.txt"}


@pytest.mark.parametrize(
    ("num_words", "quote", "is_kept"),
    [(9_000, "", False), (20_000, "", True), (20_000, "Held110, held111 held112 held113 held114.", False)],
)
def test_an_overlap_counts_by_its_share_or_by_what_the_test_asks(
    tmp_path: Path, num_words: int, quote: str, is_kept: bool
) -> None:
    leak = " ".join(prose("held").split()[100:160])
    documents = [document("held", split="test"), document("b")]
    documents.append(document("a", f"{prose('a', num_words)} {leak}"))
    asking = replace(example("t", "held"), answer=quote) if quote else example("t", "held")
    kept, hits, _ = contamination(tmp_path, documents, [asking])
    assert ("a" in kept, "a" not in hits) == (is_kept, is_kept)
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["documents_kept_with_overlap"] == ({"small share": 1} if is_kept else {})
