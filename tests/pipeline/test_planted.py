"""What is planted in a corpus is found, all of it with its reason, and hardly anything else."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.benchmarks.mixing import prose, sample_vocabulary
from pipeline.contamination import ContaminationParams
from pipeline.contamination import run as contamination
from pipeline.curate import CurateParams, run
from pipeline.curation.pii import find_private
from pipeline.records import Document
from pipeline.storage.parquet import read_documents, write_documents, write_examples
from tests.pipeline.curation.test_pii import SECRETS

pytestmark = pytest.mark.slow

NUM_SOUND = 500
KINDS = sorted(SECRETS)[:12]
LICENCE_FAULTS = (
    "unknown",
    "",
    "CC-BY-NC-4.0",
    "CC-BY-ND-4.0",
    "GPL-3.0-only",
    "proprietary",
    "CC-BY",
    "None",
    "CC0",
    "MIT?",
)
CATEGORIES = ("book", "paper", "report", "statement")


@pytest.fixture(scope="module")
def params(root: Path) -> CurateParams:
    """Those of the repository, as for publishing."""
    return CurateParams.load(root / "params.yaml").model_copy(update={"publishing": True})


@pytest.fixture(scope="module")
def sound() -> list[Document]:
    """Documents of 3,000 words, each of its own; among them many that private things could be seen in by mistake."""
    vocabulary = sample_vocabulary(1)
    documents = []
    for number in range(NUM_SOUND):
        chance = random.Random(number)
        figures = "".join(
            f"\n\nThe table {n} of {1990 + n} has {chance.randrange(10**6):,} and ({chance.randrange(999)}) in "
            f"{chance.randrange(10**9):09d}-{n}, 10.{chance.randrange(1000, 9999)}/x{n}, 555-{chance.randrange(999)}."
            for n in range(10)
        )
        text = prose(vocabulary, chance, 18_000) + figures
        category = CATEGORIES[number % 4]
        documents.append(
            Document(f"{number:064x}", category, f"{number}.html", licence="CC0-1.0", num_tokens=5_000, text=text)
        )
    return documents


def near_duplicate(document: Document, number: int) -> Document:
    """Change a word of sixty, or leave out a twentieth of the paragraphs, or the layout and case alone."""
    chance = random.Random(f"near {number}")
    if number % 3 == 0:
        words = [word if chance.random() > 1 / 60 else "other" for word in document.text.split(" ")]
        text = " ".join(words)
    elif number % 3 == 1:
        paragraphs = document.text.split("\n\n")
        text = "\n\n".join(part for n, part in enumerate(paragraphs) if n % 20 != number % 20)
    else:
        text = document.text.replace(". ", ".\n").replace("The table", "THE TABLE")
    source, media_type = (f"{number}.pdf", "application/pdf") if number % 2 else (f"{number}.txt", "text/plain")
    return replace(document, doc_id=f"near{number:060x}", source=source, media_type=media_type, text=text)


def test_all_near_duplicates_secrets_and_licence_faults_are_found(tmp_path: Path, params, sound) -> None:
    first = [replace(document, media_type="text/html") for document in sound[:200]]
    near = [near_duplicate(document, number) for number, document in enumerate(first)]
    secret = []
    for number, document in enumerate(sound[200:230]):
        middle = document.text.index("\n\n", 9_000)
        told = f"\n\n{SECRETS[KINDS[number % 12]]}"
        text = document.text[:middle] + told + document.text[middle:]
        secret.append(replace(document, text=text))
    faulty = [replace(d, licence=LICENCE_FAULTS[n % 9]) for n, d in enumerate(sound[230:250])]
    documents = [*first, *near, *secret, *faulty, *sound[250:]]
    random.Random(1).shuffle(documents)
    write_documents(tmp_path / "extract" / "documents.parquet", documents)
    run(params, documents=tmp_path / "extract", out=tmp_path / "curate")
    rows = map(json.loads, (tmp_path / "curate" / "refused.jsonl").read_text().splitlines())
    refused = {row["doc_id"]: row["reason"] for row in rows}
    kept = {document.doc_id: document for document in read_documents(tmp_path / "curate")}
    for number, document in enumerate(near):
        assert refused.pop(document.doc_id).removeprefix("near-") == f"duplicate: {number}.html"
    for document in faulty:
        reason = refused.pop(document.doc_id)
        assert reason.startswith(("unknown licence: ", f"licence not allowed: {document.licence}")), reason
    for number, document in enumerate(secret):
        found = kept[document.doc_id]
        assert f"1 secret {KINDS[number % 12]}" in found.warnings[0]
        assert SECRETS[KINDS[number % 12]] not in found.text
        assert len(found.text) == len(document.text)
    report = json.loads((tmp_path / "curate" / "report.json").read_text())
    assert sum(count for kind, count in report["masked"].items() if kind.startswith("secret")) >= 30
    untouched = [*first, *sound[250:]]
    false_alarms = len(refused) + sum(kept[d.doc_id].text != d.text for d in untouched if d.doc_id in kept)
    assert false_alarms <= 0.01 * len(untouched), Counter(refused.values())


def test_all_leaks_of_test_documents_are_found(tmp_path: Path, root: Path, params, sound) -> None:
    write_documents(tmp_path / "extract" / "documents.parquet", sound)
    run(params, documents=tmp_path / "extract", out=tmp_path / "curate")
    documents = list(read_documents(tmp_path / "curate"))
    tests = [document for document in documents if document.split == "test"]
    train = [document for document in documents if document.split == "train"]
    leaky = {}
    for number, document in enumerate(train[:50]):
        chance = random.Random(f"leak {number}")
        words = tests[number % len(tests)].text.split(" ")
        start = chance.randrange(len(words) // 2)
        passage = " ".join(words[start : start + chance.randrange(60, 200)])
        middle = document.text.index(". ", chance.randrange(15_000)) + 2
        text = f"{document.text[:middle]}{passage} {document.text[middle:]}"
        leaky[document.doc_id] = replace(document, text=text), tests[number % len(tests)].source
    planted = [leaky[d.doc_id][0] if d.doc_id in leaky else d for d in documents]
    write_documents(tmp_path / "planted" / "documents.parquet", planted)
    write_examples(tmp_path / "verify" / "examples-00000.parquet", [])
    settings = ContaminationParams.load(root / "params.yaml")
    contamination(settings, documents=tmp_path / "planted", examples=tmp_path / "verify", out=tmp_path / "out")
    hits = list(map(json.loads, (tmp_path / "out" / "hits.jsonl").read_text().splitlines()))
    found = {hit["doc_id"]: hit["reason"] for hit in hits}
    for doc_id, (_, source) in leaky.items():
        reason = found.pop(doc_id)
        assert reason.startswith("overlap: ")
        assert reason.endswith(f" words with test document {source}")
    assert len(found) <= 0.01 * (len(train) - 50), found
    assert not {d.doc_id for d in read_documents(tmp_path / "out" / "documents")} & set(leaky)


def test_the_sound_documents_have_figures_that_look_private(sound) -> None:
    found = [d for d in sound if find_private(d.text, ("email", "phone", "secret"))]
    assert len(found) <= 0.01 * len(sound)
