"""The dataset: exact counts, no document on both sides, the same bytes for the same inputs."""

import json
from dataclasses import replace
from pathlib import Path

import datasets
import lxml.html
import mlcroissant
import pytest
import yaml
from trl import DatasetMixtureConfig, get_dataset
from trl.scripts.utils import DatasetConfig as TrlDataset

from pipeline.dataset.sampling import Family
from pipeline.errors import InputError
from pipeline.files import hash_file
from pipeline.mix import MixParams, run
from pipeline.passages.document_groups import alone
from pipeline.passages.passages import Passages
from pipeline.short import ShortParams
from pipeline.short import run as short
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_examples, read_mixed, write_documents, write_examples
from pipeline.teachers.rule_based import make_examples
from pipeline.tokenization.token_grid import count_tokens
from pipeline.tokenization.tokenizers import load_tokenizer


@pytest.fixture
def params(tmp_path: Path, tiny_tokenizer) -> MixParams:
    tiny_tokenizer.save_pretrained(tmp_path / "tokenizer")
    return MixParams(
        num_long=6,
        num_short=2,
        num_test=2,
        min_tokens=10,
        max_tokens=4_000,
        editions={"600": 600},
        families={},
        distractors=0,
        fill_families=False,
        tokenizer=str(tmp_path / "tokenizer"),
        seed=1,
    )


@pytest.fixture
def inputs(tmp_path: Path, root: Path, curated: Path, documents) -> dict[str, Path]:
    examples = [e for document in documents.values() for e in make_examples([Passages(document)], alone, 20, seed=1)]
    write_examples(tmp_path / "verify" / "examples-00000.parquet", examples)
    source = str(root / "data" / "sources" / "short.json")
    short_params = ShortParams(
        source=source,
        licence="Apache-2.0",
        teacher="human",
        num_examples=100,
        repeated_similarity=0.9,
        evaluation_sets="",
        overlap_words=13,
    )
    short(short_params, out=tmp_path / "short")
    return {"documents": curated, "long": tmp_path / "verify", "short": tmp_path / "short"}


def test_the_counts_are_exact_and_no_document_stands_on_both_sides(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    train, test = (list(read_mixed(tmp_path / "mix", f"{split}*.parquet")) for split in ("train", "test"))
    assert sum(bool(row.material) for row in train) == 6
    assert sum(not row.material for row in train) == 2
    assert len(test) == 2
    assert all(row.material for row in test)
    assert not {d for row in train for d in row.example.doc_ids} & {d for row in test for d in row.example.doc_ids}


def test_the_long_rows_are_spread_over_the_kinds(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    tasks = {row.example.task for row in read_mixed(tmp_path / "mix", "train*.parquet")}
    assert len(tasks) == 6  # of seven kinds six are asked for, one of them under two categories
    assert "short" in tasks


def test_the_material_and_the_evidence_stand_where_they_are_said_to(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    store = DocumentStore(inputs["documents"])
    tokenizer = load_tokenizer(params.tokenizer)
    cut = 0
    for row in read_mixed(tmp_path / "mix" / "600", "*.parquet"):
        assert row.num_tokens == count_tokens(tokenizer, row.instruction) + count_tokens(tokenizer, row.output) <= 600
        assert row.instruction.endswith(row.example.question)
        assert row.output == row.example.answer
        for part in row.material:
            words = store[part.doc_id].text[part.start : part.end]
            cut += len(words) < len(store[part.doc_id].text)
            assert row.instruction[part.offset : part.offset + len(words)] == words
            assert words.endswith((".", "\n", "|", "”", " ")), words[-20:]  # no sentence is cut
        for span in row.example.evidence:
            assert any(part.start <= span.start and span.end <= part.end for part in row.material)
    assert cut


def test_the_json_is_what_the_originals_loader_reads(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    rows = json.loads((tmp_path / "mix" / "LongAlpaca-12k.json").read_text(encoding="utf-8"))
    train = list(read_mixed(tmp_path / "mix", "train*.parquet"))
    assert rows == [{"instruction": row.instruction, "output": row.output} for row in train]


def test_the_card_names_the_files_that_datasets_loads(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    header = yaml.safe_load((tmp_path / "mix" / "README.md").read_text(encoding="utf-8").split("---")[1])
    assert header["license"] == "other"  # the documents' and the short examples' licences differ
    loaded = datasets.load_dataset(str(tmp_path / "mix"), cache_dir=str(tmp_path / "cache"))
    assert {split: rows.num_rows for split, rows in loaded.items()} == {"train": 8, "test": 2}
    shorter = datasets.load_dataset(str(tmp_path / "mix"), "600", cache_dir=str(tmp_path / "cache"))
    assert shorter["train"].num_rows == 8
    assert max(shorter["train"]["num_tokens"]) <= 600 < max(loaded["train"]["num_tokens"])


def test_equal_inputs_give_equal_bytes(tmp_path: Path, params, inputs) -> None:
    hashes = []
    for name in ("one", "two"):
        run(params, **inputs, out=tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        hashes.append({path.relative_to(tmp_path / name).as_posix(): hash_file(path) for path in files})
    assert hashes[0] == hashes[1]
    assert set(hashes[0]) == {
        "600/test-00000.parquet", "600/train-00000.parquet", "LongAlpaca-12k.json", "LongAlpaca-600.json", "README.md",
        "croissant.json", "preview.html", "report.json", "test-00000.parquet", "train-00000.parquet",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (
            "num_long",
            r"num_long': found .* missing \d+ of others; there are .* report/cell \(others\).* expected 999",
        ),
        ("num_short", "num_short': found 40 examples"),
        ("num_test", "num_test': found .* paper/figure"),
    ],
)
def test_too_few_examples_are_refused_by_kind(tmp_path: Path, params, inputs, key: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(params.model_copy(update={key: 999}), **inputs, out=tmp_path / "mix")
    assert not (tmp_path / "mix").exists()


def test_examples_that_cannot_fit_are_counted(tmp_path: Path, params, inputs) -> None:
    with pytest.raises(InputError, match=r"key 'num_long': found 0 examples.*evidence wider than 70 tokens"):
        run(params.model_copy(update={"max_tokens": 70}), **inputs, out=tmp_path / "mix")


def test_rows_are_shared_among_families_and_a_lack_is_named_or_filled(tmp_path: Path, params, inputs) -> None:
    families = {
        "books": Family(share=2, kinds=["book/*"]),
        "reviews": Family(share=1, kinds=["*/review"]),
        "other": Family(share=1, kinds=["*"]),
    }
    strict = params.model_copy(update={"families": families, "num_long": 4})
    with pytest.raises(InputError, match="found 3 examples; missing 1 of reviews"):
        run(strict, **inputs, out=tmp_path / "mix")
    run(strict.model_copy(update={"fill_families": True}), **inputs, out=tmp_path / "mix")
    report = json.loads((tmp_path / "mix" / "report.json").read_text())
    assert sum(family["rows"] for family in report["families"].values()) == 4
    assert [report["families"][name]["target"] for name in families] == [2, 1, 1]
    assert report["families"]["reviews"]["rows"] == 0
    assert "| reviews | 1 | 0 |" in (tmp_path / "mix" / "README.md").read_text()


def test_a_repeated_example_is_one_row(tmp_path: Path, params, inputs) -> None:
    examples = list(read_examples(inputs["long"]))
    write_examples(inputs["long"] / "examples-00001.parquet", examples)
    run(params, **inputs, out=tmp_path / "mix")
    assert sum(bool(row.material) for row in read_mixed(tmp_path / "mix", "train*.parquet")) == 6
    report = json.loads((tmp_path / "mix" / "report.json").read_text())
    assert report["refused"] == {"repeated example": len(examples)}


def test_long_rows_alone_can_be_asked_for(tmp_path: Path, params, inputs) -> None:
    run(params.model_copy(update={"num_short": 0}), **inputs, out=tmp_path / "mix")
    assert all(row.material for row in read_mixed(tmp_path / "mix", "train*.parquet"))


def test_documents_that_are_too_short_and_reviews_are_no_material(tmp_path: Path, params, inputs, documents) -> None:
    store = [replace(d, category="review" if c == "report" else c, group="g") for c, d in documents.items()]
    write_documents(tmp_path / "other" / "documents.parquet", store)
    changed = {**inputs, "documents": tmp_path / "other"}
    run(params.model_copy(update={"num_long": 2}), **changed, out=tmp_path / "mix")
    report = json.loads((tmp_path / "mix" / "report.json").read_text())
    assert report["refused"]["review as material"] > 0
    assert not any(kind.startswith("review/") for kind in report["train"]["kinds"])
    with pytest.raises(InputError, match="documents with fewer than 9999 tokens"):
        run(params.model_copy(update={"min_tokens": 9_999}), **inputs, out=tmp_path / "mix")


def test_the_evidence_is_marked_on_the_page(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    page = lxml.html.fromstring((tmp_path / "mix" / "preview.html").read_text(encoding="utf-8"))
    rows = [row for row in read_mixed(tmp_path / "mix", "train*.parquet") if row.material]
    articles = page.findall(".//article")
    assert len(articles) == len(rows)
    for article, row in zip(articles, rows, strict=True):
        marked = [mark.text for mark in article.iter("mark")]
        assert marked == [e.quote for e in sorted(row.example.evidence, key=lambda e: e.start)]
        assert row.example.question in article.text_content()


@pytest.mark.filterwarnings("ignore")
def test_croissant_reads_the_rows(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "mix" / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    records = list(dataset.records("12k-train-rows"))
    train = list(read_mixed(tmp_path / "mix", "train*.parquet"))
    assert [r["12k-train-rows/output"].decode() for r in records] == [row.output for row in train]
    assert [r["12k-train-rows/num_tokens"] for r in records] == [row.num_tokens for row in train]


def test_the_originals_loader_reads_the_json(tmp_path: Path, params, inputs) -> None:
    run(params, **inputs, out=tmp_path / "mix")
    for name in ("12k", "600"):
        with (tmp_path / "mix" / f"LongAlpaca-{name}.json").open() as file:
            rows = json.load(file)
        assert isinstance(rows, list)
        sources = [row["instruction"] if row.get("input", "") == "" else "" for row in rows]
        targets = [f"{row['output']}</s>" for row in rows]
        assert all(sources)
        assert all(len(target) > len("</s>") for target in targets)


def test_trl_loads_the_folder_as_it_loads_a_dataset_by_name(tmp_path: Path, params, inputs, monkeypatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    run(params, **inputs, out=tmp_path / "mix")
    mixture = DatasetMixtureConfig(datasets=[TrlDataset(path=str(tmp_path / "mix"), columns=["instruction", "output"])])
    loaded = get_dataset(mixture)
    json_rows = json.loads((tmp_path / "mix" / "LongAlpaca-12k.json").read_text())
    assert loaded["train"].to_list() == json_rows
