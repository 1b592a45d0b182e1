import re

import pytest

from pipeline.benchmarks.evidence.tagged_facts import check_filing, check_sample, count_found, other_facts, table_facts
from pipeline.readers.html import html

CONTEXTS = "".join(
    f'<xbrli:context id="d{year}"><xbrli:period><xbrli:startDate>{year}-01-01</xbrli:startDate>'
    f"<xbrli:endDate>{year}-12-31</xbrli:endDate></xbrli:period></xbrli:context>"
    f'<xbrli:context id="i{year}"><xbrli:period><xbrli:instant>{year}-12-31</xbrli:instant></xbrli:period>'
    "</xbrli:context>"
    for year in (2022, 2023, 2024)
)


def tag(context, figure, sign=""):
    return f'<ix:nonFraction name="own:Thing" contextRef="{context}" scale="6"{sign}>{figure}</ix:nonFraction>'


FILING = f"""<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"
xmlns:xbrli="http://www.xbrl.org/2003/instance"><body><div style="display:none"><ix:header>{CONTEXTS}</ix:header></div>
<p>Item 1. It was {tag("d2024", "9")} in all.</p>
<table><tr><td>December 31,</td><td></td><td colspan="3">2024</td><td colspan="3">2023</td></tr>
<tr><td>Sales<sup>1</sup></td><td></td><td>$</td><td>{tag("d2024", "1,500")}</td><td></td>
<td>$</td><td>{tag("d2023", "1,400")}</td><td></td></tr>
<tr><td>Interest</td><td></td><td colspan="2">({tag("d2024", "90", ' sign="-"')}</td><td>)</td>
<td colspan="2">({tag("d2023", "80", ' sign="-"')}</td><td>)</td></tr>
<tr><td>Cash at beginning of year</td><td></td><td colspan="2">{tag("i2023", "70")}</td><td></td>
<td colspan="2">{tag("i2022", "60")}</td><td></td></tr></table></body></html>"""


@pytest.fixture
def filing(tmp_path):
    (tmp_path / "filing.html").write_text(FILING)
    return tmp_path / "filing.html"


@pytest.fixture
def text(filing):
    return html.read(filing, lambda num_pages: None).text


def test_the_facts_of_a_filing_are_those_of_its_tables(filing):
    facts = table_facts(filing)

    assert [(fact.figure, fact.label, fact.heading, fact.period, fact.negative) for fact in facts] == [
        ("1,500", "Sales", "2024", "2024-12-31", False),
        ("1,400", "Sales", "2023", "2023-12-31", False),
        ("(90)", "Interest", "2024", "2024-12-31", True),
        ("(80)", "Interest", "2023", "2023-12-31", True),
        ("70", "Cash at beginning of year", "2024", "2023-12-31", False),
        ("60", "Cash at beginning of year", "2023", "2022-12-31", False),
    ]
    assert facts[0].scale == 6


def test_a_figure_in_a_sentence_is_found_beside_its_words(filing, text):
    (fact,) = other_facts(filing)

    assert (fact.before, fact.figure) == ("item1itwas", "9")
    assert count_found([fact], text) == 1
    assert count_found([fact], text.replace("It was 9 in all", "It was 8 in all")) == 0


def test_figures_in_their_places_are_found(filing, text):
    evidence = check_filing(filing, text)

    assert (evidence.num_facts, evidence.num_dated, evidence.num_right, evidence.wrong) == (6, 4, 6, ())


def rewritten(text, row):
    return re.sub(r"^\| (.*) \| +(\S+) \| +(\S+) \|$", row, text, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("harm", "num_right"),
    [
        (lambda text: rewritten(text, r"| \1 | \3 | \2 |").replace("| 2023 | 2024 |", "| 2024 | 2023 |"), 0),
        (lambda text: text.replace("2024", "2019"), 3),
        (lambda text: text.replace("(90)", "90"), 5),
        (lambda text: text.replace("1,400", "1,401"), 5),
        (lambda text: text.replace("Interest", "Other"), 4),
        (lambda text: text.replace("|", " "), 0),
    ],
)
def test_figures_out_of_their_places_are_not_found(filing, text, harm, num_right):
    harmed = harm(text)

    assert harmed != text
    assert check_filing(filing, harmed).num_right == num_right


def test_a_sample_is_the_same_for_the_same_seed(filing, text):
    harmed = text.replace("1,400", "1,401").replace("(90)", "90")

    assert check_sample(filing, harmed, 3, seed=1) == check_sample(filing, harmed, 3, seed=1)
    assert check_sample(filing, text, 3, seed=1).num_facts == 3


FILINGS = ("ko-10-k-2025-02-20.html", "nke-10-k-2025-07-17.html", "pg-10-k-2025-08-04.html")


@pytest.mark.slow
@pytest.mark.parametrize("name", FILINGS)
def test_real_filings_have_every_tagged_figure_in_its_row_and_column(shared, name):
    path = shared / "corpus" / "statements" / name
    if not path.is_file():
        pytest.skip(f"needs {path}")
    evidence = check_filing(path, html.read(path, lambda num_pages: None).text)

    assert evidence.num_facts > 1000
    assert [fact for fact, _ in evidence.wrong] == []
