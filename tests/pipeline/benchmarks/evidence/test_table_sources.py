"""The source of a table is found by its words, and shown without anything that runs or loads."""

from pipeline.benchmarks.evidence.table_sources import iter_markup_tables, match_sources, read_sources


def test_markup_is_shown_without_scripts_links_and_what_loads():
    page = b"""<html><table style="background:url(http://x.org/a)" onclick="go()">
<tr><td width="3">One<script>go()</script>
<a href="http://x.org">two</a></td></tr></table></html>"""

    (source,) = iter_markup_tables(page)

    assert "x.org" not in source.shown
    assert "<script" not in source.shown
    assert "onclick" not in source.shown
    assert '<td width="3">One' in source.shown


def test_each_table_has_the_source_that_shares_most_words_and_equal_ones_in_turn(tmp_path):
    rows = ("Sales 10 12", "Staff 3 4", "Sales 10 12")
    (tmp_path / "a.html").write_text(
        "".join(f"<table><tr><td id='{n}'>{row}</td></tr></table>" for n, row in enumerate(rows))
    )
    sources = read_sources(tmp_path / "a.html")

    found = match_sources(["Staff 3 4", "Sales 10 12", "Sales 10 12", "nothing"], sources)

    assert found[0] is sources[1]
    assert [found[1] is sources[0], found[2] is sources[2]] == [True, True]
    assert found[3] is None
