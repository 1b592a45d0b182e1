import hashlib
import json
import os

import pytest

from pipeline.downloads.manifest import Entry, read_entries, write_entries
from pipeline.errors import InputError
from pipeline.fetch import run
from tests.pipeline.fetching import fetch_params
from tests.pipeline.loopback import serve

PARAMS = fetch_params(max_bytes=10_000)
COMMON = "category: book, licence: CC0-1.0"


def fetch(folder, yaml, params=PARAMS):
    sources = folder / "sources.yaml"
    sources.write_text(yaml)
    run(params, sources=sources, out=folder / "out")
    return read_entries(folder / "out")


@pytest.fixture
def web():
    with serve() as server:
        server.route("/book.txt", b"a book")
        server.route("/moved", status=302, Location="/book.txt")
        server.route("/to-file", status=302, Location="file:///etc/hostname")
        server.route("/huge", b"x" * 20_000)
        yield server


def test_paths_and_patterns_give_one_entry_a_file_in_sorted_order(tmp_path):
    for name in ("b.txt", "a.TXT", "c.pdf"):
        (tmp_path / name).write_text(name)

    entries = fetch(
        tmp_path, f"- {{path: c.pdf, {COMMON}, title: C, authors: [X, Y], date: 2019}}\n- {{glob: '[ab].*', {COMMON}}}"
    )

    assert [entry.source for entry in entries] == ["c.pdf", "a.TXT", "b.txt"]
    assert (entries[0].title, entries[0].authors, entries[0].date) == ("C", ("X", "Y"), "2019")
    assert [entry.media_type for entry in entries] == ["application/pdf", "text/plain", "text/plain"]
    digest = hashlib.sha256(b"c.pdf").hexdigest()
    assert (entries[0].doc_id, entries[0].file) == (digest, f"files/{digest[:16]}.pdf")
    assert (tmp_path / "out" / entries[0].file).read_text() == "c.pdf"


def test_no_path_of_the_machine_is_written_unless_the_user_wrote_it(tmp_path):
    (tmp_path / "a.txt").write_text("a")

    fetch(tmp_path, f"- {{glob: '*.txt', {COMMON}}}")

    assert str(tmp_path) not in (tmp_path / "out" / "documents.jsonl").read_text()


def test_a_name_that_is_not_utf8_is_read_and_written_with_its_bytes(tmp_path):
    for name in (b"\xff.txt", b"a.txt"):
        (tmp_path / os.fsdecode(name)).write_bytes(name)

    entries = fetch(tmp_path, f"- {{glob: '*.txt', {COMMON}}}")

    assert [entry.source for entry in entries] == ["a.txt", "\\xff.txt"]
    assert (tmp_path / "out" / entries[1].file).read_bytes() == b"\xff.txt"


def test_an_absolute_pattern_works(tmp_path):
    (tmp_path / "a.txt").write_text("a")

    assert fetch(tmp_path, f"- {{glob: '{tmp_path}/*.txt', {COMMON}}}")[0].source == f"{tmp_path}/a.txt"


def test_links_are_followed_for_a_path_and_not_for_a_pattern(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link.txt").symlink_to("a.txt")

    assert [e.source for e in fetch(tmp_path, f"- {{glob: '*.txt', {COMMON}}}")] == ["a.txt"]
    assert [e.source for e in fetch(tmp_path, f"- {{path: link.txt, {COMMON}}}")] == ["link.txt"]


def test_the_second_of_two_files_with_the_same_bytes_is_recorded_as_a_duplicate(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("same")

    first, second = fetch(tmp_path, f"- {{glob: '*.txt', {COMMON}}}")

    assert first.file
    assert (second.file, second.error) == ("", "duplicate: a.txt")


def test_a_url_is_downloaded_and_a_redirect_followed(tmp_path, web):
    entries = fetch(tmp_path, f"- {{url: '{web.url}/book.txt', {COMMON}}}\n- {{url: '{web.url}/moved', {COMMON}}}")

    assert (tmp_path / "out" / entries[0].file).read_bytes() == b"a book"
    assert entries[1].error == f"duplicate: {web.url}/book.txt"


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("missing", "fetch: gone: HTTP 404"),
        ("huge", "fetch: too large: 20000 bytes, at most 10000 are expected"),
        ("to-file", "fetch: redirects: to file:/etc/hostname, which is not http or https"),
        ("book.txt', sha256: '" + "0" * 64, f"fetch: sha256: {hashlib.sha256(b'a book').hexdigest()}, expected 000"),
    ],
)
def test_a_url_that_cannot_be_had_is_a_row_with_the_reason(tmp_path, web, page, reason):
    (tmp_path / "a.txt").write_text("a")

    entries = fetch(tmp_path, f"- {{url: '{web.url}/{page}', {COMMON}}}\n- {{path: a.txt, {COMMON}}}")

    assert entries[0].error.startswith(reason)
    assert not (tmp_path / "out" / "partial").exists()
    assert entries[1].error == ""


def test_a_refused_connection_is_a_row_too(tmp_path):
    (tmp_path / "a.txt").write_text("a")

    assert (
        "no connection: 127.0.0.1:9 "
        in fetch(tmp_path, f"- {{url: 'http://127.0.0.1:9/x', {COMMON}}}\n- {{path: a.txt, {COMMON}}}")[0].error
    )


def test_nothing_that_could_be_had_ends_the_stage(tmp_path, web):
    with pytest.raises(InputError, match=r"found no document that could be downloaded .*404"):
        fetch(tmp_path, f"- {{url: '{web.url}/missing', {COMMON}}}")


def test_a_file_larger_than_allowed_is_a_row(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b" * 20_000)

    assert fetch(tmp_path, f"- {{glob: '*.txt', {COMMON}}}")[1].error == "fetch: too large: more than 10000 bytes"


def test_files_of_an_earlier_run_are_removed(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(name)
    fetch(tmp_path, f"- {{glob: '*.txt', {COMMON}}}")

    fetch(tmp_path, f"- {{path: a.txt, {COMMON}}}")

    assert len(list((tmp_path / "out" / "files").iterdir())) == 1


def test_two_runs_write_the_same_bytes(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    fetch(tmp_path, f"- {{path: a.txt, {COMMON}}}")
    once = (tmp_path / "out" / "documents.jsonl").read_bytes()

    fetch(tmp_path, f"- {{path: a.txt, {COMMON}}}")

    assert (tmp_path / "out" / "documents.jsonl").read_bytes() == once
    assert json.loads(once)["authors"] == []


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("", "an empty corpus; expected a YAML list"),
        ("[]", "an empty corpus; expected sources"),
        ("path: a.txt", "found a dict at the top; expected a YAML list"),
        ("- [", "broken YAML"),
        (f"- {{{COMMON}}}", "entry 1: found none of them; expected one of path, glob, url, remote, dataset"),
        (f"- {{path: a, url: 'http://b', {COMMON}}}", "entry 1: found path and url; expected one of"),
        (
            f"- {{path: sources.yaml, {COMMON}}}\n- {{path: nowhere.pdf, {COMMON}}}",
            "entry 2, key 'path': found no file",
        ),
        (f"- {{glob: '*.nothing', {COMMON}}}", r"entry 1, key 'glob': found no file that matches \*\.nothing"),
        (f"- {{url: 'ftp://b', {COMMON}}}", "entry 1, key 'url': found ftp://b; expected http or https"),
        (f"- {{url: 'file:///etc/passwd', {COMMON}}}", "expected http or https"),
        (
            "- {path: a, category: novel, licence: x}",
            "entry 1, key 'category': found 'novel'; expected 'book', 'paper'",
        ),
        ("- {path: a, category: book}", "entry 1, key 'licence': found no such key"),
        (f"- {{path: a, {COMMON}, titel: x}}", "entry 1, key 'titel': found an unknown key; expected path, glob, url"),
        (f"- {{path: a, {COMMON}, sha256: abc}}", "entry 1, key 'sha256': found 'abc'"),
        ("- a.txt", "entry 1: found 'a.txt'"),
    ],
)
def test_a_faulty_sources_file_is_explained(tmp_path, yaml, message):
    with pytest.raises(InputError, match=message):
        fetch(tmp_path, yaml)


def test_a_missing_sources_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.yaml: found no such file"):
        run(PARAMS, sources=tmp_path / "nowhere.yaml", out=tmp_path / "out")


def test_a_line_separator_within_a_title_does_not_cut_its_line(tmp_path):
    entry = Entry("0" * 64, "", "a.txt", "book", "CC0-1.0", title="One\u2028Two", error="fetch: gone")
    write_entries(tmp_path, [entry])
    assert read_entries(tmp_path) == [entry]
