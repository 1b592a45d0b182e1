"""The report in a real browser: nothing is asked of anyone, every chart is there, and tables sort and copy."""

import pytest

from eval.browser import find_chromium, open_browser, take_picture
from eval.report import ReportParams, run
from tests.eval.test_report import folders, inputs  # noqa: F401 - fixtures

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_chromium() is None, reason="there is no chromium: nothing to open the page with"),
]


@pytest.fixture
def page(inputs, tmp_path):
    run(ReportParams(title="A & B"), **inputs, out=tmp_path / "report")
    with open_browser() as browser:
        context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto((tmp_path / "report" / "report.html").as_uri())
        yield page


def column(page, number: int) -> list[str]:
    cells = page.locator("section:nth-of-type(1) tbody tr")
    return [row.locator("td").nth(number).inner_text() for row in cells.all()]


def test_the_page_asks_nobody_and_says_nothing(page):
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    assert page.said == []
    assert [url for url in page.asked if not url.startswith("file:")] == []


def test_every_chart_is_drawn_with_its_values_on_hover(page):
    charts = page.locator("figure svg")
    assert charts.count() == 9
    for chart in charts.all():
        box = chart.bounding_box()
        assert box["width"] > 300
        assert box["height"] > 50
        assert chart.locator("title").count() >= 1


def test_a_table_sorts_by_a_click_and_by_keyboard_and_is_copied(page):
    before = column(page, 0)
    button = page.locator("section:nth-of-type(1) th button").first
    button.click()
    upwards = column(page, 0)
    assert sorted(upwards) == sorted(before)
    assert upwards[0].startswith("answer loss")
    assert upwards.index("pass keys found at 64 tokens") == upwards.index("pass keys found at 128 tokens") - 1
    button.focus()
    page.keyboard.press("Enter")
    assert column(page, 0) == upwards[::-1]
    page.locator(".copy").first.click()
    copied = page.evaluate("navigator.clipboard.readText()").splitlines()
    assert len(copied) == len(before) + 1
    assert copied[1].split("\t")[0] == column(page, 0)[0]
    assert page.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 400])
def test_the_page_fits_its_width_and_passes_the_rules_of_axe(page, width, scheme, tmp_path):
    picture = take_picture(page, tmp_path / "page.png", (width, 900), scheme)
    assert picture.stat().st_size > 5_000
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
