"""Figures that a filing tags keep their meaning and their place."""

from pathlib import Path

import pytest

from pipeline.readers.html import html

HEADER = """<?xml version="1.0" encoding="UTF-8"?>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"
 xmlns:xbrli="http://www.xbrl.org/2003/instance" xmlns:xbrldi="http://xbrl.org/2006/xbrldi"
 xmlns:iso4217="http://www.xbrl.org/2003/iso4217" xmlns:dei="http://xbrl.sec.gov/dei/2023"
 xmlns:us-gaap="http://fasb.org/us-gaap/2023" xmlns:own="http://example.org/own"><head><title>t</title></head><body>
<div style="display:none"><ix:header><ix:hidden>
<ix:nonNumeric name="dei:EntityRegistrantName" contextRef="D">Brask Lamps Inc.</ix:nonNumeric>
<ix:nonNumeric name="dei:DocumentType" contextRef="D">10-K</ix:nonNumeric>
<ix:nonFraction name="own:Hidden" contextRef="D" unitRef="usd" scale="0">77</ix:nonFraction>
</ix:hidden><ix:resources>
<xbrli:context id="D"><xbrli:entity/><xbrli:period><xbrli:startDate>2023-01-01</xbrli:startDate>
<xbrli:endDate>2023-12-31</xbrli:endDate></xbrli:period></xbrli:context>
<xbrli:context id="I"><xbrli:entity><xbrli:segment><xbrldi:explicitMember dimension="own:PartAxis">own:LampsMember
</xbrldi:explicitMember></xbrli:segment></xbrli:entity><xbrli:period><xbrli:instant>2023-12-31</xbrli:instant>
</xbrli:period></xbrli:context>
<xbrli:unit id="usd"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>
<xbrli:unit id="eps"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure>
</xbrli:unitNumerator><xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unitDenominator>
</xbrli:divide></xbrli:unit></ix:resources></ix:header></div>"""


def tag(digits: str, *, name: str = "us-gaap:Revenues", context: str = "D", unit: str = "usd", **attributes) -> str:
    rest = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<ix:nonFraction name="{name}" contextRef="{context}" unitRef="{unit}"{rest}>{digits}</ix:nonFraction>'


@pytest.fixture
def read(tmp_path: Path):
    def reading(body: str):
        (tmp_path / "filing.html").write_text(f"{HEADER}{body}</body></html>", encoding="utf-8")
        return html.read(tmp_path / "filing.html", lambda *_: None)

    return reading


TABLE = f"""<p>In 2023 we sold lamps for $ {tag("1,250.5", scale="6", format="ixt:num-dot-decimal")} million.</p>
<table><tr><td></td><td>2023</td><td>2022</td></tr>
<tr><td>Loss</td><td>({tag("1,250", name="us-gaap:NetIncomeLoss", scale="3", sign="-")})</td><td>1,250</td></tr>
<tr><td>A share</td><td>{tag("2.10", name="us-gaap:EPS", unit="eps", scale="0")}</td><td>2.10</td></tr>
<tr><td>Lamps</td><td>{tag("9.000", name="own:Lamps", context="I", scale="3", format="ixt:num-comma-decimal")}</td>
<td>8.000</td></tr></table>"""


def test_a_figure_has_the_meaning_that_its_tag_gives_it(read) -> None:
    facts = {fact.concept: fact for fact in read(TABLE).facts}
    revenue, loss, share = (facts[f"us-gaap:{name}"] for name in ("Revenues", "NetIncomeLoss", "EPS"))
    assert (revenue.value, revenue.unit, revenue.scale) == ("1250500000", "USD", 6)
    assert revenue.period == "2023-01-01/2023-12-31"
    assert (loss.value, share.value, share.unit) == ("-1250000", "2.1", "USD/shares")
    lamps = facts["own:Lamps"]
    assert (lamps.value, lamps.period, lamps.dimensions) == ("9000000", "2023-12-31", ("own:PartAxis=own:LampsMember",))


def test_a_figure_stands_where_it_is_said_to_stand_even_beside_its_twin(read) -> None:
    reading = read(TABLE)
    printed = [(fact.concept.partition(":")[2], reading.text[fact.start : fact.end]) for fact in reading.facts]
    assert printed == [("Revenues", "1,250.5"), ("NetIncomeLoss", "1,250"), ("EPS", "2.10"), ("Lamps", "9.000")]
    loss = reading.facts[1]
    assert reading.text[loss.start - 1] == "("  # that of 2023, and not the one of 2022 beside it


def test_what_is_hidden_or_incomplete_is_no_fact(read) -> None:
    body = (
        f"<p>One {tag('5,500', context='gone')} two {tag('6,600', scale='many')} three {tag('7,700', scale='0')}.</p>"
    )
    assert [fact.value for fact in read(body).facts] == ["7700"]


def test_a_filing_says_who_filed_it_and_for_which_year(read) -> None:
    reading = read(TABLE)
    assert reading.title == "Brask Lamps Inc., Form 10-K for the period ended 2023-12-31"
    assert (reading.authors, reading.date) == (("Brask Lamps Inc.",), "2023-12-31")


def test_a_page_without_tags_has_no_facts(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html><body><p>There were 12 lamps.</p></body></html>")
    assert html.read(tmp_path / "page.html", lambda *_: None).facts == ()
