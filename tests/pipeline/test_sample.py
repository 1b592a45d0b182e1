import hashlib
import json
import logging
import re
import zipfile
from collections import Counter
from pathlib import Path

import lxml.etree
import lxml.html
import pypdfium2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sample import SampleParams, editions, run
from pipeline.synthetic.grammar import Grammar, needs_an, random_for, tidy
from pipeline.synthetic.ledger import BASE_YEAR, CASH_FLOW_PARTS, YEARS, make_ledger
from pipeline.synthetic.manuscript import Box, Manuscript, Prose, Table
from pipeline.synthetic.outlook import REPORT_YEARS, compose_outlook
from pipeline.synthetic.outlook_series import make_world

SEED = 2023
OTHER_SEED = 7
CHARACTERS_PER_TOKEN = 4.3
IX = "{http://www.xbrl.org/2013/inlineXBRL}"
XHTML = {"h": "http://www.w3.org/1999/xhtml"}
IGNORED = re.compile(
    "[\\s\\-\N{SOFT HYPHEN}\x02\ufffe]+"
)  # pdfium marks a hyphen at a line's end by one of the last two


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    out = tmp_path_factory.mktemp("sample") / "out"
    run(SampleParams(seed=SEED), out=out)
    return out


@pytest.fixture(scope="session")
def sources(corpus):
    return yaml.safe_load((corpus / "sources.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def documents(sources):
    """The sources but the reviews: no question is asked about these alone."""
    return [source for source in sources if source["category"] != "review"]


@pytest.fixture(scope="session")
def facts(corpus):
    return [json.loads(line) for line in (corpus / "facts.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def texts(corpus, documents):
    return {source["path"]: raw_text(corpus / source["path"]) for source in documents}


def raw_text(path: Path) -> str:
    match path.suffix:
        case ".txt":
            return path.read_text(encoding="utf-8")
        case ".pdf":
            with pypdfium2.PdfDocument(path) as document:
                return "\n".join(page.get_textpage().get_text_bounded() for page in document)
        case ".epub":
            return "\n".join(chapter_texts(path))
        case _:
            return "\n".join(lxml.html.fromstring(path.read_bytes()).itertext())


def chapter_texts(path: Path) -> list[str]:
    """Read an EPUB as a reader does: container, package, spine."""
    with zipfile.ZipFile(path) as archive:
        container = lxml.etree.fromstring(archive.read("META-INF/container.xml"))
        package_path = container.find(".//{*}rootfile").get("full-path")
        package = lxml.etree.fromstring(archive.read(package_path))
        files = {item.get("id"): item.get("href") for item in package.iterfind(".//{*}manifest/{*}item")}
        folder = package_path.rpartition("/")[0]
        pages = [
            archive.read(f"{folder}/{files[ref.get('idref')]}") for ref in package.iterfind(".//{*}spine/{*}itemref")
        ]
    return ["\n".join(lxml.etree.fromstring(page).itertext()) for page in pages]


def squeezed(text: str) -> str:
    return IGNORED.sub("", text)


def tree_hash(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def prose_of(manuscript: Manuscript) -> list[str]:
    paragraphs = []
    for block in manuscript.blocks:
        paragraphs += [block] if isinstance(block, Prose) else block.paragraphs if isinstance(block, Box) else []
    return [paragraph.text for paragraph in paragraphs]


def tables_of(manuscript: Manuscript) -> dict[str, Table]:
    return {block.caption: block for block in manuscript.blocks if isinstance(block, Table)}


def amount(shown: str) -> float:
    digits = float(re.sub(r"[^\d.]", "", shown) or 0)
    return -digits if "(" in shown else digits


def test_a_second_run_writes_the_same_bytes(corpus, tmp_path):
    run(SampleParams(seed=SEED), out=tmp_path / "again")
    assert tree_hash(tmp_path / "again") == tree_hash(corpus)


def test_another_seed_gives_other_documents():
    titles, others = ({edition.manuscript.title for edition in editions(seed)} for seed in (SEED, OTHER_SEED))
    assert len(titles) == len(others) == 28
    assert not titles & others


def test_every_category_has_its_documents(sources):
    assert Counter(source["category"] for source in sources) == {
        "book": 4,
        "paper": 4,
        "report": 24,
        "review": 4,
        "statement": 4,
    }
    endings = Counter((source["category"], Path(source["path"]).suffix) for source in sources)
    assert endings["book", ".epub"] == endings["book", ".txt"] == 2
    assert endings["report", ".pdf"] == endings["report", ".html"] == 12
    assert endings["statement", ".xhtml"] == endings["statement", ".pdf"] == 2


def test_the_list_of_sources_describes_every_file(corpus, sources):
    assert {source["path"] for source in sources} == {
        path.relative_to(corpus).as_posix() for path in corpus.glob("*/*") if path.is_file()
    }
    for source in sources:
        assert hashlib.sha256((corpus / source["path"]).read_bytes()).hexdigest() == source["sha256"]
        assert source["licence"] == "CC0-1.0"
        assert source["language"] == "en"
        assert source["title"]
        assert source.get("authors") or source["category"] == "review"
        assert source["date"]


def test_a_paper_and_its_reviews_stay_together(sources):
    groups = {}
    for source in sources:
        groups.setdefault(source.get("group"), []).append(source["category"])
    assert sorted(groups.pop(None)) == ["book"] * 4 + ["report"] * 24 + ["statement"] * 4
    assert all(sorted(categories) == ["paper", "review"] for categories in groups.values())


def test_documents_are_as_long_as_they_should_be(texts, sources):
    num_tokens = {path: len(text) / CHARACTERS_PER_TOKEN for path, text in texts.items()}
    assert all(4_000 <= number <= 40_000 for number in num_tokens.values())
    for category in ("book", "paper", "statement"):
        numbers = [num_tokens[source["path"]] for source in sources if source["category"] == category]
        assert any(14_000 <= number <= 30_000 for number in numbers)
    reports = [number for path, number in num_tokens.items() if path.startswith("reports") and path.endswith("html")]
    assert sum(number >= 14_000 for number in reports) >= 3
    assert sum(number for path, number in num_tokens.items() if not path.endswith(".html")) > 250_000


def test_every_fact_is_in_its_document_word_for_word(facts, texts):
    squeezed_texts = {path: squeezed(text) for path, text in texts.items()}
    missing = [
        (fact["path"], quote)
        for fact in facts
        for quote in fact.get("quotes", [fact.get("quote")])
        if squeezed(quote) not in squeezed_texts[fact["path"]]
    ]
    assert not missing


def test_a_planted_sentence_stands_at_one_place(facts, texts):
    for fact in facts:
        if fact["kind"] == "prose":
            assert squeezed(texts[fact["path"]]).count(squeezed(fact["quote"])) == 1


def test_every_answer_is_in_its_quote(facts):
    for fact in facts:
        if fact["kind"] not in ("series", "several"):
            answer = fact["answer"].removesuffix(" percent")
            assert squeezed(answer) in squeezed(fact["quote"]), fact


def test_the_corpus_knows_summaries_of_every_category_and_reasons_of_books_and_statements(facts):
    tasks = Counter((fact["category"], fact["task"]) for fact in facts if fact["kind"] == "several")
    assert {category for category, task in tasks if task == "summary"} == {"book", "paper", "report", "statement"}
    assert tasks["book", "why"] == 28
    assert tasks["book", "multi_hop"] == 28
    assert tasks["statement", "why"] == 12
    assert tasks["report", "chain"] > 24
    assert all(len(fact["quotes"]) >= 3 for fact in facts if fact.get("task") in ("summary", "chain", "multi_hop"))


def test_a_summary_names_no_one_whom_its_quotes_do_not_name(facts):
    for fact in facts:
        if fact["kind"] == "several":
            names = re.findall(r"(?<![.!?] )(?<!^)\b[A-Z][a-z]+\b", fact["answer"])
            known = " ".join([*fact["quotes"], fact["question"]])
            assert [name for name in names if name not in known] == []


def test_every_document_has_twenty_facts(facts, documents):
    counts = Counter(fact["path"] for fact in facts)
    assert set(counts) == {source["path"] for source in documents}
    assert min(counts.values()) >= 20


def test_no_question_is_asked_twice_of_a_document(facts):
    questions = Counter((fact["path"], fact["question"]) for fact in facts)
    assert max(questions.values()) == 1


def test_prose_hardly_repeats_itself():
    for edition in (edition for edition in editions(OTHER_SEED) if edition.manuscript.blocks):
        sentences = Counter(
            sentence for text in prose_of(edition.manuscript) for sentence in re.split(r"(?<=[.!?”]) (?=[A-Z“])", text)
        )
        assert 1 - len(sentences) / sentences.total() < 0.15, edition.path
        assert max(sentences.values()) <= 6, sentences.most_common(1)


def test_prose_has_no_trace_of_its_templates():
    for edition in editions(OTHER_SEED):
        text = "\n".join(prose_of(edition.manuscript))
        assert not re.search(
            r"[{}|]|\b(\w+) \1\b(?! had)|\ba (?!one)[aeio]\w|\ban [bcdfgjklmnpqrstvwxz]\w|  |\.\.", text
        )


@pytest.mark.parametrize("year", YEARS)
@given(seed=st.integers(0, 10_000))
def test_the_books_of_a_company_add_up(year, seed):
    books = make_ledger(random_for(seed, "books"))
    here = {key: value for (key, y), value in books.items() if y == year}
    assert here["assets"] == here["financing"]
    assert here["revenue"] == sum(here[f"sales{k}"] for k in range(3))
    assert here["operating"] == sum(here[f"profit{k}"] for k in range(3)) + here["head_office"]
    assert here["from_operating"] == sum(here[key] for key in CASH_FLOW_PARTS)
    assert here["opening_cash"] + here["d_cash"] == here["closing_cash"] == here["cash"]
    assert here["retained"] - books["retained", year - 1] == here["net"] + here["dividends"]
    assert min(here["cash"], here["debt"], books["retained", BASE_YEAR]) > 0


@pytest.mark.parametrize(
    ("caption", "total", "parts"),
    [
        ("Consolidated Statements of Income", "Gross profit", ["Net revenue", "-Cost of revenue"]),
        (
            "Consolidated Statements of Income",
            "Income before income taxes",
            ["Operating income", "Interest expense", "Other income (expense), net"],
        ),
        ("Consolidated Balance Sheets", "Total assets", ["Total liabilities", "Total equity"]),
        (
            "Consolidated Statements of Cash Flows",
            "Cash at end of year",
            ["Cash at beginning of year", "Change in cash"],
        ),
        (
            "Consolidated Statements of Cash Flows",
            "Change in cash",
            [
                "Net cash from operating activities",
                "Net cash used in investing activities",
                "Net cash used in financing activities",
            ],
        ),
        (
            "Revenue by Market",
            "Revenue in all markets",
            ["Home market", "Coastal provinces", "Inland markets", "Overseas"],
        ),
        (
            "Property, Plant and Equipment",
            "Net book value",
            ["Land and buildings", "Machinery", "Tools and vehicles", "Accumulated depreciation"],
        ),
    ],
)
def test_the_tables_of_a_statement_add_up_as_shown(caption, total, parts):
    filings = [edition.manuscript for edition in editions(SEED) if edition.manuscript.category == "statement"]
    for filing in filings:
        shown = {row.label: [amount(cell.text) for cell in row.cells] for row in tables_of(filing)[caption].rows}
        for column, value in enumerate(shown[total]):
            signed = [-shown[p[1:]][column] if p.startswith("-") else shown[p][column] for p in parts]
            assert value == sum(signed)


def test_tags_say_what_is_shown(corpus, sources):
    paths = [source["path"] for source in sources if source["path"].endswith(".xhtml")]
    for path in paths:
        tree = lxml.etree.parse(corpus / path)
        contexts = {context.get("id") for context in tree.iterfind(".//{*}context")}
        units = {unit.get("id") for unit in tree.iterfind(".//{*}unit")}
        tags = list(tree.iter(f"{IX}nonFraction"))
        assert len(tags) > 100
        values = {}
        for tag in tags:
            assert tag.get("contextRef") in contexts
            assert tag.get("unitRef") in units
            assert tag.get("sign") in (None, "-")
            value = amount(tag.text) * 10 ** int(tag.get("scale")) * (-1 if tag.get("sign") else 1)
            key = tag.get("name"), tag.get("contextRef")
            assert values.setdefault(key, value) == value
        assert values["us-gaap:Assets", "I2023"] == values["us-gaap:LiabilitiesAndStockholdersEquity", "I2023"]
        paid = values["us-gaap:PaymentsToAcquirePropertyPlantAndEquipment", "D2023"]
        assert paid == -values["us-gaap:NetCashFromInvestingActivities", "D2023"] > 0


def test_a_filing_hides_its_contexts_and_spans_its_columns(corpus, sources):
    path = next(source["path"] for source in sources if source["path"].endswith(".xhtml"))
    tree = lxml.etree.parse(corpus / path)
    assert "none" in tree.find(f".//{IX}header").getparent().get("style")
    assert tree.find(".//{*}td[@colspan='3']") is not None
    text = raw_text(corpus / path)
    for item in ("Item 1. Business", "Item 1A. Risk Factors", "Item 7. Management's Discussion", "Item 8. Financial"):
        assert item in text


def test_final_figures_are_the_same_in_every_report():
    world = make_world(SEED)
    seen: dict[tuple[str, str], set[str]] = {}
    for year in REPORT_YEARS:
        tables = tables_of(compose_outlook(world, random_for(SEED, "outlook", year), year))
        final = tables["Table A.1 Growth of output, final figures (percent)"]
        growth = tables["Table 1.1 Growth of output (percent)"]
        record = tables[f"Table 7.1 Growth in {year - 1}: forecast, estimate and outcome"]
        for row in final.rows:
            for column, cell in zip(final.header[1:], row.cells, strict=True):
                seen.setdefault((row.label, column), set()).add(cell.text)
        for table, column in ((growth, 0), (record, 2)):
            for row in table.rows:
                if (row.label, str(year - 1)) in seen:
                    seen[row.label, str(year - 1)].add(row.cells[column].text)
    assert len(seen) > 300
    assert all(len(figures) == 1 for figures in seen.values())


def test_a_report_recalls_what_earlier_ones_said():
    world = make_world(SEED)
    tables = {y: tables_of(compose_outlook(world, random_for(SEED, "outlook", y), y)) for y in (2015, 2016, 2017)}

    def column(year: int, caption: str, index: int) -> dict[str, str]:
        rows = tables[year][caption].rows
        return {row.label: row.cells[index].text for row in rows if row.cells and "Mean" not in row.label}

    growth, record = "Table 1.1 Growth of output (percent)", "Table 7.1 Growth in 2016: forecast, estimate and outcome"
    assert column(2017, record, 0) == column(2015, growth, 2)
    assert column(2017, record, 1) == column(2016, growth, 1)
    assert column(2017, record, 0) != column(2017, record, 2)


def test_an_epub_is_valid_where_readers_look(corpus, sources):
    for source in sources:
        if not source["path"].endswith(".epub"):
            continue
        path = corpus / source["path"]
        with zipfile.ZipFile(path) as archive:
            first = archive.infolist()[0]
            assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
            assert archive.read("mimetype") == b"application/epub+zip"
            navigation = lxml.etree.fromstring(archive.read("OEBPS/nav.xhtml"))
            links = [link.get("href") for link in navigation.iterfind(".//h:nav//h:a", XHTML)]
            assert {f"OEBPS/{link}" for link in links} <= set(archive.namelist())
        pages = chapter_texts(path)
        assert len(pages) == len(links)
        assert source["title"] in pages[0]
        assert "Chapter 1:" in pages[1]
        assert "Colophon" in pages[-1]


def test_a_paper_is_set_in_two_columns(corpus, sources):
    path = next(source["path"] for source in sources if source["category"] == "paper")
    with pypdfium2.PdfDocument(corpus / path) as document:
        page = document[1]
        width = page.get_width()
        text = page.get_textpage()
        starts = [text.get_rect(k)[0] for k in range(text.count_rects())]
    assert sum(x < width / 2 - 20 for x in starts) > 20
    assert sum(x > width / 2 for x in starts) > 20


def test_the_closing_line_counts_what_was_written(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="pipeline.sample"):
        run(SampleParams(seed=OTHER_SEED), out=tmp_path / "out")
    assert len(caplog.messages) == 1
    assert "4 book files, 4 paper files, 24 report files, 4 review files, 4 statement files" in caplog.messages[0]


def test_a_grammar_draws_every_alternative_before_one_comes_again():
    grammar = Grammar(random_for(1), "word:\n    one | two | three\nline:\n    A {word} is\n        {^word}.\n")
    assert sorted(grammar.draw("word") for _ in range(3)) == ["one", "three", "two"]
    assert re.fullmatch(r"A (one|two|three) is (One|Two|Three)\.", grammar.say("line"))


@pytest.mark.parametrize(
    ("word", "wanted"), [("apple", True), ("hour", True), ("uniform", False), ("8", True), ("18", True), ("12", False)]
)
def test_the_article_follows_the_sound(word, wanted):
    assert needs_an(word) is wanted


def test_tidying_sets_articles_and_capitals():
    assert tidy("an goat met a owl. it left.") == "A goat met an owl. It left."
