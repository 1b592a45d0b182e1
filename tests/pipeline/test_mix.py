"""The dataset: exact counts, no document on both sides, the same bytes for the same inputs."""

import json
from pathlib import Path

import datasets
import pytest
import yaml

from pipeline.errors import InputError
from pipeline.files import sha256_of
from pipeline.mix import MixParams, run
from pipeline.passages import Passages
from pipeline.records import DocumentStore, read_mixed, write_examples
from pipeline.related import alone
from pipeline.short import ShortParams
from pipeline.short import run as short
from pipeline.teachers.extractive import ask


@pytest.fixture
def params(tmp_path: Path, tiny_tokenizer) -> MixParams:
    tiny_tokenizer.save_pretrained(tmp_path / "tokenizer")
    return MixParams(
        num_long=6, num_short=2, num_test=2, max_tokens=4_000, tokenizer=str(tmp_path / "tokenizer"), seed=1
    )


@pytest.fixture
def inputs(tmp_path: Path, root: Path, curated: Path, documents) -> dict[str, Path]:
    examples = [e for document in documents.values() for e in ask([Passages(document)], alone, 20, seed=1)]
    write_examples(tmp_path / "verify" / "examples-00000.parquet", examples)
    source = str(root / "data" / "sources" / "short.json")
    short(ShortParams(source=source, licence="Apache-2.0", teacher="human"), out=tmp_path / "short")
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
    run(params.model_copy(update={"max_tokens": 600}), **inputs, out=tmp_path / "mix")
    store = DocumentStore(inputs["documents"])
    cut = 0
    for row in read_mixed(tmp_path / "mix", "*.parquet"):
        assert row.num_tokens <= 600
        assert row.instruction.endswith(row.example.question)
        assert row.output == row.example.answer
        for part in row.material:
            words = store[part.doc_id].text[part.start : part.end]
            cut += len(words) < len(store[part.doc_id].text)
            assert row.instruction[part.offset : part.offset + len(words)] == words
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


def test_equal_inputs_give_equal_bytes(tmp_path: Path, params, inputs) -> None:
    hashes = []
    for name in ("one", "two"):
        run(params, **inputs, out=tmp_path / name)
        hashes.append({path.name: sha256_of(path) for path in (tmp_path / name).iterdir()})
    assert hashes[0] == hashes[1]
    assert set(hashes[0]) == {
        "LongAlpaca-12k.json", "README.md", "report.json", "test-00000.parquet", "train-00000.parquet",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("num_long", "num_long': found .* report/cell.* wanted 999"),
        ("num_short", "num_short': found 40 examples"),
        ("num_test", "num_test': found .* paper/figure"),
    ],
)
def test_too_few_examples_are_refused_by_kind(tmp_path: Path, params, inputs, key: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        run(params.model_copy(update={key: 999}), **inputs, out=tmp_path / "mix")
    assert not (tmp_path / "mix").exists()


def test_examples_that_cannot_fit_are_counted(tmp_path: Path, params, inputs) -> None:
    with pytest.raises(InputError, match="key 'num_long': found 0 examples"):
        run(params.model_copy(update={"max_tokens": 70}), **inputs, out=tmp_path / "mix")
