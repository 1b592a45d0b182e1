"""Score what is read of PDFs by the unit tests of olmOCR-bench, with a scorer of our own.

A test is right or wrong: a sentence is present or absent, one comes before another, a cell of a table has a neighbour
or a heading, a formula is there. The rules are those of the published suite (fuzzy matches by rapidfuzz, `max_diffs`
characters may differ), but for two: a header that joins several rows counts for each of them, and formulas are compared
as text, not as pictures. So the percentage is near the published ones, and not the same measure.
Source  Poznanski et al., olmOCR, arXiv 2502.18443; https://huggingface.co/datasets/allenai/olmOCR-bench
"""

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from pipeline.benchmarks.benchmark import Argument, Benchmark
from pipeline.errors import InputError
from pipeline.extract import ExtractParams, sandbox_for
from pipeline.passages.markdown_tables import find_tables
from pipeline.readers.common.reading import Reading
from pipeline.tables import Row, Table

MIN_CELL_SIMILARITY = 0.5
MIN_FORMULA_SIMILARITY = 0.9
KINDS = ("present", "absent", "order", "table", "math")
PLAIN = str.maketrans(
    {"‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "−": "-", "‑": "-"}
)
MARKS = re.compile(r"\[\^[^\]]*\]:?|(?<!\S)#{1,6} |\*\*|__|~~")
PUBLISHED = {  # % of the whole suite, by its own scorer; README of allenai/olmocr at v0.4.0, arXiv 2510.19817
    "Marker 1.10.1": 76.1,
    "MinerU 2.5.4": 75.2,
    "olmOCR 0.4.0": 82.4,
}
PUBLISHED_TESTS = 7_010
Grid = list[list[str]]


def measure_olmocr(params: ExtractParams, *, folder: Path) -> list[Table]:
    """Run every test of a folder: `*.jsonl` with the tests, and the PDFs that they name below it.

    Raises:
        InputError: The folder has no tests.
    """
    tests = list(read_tests(folder))
    if not tests:
        raise InputError(
            str(folder),
            found="no test",
            expected="*.jsonl of olmOCR-bench, and its PDFs below",
            fix="Name the folder `bench_data` of the data set, or one with a part of it.",
        )
    outcomes: dict[str, list[tuple[str, str, bool]]] = defaultdict(list)  # of each file: kind, id, passed
    with sandbox_for(params) as box:
        for name in sorted({test["pdf"] for test in tests}):
            reading = box.read(find_pdf(folder, name)).reading
            for test in (test for test in tests if test["pdf"] == name):
                text = page_text(reading, test.get("page", 1))
                outcomes[name].append((test["type"], test["id"], passes(test, text)))
    return [kinds_table(outcomes), files_table(outcomes)]


def read_tests(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the tests of all files with tests in a folder."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield json.loads(line)


def find_pdf(folder: Path, name: str) -> Path:
    """Return the path of a PDF that a test names: from the folder, or from `pdfs` in it."""
    below = folder / "pdfs" / name
    return below if below.exists() else folder / name


def page_text(reading: Reading | None, page: int) -> str:
    """Return the text of a page, counted from 1; '' where it could not be read."""
    if reading is None or page > len(reading.page_offsets):
        return ""
    offsets = (*reading.page_offsets, len(reading.text))
    return reading.text[offsets[page - 1] : offsets[page]]


def passes(test: dict[str, Any], text: str) -> bool:
    """Say whether the text of a page passes a test."""
    kind = test["type"]
    if kind in ("present", "absent"):
        return has_text(test, text) is (kind == "present")
    if kind == "order":
        return is_in_order(test, normalise(text))
    if kind == "table":
        return any(has_cell(test, grid) for grid in read_grids(text))
    return has_formula(test["math"], text)


def normalise(text: str) -> str:
    """Return a text on one line, with plain quotes and dashes, without the marks of Markdown."""
    text = unicodedata.normalize("NFC", MARKS.sub("", text)).translate(PLAIN).replace("\\_", "_")
    return " ".join(text.split())


def has_text(test: dict[str, Any], text: str) -> bool:
    """Say whether a text has a sentence, but for as many characters as may differ."""
    text, expected = normalise(text), normalise(test["text"])
    if not test.get("case_sensitive", True):
        text, expected = text.lower(), expected.lower()
    first, last = test.get("first_n"), test.get("last_n")
    if first or last:
        text = (text[:first] if first else "") + (text[-last:] if last else "")
    threshold = 1 - test.get("max_diffs", 0) / max(1, len(expected))
    return bool(text) and fuzz.partial_ratio(expected, text) / 100 >= threshold


def is_in_order(test: dict[str, Any], text: str) -> bool:
    """Say whether a sentence comes before another."""
    places = [find_places(normalise(test[key]), text, test.get("max_diffs", 0)) for key in ("before", "after")]
    return bool(places[0] and places[1]) and min(places[0]) < max(places[1])


def find_places(expected: str, text: str, max_diffs: int) -> list[int]:
    """Return where a sentence is in a text: exactly, else the best place with as many differences as are allowed."""
    exact = [match.start() for match in re.finditer(re.escape(expected), text)]
    if exact or not max_diffs:
        return exact
    best = fuzz.partial_ratio_alignment(expected, text)
    return [best.dest_start] if best and best.score / 100 >= 1 - max_diffs / len(expected) else []


def read_grids(text: str) -> list[Grid]:
    """Return the tables of a page as rows of cells, the header first."""
    return [
        [[normalise(cell) for cell in row] for row in (list(table.header), *(list(cells) for cells, _ in table.rows))]
        for table in find_tables(text)
    ]


def has_cell(test: dict[str, Any], grid: Grid) -> bool:
    """Say whether a table has a cell with the neighbours and headings that a test names."""
    diffs = test.get("max_diffs", 0)
    for row, cells in enumerate(grid):
        for column, cell in enumerate(cells):
            if is_like(test["cell"], cell, diffs, part=row == 0) and has_neighbours(test, grid, row, column, diffs):
                return True
    return False


def has_neighbours(test: dict[str, Any], grid: Grid, row: int, column: int, diffs: int) -> bool:
    """Say whether a cell has the neighbours and headings of a test."""
    steps = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}
    for side, (down, right) in steps.items():
        if expected := test.get(side):
            y, x = row + down, column + right
            inside = 0 <= y < len(grid) and 0 <= x < len(grid[y])
            if not inside or not is_like(expected, grid[y][x], diffs, part=y == 0):
                return False
    if expected := test.get("top_heading"):
        above = [(y, grid[y][column]) for y in range(row) if column < len(grid[y])]
        if not any(is_like(expected, cell, diffs, part=y == 0) for y, cell in above):
            return False
    if expected := test.get("left_heading"):
        return any(is_like(expected, cell, diffs, part=False) for cell in grid[row][:column])
    return True


def is_like(expected: str, cell: str, max_diffs: int, *, part: bool) -> bool:
    """Say whether a cell has a text; of a header, which may join several rows, a part is enough."""
    expected = normalise(expected)
    threshold = max(MIN_CELL_SIMILARITY, 1 - max_diffs / max(1, len(expected)))
    ratio = fuzz.partial_ratio if part and len(expected) <= len(cell) else fuzz.ratio
    return bool(cell) and ratio(expected, cell) / 100 >= threshold


def has_formula(formula: str, text: str) -> bool:
    """Say whether a text has a formula, both without spaces, braces and commands of layout."""
    expected, found = squeeze_formula(formula), squeeze_formula(text)
    return bool(found) and fuzz.partial_ratio(expected, found) / 100 >= MIN_FORMULA_SIMILARITY


def squeeze_formula(text: str) -> str:
    """Return TeX without what does not change what it says."""
    return re.sub(
        r"\\(?:left|right|displaystyle|mathrm|mathbf|text|operatorname|,|;|!|quad)|[\s{}$]", "", normalise(text)
    )


def kinds_table(outcomes: dict[str, list[tuple[str, str, bool]]]) -> Table:
    """Return how many tests of each kind passed, beside what others report of the whole suite."""
    whole = "published of the whole suite"
    rows: list[Row] = [(f"{whole}: {name}", PUBLISHED_TESTS, None, score) for name, score in PUBLISHED.items()]
    flat = [outcome for found in outcomes.values() for outcome in found]
    without_formulas = [passed for kind, _, passed in flat if kind != "math"]
    for kind in KINDS:
        of_kind = [passed for found, _, passed in flat if found == kind]
        rows.append((kind, len(of_kind), sum(of_kind), share(of_kind)))
    rows.append(("all but math", len(without_formulas), sum(without_formulas), share(without_formulas)))
    everything = [passed for _, _, passed in flat]
    rows.append(("all", len(everything), sum(everything), share(everything)))
    return Table("Tests of olmOCR-bench that pass", ("kind", "tests", "passed", "%"), tuple(rows))


def files_table(outcomes: dict[str, list[tuple[str, str, bool]]]) -> Table:
    """Return how many tests of each file passed, and which did not."""
    rows: list[Row] = [
        (name, len(found), sum(passed for _, _, passed in found), ", ".join(id_ for _, id_, ok in found if not ok))
        for name, found in sorted(outcomes.items())
    ]
    return Table("By file", ("file", "tests", "passed", "failed"), tuple(rows))


def share(passed: list[bool]) -> float | None:
    """Return the percentage of tests that passed."""
    return round(100 * sum(passed) / len(passed), 1) if passed else None


BENCHMARK = Benchmark(
    name="olmocr",
    description="the unit tests of olmOCR-bench on the PDFs of a folder",
    arguments=(Argument("--folder", Path, "DIR", help="a folder with *.jsonl and pdfs, as olmOCR-bench has it"),),
    measure=lambda options: measure_olmocr(ExtractParams.load(options.params), folder=options.folder),
)
