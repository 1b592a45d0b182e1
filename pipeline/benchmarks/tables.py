"""Draw tables that were read at random, and show each of them beside its source, to be checked by eye.

Writes  OUT/tables.html  each drawn table: its file, its page, what was read, and next to it the picture of its region
                         or the markup of its source
"""

import random
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment

from pipeline.benchmarks.benchmark import COUNT, SEED, Argument, Benchmark
from pipeline.benchmarks.evidence.table_sources import match_sources, picture_region, read_sources
from pipeline.benchmarks.stage import files_in
from pipeline.extract import ExtractParams, sandbox_for
from pipeline.files import replacing
from pipeline.passages.markdown_tables import MarkdownTable, find_tables
from pipeline.readers.common.reading import Reading
from pipeline.tables import Row, Table

NOT_DOCUMENTS = (".jsonl", ".json")


@dataclass(frozen=True)
class ReadTable:
    """A table of a file, with its place among the others of the file and its page, from 1; 0 without pages."""

    path: Path
    number: int
    page: int
    table: MarkdownTable

    @property
    def text(self) -> str:
        """Return the words of its cells, row by row."""
        return "\n".join(" ".join(cells) for cells in [self.table.header, *(cells for cells, _ in self.table.rows)])


def measure_tables(params: ExtractParams, *, folders: list[Path], count: int, seed: int, out: Path) -> list[Table]:
    """Read the files of folders, draw tables of all of them, and write the page on which they are checked."""
    found: dict[Path, list[ReadTable]] = {}
    with sandbox_for(params) as box:
        for path in [path for folder in folders for path in files_in(folder) if path.suffix not in NOT_DOCUMENTS]:
            reading = box.read(path).reading
            found[path] = list_tables(path, reading) if reading is not None else []
    everything = [table for tables in found.values() for table in tables]
    picked = random.Random(seed).sample(everything, min(count, len(everything)))  # noqa: S311
    drawn = sorted(picked, key=lambda table: (list(found).index(table.path), table.number))
    write_page(out / "tables.html", drawn, found, seed)
    return [counts_table(found, drawn), drawn_table(drawn, seed)]


def list_tables(path: Path, reading: Reading) -> list[ReadTable]:
    """Return the tables of what was read of a file."""
    tables = []
    for number, table in enumerate(find_tables(reading.text), 1):
        page = sum(offset <= table.header_span.start for offset in reading.page_offsets)
        tables.append(ReadTable(path, number, page, table))
    return tables


def write_page(path: Path, drawn: list[ReadTable], found: dict[Path, list[ReadTable]], seed: int) -> None:
    """Write the page with each drawn table beside its source."""
    sources = {file: show_sources(found[file]) for file in dict.fromkeys(table.path for table in drawn)}
    template = resources.files("pipeline.benchmarks").joinpath("tables.html").read_text(encoding="utf-8")
    page = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(template)
    tables = [(table, sources[table.path].get(table.number) or show_region(table)) for table in drawn]
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        beside.write_text(page.render(tables=tables, seed=seed), encoding="utf-8")


def show_sources(tables: list[ReadTable]) -> dict[int, str]:
    """Return HTML that shows the source of each table of a file, by its number; nothing for PDFs."""
    if not tables or tables[0].page:
        return {}
    sources = match_sources([table.text for table in tables], read_sources(tables[0].path))
    return {table.number: source.shown for table, source in zip(tables, sources, strict=True) if source}


def show_region(table: ReadTable) -> str:
    """Return a picture of a table's region of its page; a sentence where it has no source."""
    return picture_region(table.path, table.page, table.text) if table.page else "<p>No source was found.</p>"


def counts_table(found: dict[Path, list[ReadTable]], drawn: list[ReadTable]) -> Table:
    """Return how many tables each file has, and how many of them were drawn."""
    rows: list[Row] = [
        (path.name, len(tables), sum(table.path == path for table in drawn)) for path, tables in found.items()
    ]
    return Table("Tables by file", ("file", "tables", "drawn"), tuple(rows))


def drawn_table(drawn: list[ReadTable], seed: int) -> Table:
    """Return what was drawn."""
    rows: list[Row] = [
        (number, each.path.name, each.number, each.page or None, len(each.table.rows), len(each.table.header))
        for number, each in enumerate(drawn, 1)
    ]
    header = ("number", "file", "table of the file", "page", "rows", "columns")
    return Table(f"Tables drawn by seed {seed}, shown in tables.html", header, tuple(rows))


BENCHMARK = Benchmark(
    name="tables",
    description="tables drawn at random, each beside its source on a page to be checked by eye",
    arguments=(
        Argument("--folder", Path, "DIR", help="folders of files, at any depth", nargs="+"),
        COUNT,
        SEED,
    ),
    measure=lambda options: measure_tables(
        ExtractParams.load(options.params),
        folders=options.folder,
        count=options.count,
        seed=options.seed,
        out=options.out,
    ),
)
