"""How faithfully documents are read: words, column order, and figures of tables."""

from pathlib import Path

from lxml import etree
from tqdm import tqdm

from pipeline.benchmarks.benchmark import COUNT, DOCUMENTS, SEED, Benchmark
from pipeline.benchmarks.evidence.pdf_figures import check_figures
from pipeline.benchmarks.evidence.pdf_words import measure_order, measure_recall
from pipeline.benchmarks.evidence.tagged_facts import check_filing, check_sample, count_found, other_facts, table_facts
from pipeline.benchmarks.stage import files_in
from pipeline.extract import ExtractParams, sandbox_for
from pipeline.tables import Row, Table

MARKUP = (".html", ".htm", ".xhtml")
WANTED_RECALL = 0.98


def measure_faithful(params: ExtractParams, *, documents: Path, count: int, seed: int) -> list[Table]:
    """Check every PDF, and every filing that tags its figures, of a folder."""
    pdfs = [path for path in files_in(documents) if path.suffix.lower() == ".pdf"]
    figures = figures_table(params, documents, pdfs, count, seed)
    return [recall_table(pdfs), order_table(pdfs), figures, facts_table(params, documents)]


def recall_table(pdfs: list[Path]) -> Table:
    """Return how many of the words that pypdf finds on each page are in the text, or left out on purpose."""
    rows: list[Row] = []
    for path in tqdm(pdfs, "words", unit="file", disable=None):
        pages = measure_recall(path)
        words = sum(page.num_words for page in pages)
        found = sum(page.recall * page.num_words for page in pages)
        low = sorted((page.recall, page.page) for page in pages)
        enough = sum(page.recall >= WANTED_RECALL for page in pages)
        worst = f"{low[0][0]:.3f} (page {low[0][1]})" if low else None
        rows.append((path.name, len(pages), words, round(found / max(1, words), 4), enough, worst))
    header = ("file", "pages", "words", "recall", f"pages with {WANTED_RECALL} or more", "lowest")
    return Table("Words of each page, against the other engine's", header, tuple(rows))


def order_table(pdfs: list[Path]) -> Table:
    """Return on how many pages with columns these are read one after the other."""
    rows: list[Row] = []
    for path in tqdm(pdfs, "columns", unit="file", disable=None):
        pages = measure_order(path)
        runs = sum(page.num_shingles for page in pages)
        if pages:
            columns = max(page.num_columns for page in pages)
            share = round(sum(page.num_found for page in pages) / max(1, runs), 3)
            rows.append((path.name, len(pages), columns, sum(page.in_order for page in pages), runs, share))
    header = ("file", "pages with columns", "columns at most", "in order", "runs of five words in a column", "found")
    return Table("The order of columns, by the places of words", header, tuple(rows))


def facts_table(params: ExtractParams, documents: Path) -> Table:
    """Return how many of all tagged figures of each filing are in their row and column, or beside their words."""
    rows: list[Row] = []
    with sandbox_for(params) as box:
        for path in [path for path in files_in(documents) if path.suffix.lower() in MARKUP]:
            reading = box.read(path).reading
            if reading is None or not is_filing(path):
                continue
            cells, others = check_filing(path, reading.text), other_facts(path)
            found = count_found(others, reading.text)
            total, right = cells.num_facts + len(others), cells.num_right + found
            rows.append(
                (path.name, total, cells.num_facts, cells.num_right, len(others), found, round(100 * right / total, 2))
            )
    header = ("file", "figures", "alone in a cell", "row and column right", "others", "beside their words", "% right")
    return Table("Every tagged figure of each filing", header, tuple(rows))


def is_filing(path: Path) -> bool:
    """Say whether a page is well-formed and tags figures in tables."""
    try:
        return bool(table_facts(path))
    except etree.XMLSyntaxError:
        return False


def figures_table(params: ExtractParams, documents: Path, pdfs: list[Path], count: int, seed: int) -> Table:
    """Return how many figures of tables, picked at random, are in their row and in their column."""
    rows: list[Row] = []
    for path in tqdm(pdfs, "figures", unit="file", disable=None):
        checks = check_figures(path, count=count, seed=seed)
        in_row = sum(check.row_is_right for check in checks)
        both = sum(check.row_is_right and check.column_is_right for check in checks)
        if checks:
            rows.append((path.name, "places of words", len(checks), in_row, both, None, None))
    with sandbox_for(params) as box:
        for path in [path for path in files_in(documents) if path.suffix.lower() in MARKUP]:
            reading = box.read(path).reading
            if reading is not None and is_filing(path):
                sample, whole = check_sample(path, reading.text, count, seed), check_filing(path, reading.text)
                rows.append(
                    (path.name, "tags", sample.num_facts, None, sample.num_right, whole.num_facts, whole.num_right)
                )
    header = ("file", "by", "picked", "row right", "row and column right", "all tagged figures", "of them right")
    return Table(f"Figures of tables, {count} of each file by seed {seed}", header, tuple(rows))


BENCHMARK = Benchmark(
    name="faithful",
    description="words, column order and table figures, checked by means that the readers do not use",
    arguments=(
        DOCUMENTS,
        COUNT,
        SEED,
    ),
    measure=lambda options: measure_faithful(
        ExtractParams.load(options.params), documents=options.documents, count=options.count, seed=options.seed
    ),
)
