"""Which documents are kept, and why the others are not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.curate import CurateParams, run
from pipeline.errors import InputError
from pipeline.records import Document, read_documents, write_documents

PARAMS = CurateParams(min_tokens=10, max_garbage_ratio=0.01, near_duplicate_similarity=0.7, test_fraction=0.2, seed=1)


def document(name: str, text: str, **fields: object) -> Document:
    base = Document(name, "report", f"{name}.pdf", media_type="application/pdf", num_tokens=100, text=text)
    return replace(base, **fields)


def prose(start: int, num_words: int = 400) -> str:
    return " ".join(f"word{number * number % 9973}" for number in range(start, start + num_words))


def curate(folder: Path, documents: list[Document], params: CurateParams = PARAMS):
    write_documents(folder / "extract" / "documents-00000.parquet", documents)
    run(params, documents=folder / "extract", out=folder / "curate")
    refused = (folder / "curate" / "refused.jsonl").read_text().splitlines()
    return list(read_documents(folder / "curate")), {r["doc_id"]: r["reason"] for r in map(json.loads, refused)}


def test_every_document_is_kept_or_refused_with_a_reason(tmp_path: Path) -> None:
    documents = [
        document("sound", prose(0)),
        document("unreadable", "", error="encrypted"),
        document("short", "few words", num_tokens=9),
        document("garbled", prose(1000) + "\ufffd" * 100),
    ]
    kept, refused = curate(tmp_path, documents)
    assert [d.doc_id for d in kept] == ["sound"]
    assert refused["unreadable"] == "unreadable: encrypted"
    assert refused["short"].startswith("short: ")
    assert refused["garbled"].startswith("garbled: ")


def test_of_near_duplicates_the_format_that_keeps_most_is_kept(tmp_path: Path) -> None:
    text = prose(0)
    documents = [
        document("as pdf", text.replace("word1 ", "word-1 ", 3)),
        document("as html", text, media_type="text/html", source="a.html"),
        document("another", prose(5000)),
    ]
    kept, refused = curate(tmp_path, documents)
    assert [d.doc_id for d in kept] == ["as html", "another"]
    assert refused == {"as pdf": "near-duplicate of a.html"}


def test_documents_that_share_a_third_of_their_words_are_two(tmp_path: Path) -> None:
    kept, refused = curate(tmp_path, [document("a", prose(0, 300)), document("b", prose(200, 300))])
    assert len(kept) == 2
    assert not refused


def test_the_order_of_the_documents_decides_nothing(tmp_path: Path) -> None:
    documents = [document(str(number), prose(1000 * number)) for number in range(9)]
    documents.append(document("9", prose(3000), media_type="text/html"))
    kept, refused = curate(tmp_path / "a", documents)
    turned, refused_turned = curate(tmp_path / "b", documents[::-1])
    assert sorted(turned, key=lambda d: d.doc_id) == sorted(kept, key=lambda d: d.doc_id)
    assert refused == refused_turned


def test_each_category_gives_its_share_to_the_test_split(tmp_path: Path) -> None:
    documents = [document(f"r{number}", prose(700 * number)) for number in range(10)]
    documents += [document(f"b{number}", prose(-700 * (number + 1)), category="book") for number in range(2)]
    documents.append(document("p", prose(90_000), category="paper"))
    kept, _ = curate(tmp_path, documents)
    tests = [d.category for d in kept if d.split == "test"]
    assert sorted(tests) == ["book", "report", "report"]


def test_a_corpus_without_a_sound_document_is_an_error_that_counts_the_reasons(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"refused 2 \(1 short, 1 unreadable\)"):
        curate(tmp_path, [document("a", "", error="broken"), document("b", "x", num_tokens=1)])
    assert not (tmp_path / "curate").exists()
