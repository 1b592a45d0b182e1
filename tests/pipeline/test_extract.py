import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError
from reportlab.pdfgen.canvas import Canvas

from pipeline.errors import InputError
from pipeline.extract import ExtractParams, run
from pipeline.fetch import run as fetch
from pipeline.storage.parquet import read_documents
from tests.pipeline.fetching import fetch_params

ROOT = Path(__file__).parents[2]
PARAMS = yaml.safe_load((ROOT / "params.yaml").read_text())["extract"]


def params(tokenizer, **changes):
    return ExtractParams(**PARAMS | {"tokenizer": str(tokenizer), "num_workers": 1, "documents_per_shard": 2} | changes)


@pytest.fixture
def corpus(tmp_path):
    """Five sources: text, PDF, HTML, a broken EPUB, and a duplicate."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    (folder / "a.txt").write_text("CHAPTER I\n\nSome words in a row.")
    page = Canvas(str(folder / "b.pdf"), invariant=True)
    page.drawString(72, 700, "Words on a page")
    page.showPage()
    page.drawString(72, 700, "and on another")
    page.save()
    (folder / "c.html").write_text("<html><h1>Title</h1><p>Words.</p></html>")
    with zipfile.ZipFile(folder / "d.epub", "w") as archive:
        archive.writestr("../evil", "x")
    (folder / "e.txt").write_text("CHAPTER I\n\nSome words in a row.")
    sources = tmp_path / "sources.yaml"
    sources.write_text("- {glob: 'corpus/*', category: book, licence: CC0-1.0, language: en}\n")
    fetch(fetch_params(max_bytes=10**6), sources=sources, out=tmp_path / "fetch")
    return tmp_path / "fetch"


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_every_source_becomes_a_row_in_the_order_of_the_list(corpus, word_tokenizer, tmp_path):
    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")
    rows = list(read_documents(tmp_path / "out"))

    assert [row.source for row in rows] == [
        f"corpus/{name}" for name in ("a.txt", "b.pdf", "c.html", "d.epub", "e.txt")
    ]
    assert [row.error for row in rows] == [
        "",
        "",
        "",
        "hostile: '../evil' lies outside the archive",
        "duplicate: corpus/a.txt",
    ]
    assert [row.num_tokens for row in rows] == [9, 7, 4, 0, 0]
    assert [row.num_pages for row in rows] == [None, 2, None, None, None]
    assert rows[0].sections[0].path == ("CHAPTER I",)
    assert rows[1].text[rows[1].page_offsets[1] :] == "and on another"
    assert {row.licence for row in rows} == {"CC0-1.0"}
    assert sorted(path.name for path in (tmp_path / "out").glob("*.parquet")) == [
        f"documents-0000{n}.parquet" for n in range(3)
    ]


def test_what_the_sources_file_says_goes_before_what_the_file_says(word_tokenizer, tmp_path):
    (tmp_path / "a.html").write_text("<html lang=fr><head><title>Theirs</title></head><p>Words.</p></html>")
    sources = tmp_path / "sources.yaml"
    sources.write_text("- {path: a.html, category: report, licence: '', title: Ours, language: en}")
    fetch(fetch_params(max_bytes=10**6), sources=sources, out=tmp_path / "fetch")

    run(params(word_tokenizer), documents=tmp_path / "fetch", out=tmp_path / "out")

    (row,) = read_documents(tmp_path / "out")
    assert (row.title, row.language) == ("Ours", "en")


def test_workers_do_not_change_the_bytes(corpus, word_tokenizer, tmp_path):
    for num_workers in (1, 2):
        run(params(word_tokenizer, num_workers=num_workers), documents=corpus, out=tmp_path / f"out-{num_workers}")

    assert digests(tmp_path / "out-1") == digests(tmp_path / "out-2")


def run_elsewhere(documents, out, tokenizer, environment, **changes):
    """Run the stage by its command, in another environment; the digests of what it writes."""
    settings = out.with_suffix(".yaml")
    settings.write_text(yaml.safe_dump({"extract": params(tokenizer, **changes).model_dump()}))
    command = [sys.executable, "-m", "pipeline.extract", "--documents", str(documents), "--out", str(out)]
    full = [*command, "--params", str(settings)]
    subprocess.run(full, check=True, cwd=ROOT, env=os.environ | environment, capture_output=True)
    return digests(out)


@pytest.mark.slow
def test_workers_load_hash_seed_time_zone_and_locale_do_not_change_the_bytes(corpus, word_tokenizer, tmp_path):
    runs = {
        "plain": (1, {"PYTHONHASHSEED": "1", "TZ": "UTC"}),
        "two": (2, {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LANG": "C", "LC_ALL": "C"}),
        "four": (4, {"PYTHONHASHSEED": "3", "TZ": "America/St_Johns", "LC_ALL": "POSIX", "PYTHONUTF8": "0"}),
        "loaded": (4, {"PYTHONHASHSEED": "random", "TMPDIR": str(tmp_path)}),
    }
    trees = {}
    for name, (num_workers, environment) in runs.items():
        load = [] if name != "loaded" else [busy() for _ in range(2 * (os.cpu_count() or 1))]
        try:
            trees[name] = run_elsewhere(
                corpus, tmp_path / name, word_tokenizer, environment, num_workers=num_workers, documents_per_shard=1
            )
        finally:
            for process in load:
                process.kill()
                process.wait()

    assert len(trees["plain"]) == 10  # five shards and their markers
    assert trees["plain"] == trees["two"] == trees["four"] == trees["loaded"]


def busy():
    """A process that takes all of a core that it can get."""
    return subprocess.Popen([sys.executable, "-c", "while True: pass"])


def test_the_order_of_the_list_changes_the_order_of_the_rows_and_nothing_else(corpus, word_tokenizer, tmp_path):
    run(params(word_tokenizer, num_workers=2), documents=corpus, out=tmp_path / "out")
    lines = (corpus / "documents.jsonl").read_text().splitlines(keepends=True)
    (corpus / "documents.jsonl").write_text("".join(lines[n] for n in (3, 0, 4, 2, 1)))

    run(params(word_tokenizer, num_workers=2), documents=corpus, out=tmp_path / "shuffled")

    rows, shuffled = list(read_documents(tmp_path / "out")), list(read_documents(tmp_path / "shuffled"))
    assert shuffled == [rows[n] for n in (3, 0, 4, 2, 1)]


def test_a_second_run_leaves_every_file_as_it_is(corpus, word_tokenizer, tmp_path):
    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}

    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")

    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")} == times


def test_a_torn_shard_is_made_again_with_the_same_bytes(corpus, word_tokenizer, tmp_path):
    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")
    before = digests(tmp_path / "out")
    (tmp_path / "out" / "documents-00001.parquet").write_bytes(b"PAR1 torn")

    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")

    assert digests(tmp_path / "out") == before


def test_other_shards_replace_those_of_an_earlier_run(corpus, word_tokenizer, tmp_path):
    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")

    run(params(word_tokenizer, documents_per_shard=5), documents=corpus, out=tmp_path / "out")

    assert [path.name for path in (tmp_path / "out").glob("*.parquet")] == ["documents-00000.parquet"]
    assert len(list(read_documents(tmp_path / "out"))) == 5


def test_the_closing_line_counts_what_came_out_and_why_the_rest_did_not(corpus, word_tokenizer, tmp_path, caplog):
    with caplog.at_level("INFO"):
        run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")

    (line,) = [message for message in caplog.messages if message.startswith("extract:")]
    assert line == f"extract: 3 documents, 20 tokens, 2 pages in {tmp_path / 'out'}, refused 2 (1 duplicate, 1 hostile)"


def test_rows_without_any_text_are_still_written_and_warned_of(corpus, word_tokenizer, tmp_path, caplog):
    lines = [line for line in (corpus / "documents.jsonl").read_text().splitlines() if "epub" in line]
    (corpus / "documents.jsonl").write_text("\n".join(lines) + "\n")

    run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")

    assert len(list(read_documents(tmp_path / "out"))) == 1
    assert any("no document could be read" in message for message in caplog.messages)


def test_an_empty_corpus_is_a_fault_of_the_input(tmp_path, word_tokenizer):
    (tmp_path / "documents.jsonl").touch()

    with pytest.raises(InputError, match="found an empty corpus"):
        run(params(word_tokenizer), documents=tmp_path, out=tmp_path / "out")


def test_a_list_that_fetch_did_not_write_is_a_fault_of_the_input(tmp_path, word_tokenizer):
    (tmp_path / "documents.jsonl").write_text('{"doc_id": 1}\n')

    with pytest.raises(InputError, match=r"documents\.jsonl, line 1: found other keys"):
        run(params(word_tokenizer), documents=tmp_path, out=tmp_path / "out")


def test_a_missing_list_or_file_is_named(corpus, tmp_path, word_tokenizer):
    with pytest.raises(InputError, match=r"documents\.jsonl: found no such file"):
        run(params(word_tokenizer), documents=tmp_path / "nowhere", out=tmp_path / "out")
    for path in (corpus / "files").glob("*.pdf"):
        path.unlink()
    with pytest.raises(InputError, match=r"\.pdf: found no such file"):
        run(params(word_tokenizer), documents=corpus, out=tmp_path / "out")


def test_no_workers_are_a_fault_of_the_input(word_tokenizer):
    with pytest.raises(ValidationError, match=r"num_workers\n.*greater than or equal to 1"):
        params(word_tokenizer, num_workers=0)


LEFT_OUT = {  # running heads, leaders of contents and the blanks between cells: tokens in the manifest's count only
    "reports/developers-reference.pdf": 0.17,
    "reports/federal-register-2020-17221.pdf": 0.20,
    "statements/nke-10-k-2025-07-17.html": 0.17,
    "statements/pg-10-k-2025-08-04.html": 0.17,
}


@pytest.mark.slow
def test_the_real_corpus_is_read_whole(shared, tmp_path):
    """Needs a package index the first time, for the tokenizer that the manifest's counts were made with."""
    manifest = [json.loads(line) for line in (shared / "corpus" / "manifest.jsonl").read_text().splitlines()]
    rows = read_real(shared / "corpus", tmp_path, [f"{kind}s/*" for kind in ("book", "paper", "report", "statement")])

    assert len(rows) == len(manifest) == 20
    for entry in manifest:
        row = rows[str(shared / "corpus" / entry["path"])]
        assert row.error == ""
        assert row.num_pages == entry["pages"]
        allowed = LEFT_OUT.get(entry["path"], 0.15)
        assert row.num_tokens == pytest.approx(entry["approx_tokens"], rel=allowed), entry["path"]


def read_real(folder, tmp_path, patterns):
    """Fetch and extract the files of a folder; source -> row."""
    entries = [{"glob": f"{folder}/{pattern}", "category": "report", "licence": ""} for pattern in patterns]
    sources = tmp_path / "sources.yaml"
    sources.write_text(yaml.safe_dump(entries))
    fetch(fetch_params(max_bytes=10**8), sources=sources, out=tmp_path / "fetch")
    run(ExtractParams(**PARAMS), documents=tmp_path / "fetch", out=tmp_path / "out")
    return {row.source: row for row in read_documents(tmp_path / "out")}
