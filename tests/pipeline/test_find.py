"""Each finder against its service as documented: pages, a busy answer, faulty entries, licences that are absent."""

import json
import os
import re

import pytest
import yaml

from pipeline.cli import main
from pipeline.downloads.manifest import read_entries
from pipeline.downloads.sources_file import read_sources
from pipeline.errors import InputError
from pipeline.fetch import run
from pipeline.find import KINDS, find, load
from pipeline.sources.bibtex import attachments
from pipeline.sources.catalogue import Service
from pipeline.sources.gutenberg import death_year, display_name
from pipeline.sources.spdx import spdx_identifier
from tests.pipeline.fetching import fetch_params
from tests.pipeline.loopback import serve
from tests.pipeline.services import SERVICES, openreview_of

COUNT = 300
LEFT_OUT = {
    "gutenberg": "4 no year of death, 1 not public domain by the year of death",
    "standard-ebooks": "no EPUB, .* no licence",
    "arxiv": "no licence, .* other licence",
    "openreview": "no PDF, .* no licence, .* no public review, .* other licence",
    "worldbank": "no PDF, .* no licence, .* other language, .* other licence",
    "imf": "left out none",
    "govinfo": "2 no identifier or title",
    "edgar": "no primary document, .* primary document of another format",
}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("GOVINFO_API_KEY", "k" * 40)
    monkeypatch.setattr("pipeline.sources.catalogue.Service.sleep", lambda seconds: None, raising=False)
    with serve() as server:
        yield server


def number_of(kind):
    return {"imf": 12, "openreview": 2 * COUNT}.get(kind, COUNT)


@pytest.mark.parametrize("kind", SERVICES)
def test_a_finder_lists_what_its_service_has_and_counts_what_it_leaves_out(tmp_path, server, kind, caplog):
    caplog.set_level("INFO", "pipeline.find")
    options = SERVICES[kind](server, COUNT)
    every = load(kind).find.__kwdefaults__ or {}
    out = tmp_path / f"{kind}.yaml"

    find(kind, {**every, **options}, 10 * COUNT, out)

    sources = read_sources(out)
    assert len(sources) >= number_of(kind)
    places = [source.url for source in sources]
    assert len(set(places)) == len(places)
    assert all(source.licence and source.licence_evidence and source.id and source.title for source in sources)
    assert not [source for source in sources if "nonexclusive" in source.licence or "NC" in source.licence]
    assert re.search(LEFT_OUT[kind], caplog.text), caplog.text
    assert "k" * 40 not in out.read_text()


@pytest.mark.parametrize("kind", SERVICES)
def test_a_finder_asks_no_more_of_a_service_than_it_needs_and_writes_the_same_twice(tmp_path, server, kind):
    options = {**(load(kind).find.__kwdefaults__ or {}), **SERVICES[kind](server, COUNT)}

    for name in ("a.yaml", "b.yaml"):
        find(kind, options, 10, tmp_path / name)

    assert (tmp_path / "a.yaml").read_bytes() == (tmp_path / "b.yaml").read_bytes()
    assert len(read_sources(tmp_path / "a.yaml")) == 10
    assert len(server.asked) <= 40


def test_a_book_has_its_authors_and_its_mirror(tmp_path, server):
    options = {**load("gutenberg").find.__kwdefaults__, **SERVICES["gutenberg"](server, 2)}
    find("gutenberg", options, 2, tmp_path / "a.yaml")
    first, second = read_sources(tmp_path / "a.yaml")
    assert (first.url, first.title) == (f"{server.url}/cache/epub/1/pg1.txt", "A Book Number 1")
    assert first.authors == ["Anne Brontë", "J. Doe"]
    assert second.authors == ["Marcus Tullius Cicero"]
    assert first.licence_evidence == "the last of its authors died in 1850; the user states: free if before 1956"


@pytest.mark.parametrize(
    ("person", "name", "death"),
    [
        ("Austen, Jane, 1775-1817", "Jane Austen", 1817),
        ("Homer, 751? BCE-651? BCE", "Homer", -651),
        ("Shaw, Bernard, 1856-1950 [Editor]", "Bernard Shaw", 1950),
        ("Living, Ann, 1950-", "Ann Living", None),
        ("Anonymous", "Anonymous", None),
        ("King, Martin Luther, Jr., 1929-1968", "Martin Luther King Jr.", 1968),
        ("Various", "Various", None),
    ],
)
def test_names_and_years_of_the_catalogue(person, name, death):
    assert death_year(person) == death
    assert display_name(person) == name


def test_a_paper_and_its_reviews_belong_together(tmp_path, server):
    options = {**load("openreview").find.__kwdefaults__, **SERVICES["openreview"](server, 40)}
    find("openreview", options, 3, tmp_path / "a.yaml")
    sources = read_sources(tmp_path / "a.yaml")
    assert [source.category for source in sources] == ["paper", "review"] * 2
    assert len({source.group for source in sources[:2]}) == 1
    assert sources[0].url == f"{server.url}/pdf?id=forum0000"
    assert sources[1].url == f"{server.url}/notes?forum=forum0000"
    assert (sources[0].date, sources[0].licence) == ("2024-01-11", "CC-BY-4.0")


def test_pages_of_openreview_are_gone_through_by_its_client(tmp_path, server):
    options = {**load("openreview").find.__kwdefaults__, **openreview_of(server, 100, limit=30)}
    find("openreview", options, 1_000, tmp_path / "a.yaml")
    assert len(read_sources(tmp_path / "a.yaml")) >= 200
    assert sum("after" in asked.query for asked in server.asked) >= 3


def test_the_largest_pdf_of_a_report_is_taken(tmp_path, server):
    options = {**load("worldbank").find.__kwdefaults__, **SERVICES["worldbank"](server, 40), "years": "2014-2015"}
    find("worldbank", options, 100, tmp_path / "a.yaml")
    sources = read_sources(tmp_path / "a.yaml")
    assert {source.date[:4] for source in sources} == {"2014", "2015"}
    assert all(source.url.endswith("report.pdf/content") and source.size == 5_000 for source in sources)


def test_filings_of_a_company_stay_on_one_side(tmp_path, server):
    options = {**load("edgar").find.__kwdefaults__, **SERVICES["edgar"](server, 200), "forms": "10-K"}
    find("edgar", options, 500, tmp_path / "a.yaml")
    sources = read_sources(tmp_path / "a.yaml")
    assert {source.group for source in sources} == {"edgar:320193"}
    assert sources[0].url == f"{server.url}/Archives/edgar/data/320193/000032019322000000/x-0.htm"
    assert all("10-K" in source.title for source in sources)
    assert "ann@example.org" not in (tmp_path / "a.yaml").read_text()


@pytest.mark.parametrize(
    ("kind", "changed", "words"),
    [
        ("edgar", {"companies": "NOPE"}, "--companies: found NOPE; expected tickers"),
        ("edgar", {"companies": "999"}, "--companies: found CIK 999; expected a company"),
        ("edgar", {"contact": "nobody"}, "--contact: found 'nobody'; expected name and mail address"),
        ("edgar", {"forms": "11-X"}, "--forms: found 11-X"),
        ("openreview", {"venue": "No.cc/2024"}, "The Invitation was not found"),
        ("imf", {"years": "1999"}, "--years: found 1999; expected 2012-2023"),
        ("gutenberg", {"author_died_before": -1000}, "found no document (left out"),
    ],
)
def test_a_fault_of_the_user_is_one_line(tmp_path, server, capsys, kind, changed, words):
    options = {**SERVICES[kind](server, 40), **changed}
    given = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    with pytest.raises(SystemExit) as stopped:
        main(["find", kind, *given, "--max", "5", "--out", str(tmp_path / "a.yaml")])
    said = capsys.readouterr().err
    assert stopped.value.code == 2
    assert words in said
    assert said.count("\n") == 1
    assert not (tmp_path / "a.yaml").exists()


def test_a_key_that_is_missing_or_refused_is_explained(tmp_path, server, monkeypatch):
    options = {**load("govinfo").find.__kwdefaults__, **SERVICES["govinfo"](server, 10)}
    monkeypatch.setenv("GOVINFO_API_KEY", "wrong")
    with pytest.raises(InputError, match=r"HTTP 403 .*API_KEY_INVALID"):
        find("govinfo", options, 5, tmp_path / "a.yaml")
    monkeypatch.delenv("GOVINFO_API_KEY")
    with pytest.raises(InputError, match="Ask for a key"):
        find("govinfo", options, 5, tmp_path / "a.yaml")


def test_a_service_is_asked_at_its_rate_and_left_alone_when_busy(server):
    server.route("/a", b"{}")
    time = [0.0]

    def sleep(seconds):
        time[0] += seconds

    service = Service(server.url, 0.25, sleep=sleep, now=lambda: time[0])
    for _ in range(5):
        service.json("a")
    assert time[0] == 16.0

    server.route("/busy", b"", status=429, Retry_After="120")
    with pytest.raises(InputError, match="no answer in 5 attempts"):
        service.json("busy")
    assert time[0] >= 16 + 5 * 120

    server.route("/busy", b"", status=429, Retry_After="86400")
    with pytest.raises(InputError, match="left alone for 86400 seconds"):
        service.json("busy")


def test_a_service_does_not_send_a_key_to_another_host(server):
    service = Service(server.url, 1e6, headers={"X-Api-Key": "secret"})
    with pytest.raises(InputError, match="a page of another host"):
        service.json("http://elsewhere.example/a?key=1")
    server.route("/moved", status=302, Location="http://elsewhere.example/")
    with pytest.raises(InputError, match="HTTP 302"):
        service.json("moved")


def test_what_is_no_json_or_xml_is_explained(server):
    server.route("/page", b"<html>maintenance")
    with pytest.raises(InputError, match="found no JSON"):
        Service(server.url, 1e6).json("page")
    with pytest.raises(InputError, match="found no XML"):
        Service(server.url, 1e6).xml("page")


@pytest.mark.parametrize(
    ("statement", "licence"),
    [
        ("http://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("https://creativecommons.org/licenses/by-nc-sa/3.0/deed.en", "CC-BY-NC-SA-3.0"),
        ("https://creativecommons.org/licenses/by/3.0/igo/", "CC-BY-3.0-IGO"),
        ("CC BY 4.0", "CC-BY-4.0"),
        ("CC BY-NC-ND 4.0", "CC-BY-NC-ND-4.0"),
        ("CC BY 3.0 IGO", "CC-BY-3.0-IGO"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("http://arxiv.org/licenses/nonexclusive-distrib/1.0/", "LicenseRef-arXiv-nonexclusive"),
        ("All rights reserved", ""),
        ("", ""),
    ],
)
def test_licences_by_their_names(statement, licence):
    assert spdx_identifier(statement) == licence


def test_own_files_have_their_sha256_and_what_is_no_document_is_counted(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("b.pdf", "deep/a.txt", "c.docx", "empty.txt"):
        (tmp_path / "in" / name).write_text("" if "empty" in name else name)
    (tmp_path / "in" / os.fsdecode(b"\xff.txt")).write_text("no name that YAML could hold")
    options = {"files": str(tmp_path / "in"), "category": "report", "licence": "CC0-1.0", "licence_evidence": "mine"}

    find("files", options, 10, tmp_path / "out.yaml")

    sources = read_sources(tmp_path / "out.yaml")
    assert [source.path for source in sources] == ["in/b.pdf", "in/deep/a.txt"]
    assert all(source.sha256 and source.size for source in sources)


def test_a_store_is_listed_by_fsspec_and_fetched_by_it(tmp_path):
    import fsspec

    system = fsspec.filesystem("memory")
    for name in ("b.txt", "a.txt", "c.png"):
        system.pipe(f"/shelf/{name}", name.encode())
    options = {"prefix": "memory://shelf", "category": "book", "licence": "CC0-1.0", "licence_evidence": ""}

    find("store", options, 10, tmp_path / "s.yaml")
    system.rm("/shelf/b.txt")
    run(fetch_params(), sources=tmp_path / "s.yaml", out=tmp_path / "out")

    first, second = read_entries(tmp_path / "out")
    assert (tmp_path / "out" / first.file).read_bytes() == b"a.txt"
    assert second.error.startswith("fetch: gone: memory://")


def test_a_page_of_links_is_listed_as_urls(tmp_path, server):
    server.route(
        "/shelf/", b'<a href="a.pdf">a</a> <a href="b.txt">b</a> <a href="c.png">c</a>', Content_Type="text/html"
    )
    for name in ("a.pdf", "b.txt", "c.png"):
        server.route(f"/shelf/{name}", name.encode())
    options = {"prefix": f"{server.url}/shelf/", "category": "book", "licence": "CC0-1.0", "licence_evidence": ""}
    find("store", options, 10, tmp_path / "s.yaml")
    assert [source.url for source in read_sources(tmp_path / "s.yaml")] == [
        f"{server.url}/shelf/{n}" for n in ("a.pdf", "b.txt")
    ]


BIBTEX = r"""
@article{one, title = {On {S}low {\"U}bung}, author = {Doe, Jane and {The Group}}, year = 2019,
  file = {Full Text:files/1/a\;b.pdf:application/pdf;Snapshot:files/1/a.html:text/html}}
@misc{two, title = {Web}, author = {Roe, R.}, date = {2020-05-01}, url = {https://example.org/two.pdf},
  license = {CC BY 4.0}}
@misc{three, title = {Nothing}}
"""


def test_a_library_gives_its_attachments(tmp_path):
    (tmp_path / "files" / "1").mkdir(parents=True)
    for name in ("a;b.pdf", "a.html"):
        (tmp_path / "files" / "1" / name).write_text(name)
    (tmp_path / "lib.bib").write_text(BIBTEX, encoding="utf-8")
    options = {"file": tmp_path / "lib.bib", "licence": "unknown", "category": "paper", "licence_evidence": ""}

    find("bibtex", options, 10, tmp_path / "out.yaml")

    one, two = read_sources(tmp_path / "out.yaml")
    assert (one.title, one.authors, one.date, one.licence) == (
        "On Slow Übung",
        ["Jane Doe", "The Group"],
        "2019",
        "unknown",
    )
    assert one.path == "files/1/a;b.pdf"
    assert (two.url, two.licence, two.date) == ("https://example.org/two.pdf", "CC-BY-4.0", "2020-05-01")


def test_a_path_alone_is_an_attachment_too(tmp_path):
    assert [path.name for path in attachments("a.pdf;b.pdf", tmp_path)] == ["a.pdf", "b.pdf"]


def test_a_broken_library_is_named(tmp_path):
    (tmp_path / "lib.bib").write_text("@article{one, title = {Open", encoding="utf-8")
    options = {"file": tmp_path / "lib.bib", "licence": "x", "category": "paper", "licence_evidence": ""}
    with pytest.raises(InputError, match=r"lib\.bib, line 1"):
        find("bibtex", options, 10, tmp_path / "out.yaml")


def test_a_list_of_urls_has_the_licence_that_its_publisher_states(tmp_path):
    (tmp_path / "urls.txt").write_text(
        "# reports\nhttps://example.org/a.pdf Annual report\n\nnot a url\nhttps://example.org/b.pdf\n"
    )
    options = {
        "file": tmp_path / "urls.txt",
        "category": "report",
        "licence": "CC-BY-4.0",
        "licence_evidence": "https://example.org",
    }
    find("urls", options, 10, tmp_path / "out.yaml")
    rows = yaml.safe_load((tmp_path / "out.yaml").read_text())
    assert [(row["url"], row.get("title", "")) for row in rows] == [
        ("https://example.org/a.pdf", "Annual report"),
        ("https://example.org/b.pdf", ""),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_a_finder_explains_itself_and_names_its_terms(kind, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["find", kind, "--help"])
    printed = capsys.readouterr().out
    assert stopped.value.code == 0
    assert "--max N" in printed
    assert kind in {"files", "urls", "store", "bibtex"} or ("Terms" in printed and "https://" in printed)


def test_an_unknown_kind_is_refused_with_those_that_there_are(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["find", "guttenberg"])
    assert stopped.value.code == 2
    assert "found guttenberg; expected one of gutenberg, standard-ebooks" in capsys.readouterr().err


def test_finders_are_listed(capsys):
    with pytest.raises(SystemExit):
        main(["find", "--help"])
    printed = capsys.readouterr().out
    assert all(kind in printed for kind in KINDS)


def test_json_of_services_has_no_key_in_a_sources_file(tmp_path, server):
    options = {**load("govinfo").find.__kwdefaults__, **SERVICES["govinfo"](server, 10)}
    find("govinfo", options, 5, tmp_path / "a.yaml")
    assert "k" * 40 not in json.dumps(yaml.safe_load((tmp_path / "a.yaml").read_text()))


def test_the_rows_of_a_data_set_become_documents(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "set").mkdir()
    texts = ["First text.", "", "Third text.", "Fourth text."]
    pq.write_table(pa.table({"text": texts, "n": [1, 2, 3, 4]}), tmp_path / "set" / "data.parquet")
    about = {"category": "book", "licence": "CC0-1.0", "licence_evidence": "its card", "language": "en"}
    options = {"dataset": str(tmp_path / "set"), "column": "text", "split": "train", **about}

    find("hub", options, 5, tmp_path / "s.yaml")
    run(fetch_params(), sources=tmp_path / "s.yaml", out=tmp_path / "out")

    entries = read_entries(tmp_path / "out")
    assert [(tmp_path / "out" / entry.file).read_text() for entry in entries if entry.file] == [
        "First text.",
        "Third text.",
        "Fourth text.",
    ]
    assert entries[1].error == "fetch: empty: the row has no text"
    assert entries[0].source == "set#train/text/0"
    assert {entry.error for entry in entries[4:]} <= {"fetch: gone: no such row"}


@pytest.mark.parametrize(
    ("changed", "words"), [({"column": "txt"}, "expected column txt of train"), ({"split": "trial"}, "trial")]
)
def test_a_data_set_without_the_column_or_split_is_named(tmp_path, changed, words):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "data.jsonl").write_text(json.dumps({"text": "a"}) + "\n")
    entry = {
        "dataset": "set",
        "split": "train",
        "column": "text",
        "row": 0,
        "category": "book",
        "licence": "x",
        **changed,
    }
    (tmp_path / "s.yaml").write_text(yaml.safe_dump([entry]))
    with pytest.raises(InputError, match=words):
        run(fetch_params(), sources=tmp_path / "s.yaml", out=tmp_path / "out")
