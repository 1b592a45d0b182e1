"""Which documents are kept, and why the others are not."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.curate import CurateParams, run
from pipeline.errors import InputError
from pipeline.records import Document, Section
from pipeline.storage.parquet import read_documents, write_documents

PARAMS = CurateParams(
    min_tokens=10,
    max_garbage_ratio=0.01,
    min_page_score=0.9,
    max_doubtful_pages=0.1,
    quality=False,
    languages=[],
    near_duplicate_similarity=0.7,
    emails="mask",
    phones="mask",
    secrets="mask",
    licences=["CC0-1.0", "CC-BY-4.0"],
    publishing=False,
    test_fraction=0.2,
    seed=1,
)


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
        document("doubtful", prose(1500) + " whlch thngs br0ught" * 60, page_offsets=(0, len(prose(1500)))),
    ]
    kept, refused = curate(tmp_path, documents)
    assert [d.doc_id for d in kept] == ["sound"]
    assert refused["unreadable"] == "unreadable: encrypted"
    assert refused["short"].startswith("short: ")
    assert refused["garbled"].startswith("garbled: ")
    assert refused["doubtful"].startswith("doubtful pages: 50% ")


def test_of_near_duplicates_the_format_that_keeps_most_is_kept(tmp_path: Path) -> None:
    text = prose(0)
    documents = [
        document("as pdf", text.replace("word1 ", "word-1 ", 3)),
        document("as html", text, media_type="text/html", source="a.html"),
        document("another", prose(5000)),
    ]
    kept, refused = curate(tmp_path, documents)
    assert [d.doc_id for d in kept] == ["as html", "another"]
    assert refused == {"as pdf": "near-duplicate: a.html"}


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


def test_the_same_words_in_another_layout_are_a_duplicate(tmp_path: Path) -> None:
    text = prose(0)
    documents = [document("a", text), document("b", text.replace(" ", "\n").upper(), media_type="text/html")]
    kept, refused = curate(tmp_path, documents)
    assert [d.doc_id for d in kept] == ["b"]
    assert refused == {"a": "duplicate: b.pdf"}


def test_documents_of_a_group_stay_on_one_side(tmp_path: Path) -> None:
    documents = [
        document(f"{kind}{n}", " ".join(f"{kind}{n}x{i}" for i in range(400)), category=kind, group=f"g{n}")
        for n in range(12)
        for kind in ("paper", "review")
    ]
    kept, _ = curate(tmp_path, documents)
    sides = {d.group: {other.split for other in kept if other.group == d.group} for d in kept}
    assert len(kept) == 24
    assert all(len(splits) == 1 for splits in sides.values())
    assert sum(splits == {"test"} for splits in sides.values()) == 2


def test_a_review_may_be_short_and_goes_when_its_paper_goes(tmp_path: Path) -> None:
    documents = [
        document("paper", prose(0), category="paper", group="a"),
        document("review", "Accept.", category="review", group="a", num_tokens=2),
        document("too short", "few words", category="paper", group="b", num_tokens=9),
        document("its review", "Reject.", category="review", group="b", num_tokens=2),
    ]
    kept, refused = curate(tmp_path, documents)
    assert [d.doc_id for d in kept] == ["paper", "review"]
    assert refused["its review"] == "review without its paper"


@pytest.mark.parametrize(
    ("licence", "publishing", "reason"),
    [
        ("cc-by-4.0", True, ""),
        ("unknown", False, ""),
        ("", False, ""),
        ("", True, "unknown licence: for private use only"),
        ("CC-BY-NC-4.0", False, "licence not allowed: CC-BY-NC-4.0"),
        ("CC-BY-4", True, "licence not allowed: CC-BY-4"),
    ],
)
def test_a_licence_is_allowed_by_name_and_an_unknown_one_in_private(
    tmp_path: Path, licence: str, publishing: bool, reason: str
) -> None:
    documents = [document("a", prose(0), licence=licence), document("b", prose(5_000), licence="CC0-1.0")]
    _, refused = curate(tmp_path, documents, PARAMS.model_copy(update={"publishing": publishing}))
    assert refused.get("a", "") == reason


def test_what_is_private_is_masked_in_place(tmp_path: Path) -> None:
    text = f"Write to jane.doe@example.org or +44 20 7946 0018.\n\n{prose(0)}\n\nghp_{'a1B2' * 9}"
    (kept,), _ = curate(tmp_path, [document("a", text, sections=(Section(("One",), 0, len(text)),))])
    assert len(kept.text) == len(text)
    assert kept.text.startswith(f"Write to {'X' * 20} or {'X' * 16}.\n\n{prose(0)}\n\nXXXX")
    assert kept.text.endswith("X" * 40)
    assert kept.warnings == ("masked: 1 email, 1 phone, 1 secret GitHub Token",)


@pytest.mark.parametrize(("way", "num_kept"), [("refuse", 0), ("keep", 1)])
def test_what_is_private_is_refused_or_kept_by_parameter(tmp_path: Path, way: str, num_kept: int) -> None:
    text = f"{prose(0)} jane.doe@example.org"
    kept, refused = curate(
        tmp_path, [document("a", text), document("b", prose(5_000))], PARAMS.model_copy(update={"emails": way})
    )
    assert [d.text for d in kept if d.doc_id == "a"] == [text] * num_kept
    assert refused == ({} if num_kept else {"a": "private: 1 email"})


def test_another_language_is_refused_by_name(tmp_path: Path) -> None:
    german = (
        "Der Müller zählte die Säcke, die am Morgen vor der Tür standen, und ging dann langsam zum Fluss hinunter. "
    )
    english = "The miller counted the sacks that stood before the door in the morning, and then walked to the river. "
    documents = [document("de", german * 20), document("en", english * 20)]
    kept, refused = curate(tmp_path, documents, PARAMS.model_copy(update={"languages": ["en"]}))
    assert [d.doc_id for d in kept] == ["en"]
    assert refused == {"de": "language: de"}


def test_the_report_counts_what_was_kept_refused_and_masked(tmp_path: Path) -> None:
    documents = [document("a", f"{prose(0)} a@example.org b@example.org"), document("b", "", error="broken")]
    curate(tmp_path, documents)
    report = json.loads((tmp_path / "curate" / "report.json").read_text())
    assert report == {
        "kept": {"report/train": 1},
        "licences": {"unknown": 1},
        "masked": {"email": 2},
        "refused_by_reason": {"unreadable": 1},
    }
