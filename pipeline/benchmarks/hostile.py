"""Read a folder of odd and broken files through the stage: one row each, no harm done."""

import subprocess
import sys
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pipeline.benchmarks.alone import ENGINES
from pipeline.benchmarks.benchmark import DOCUMENTS, Benchmark
from pipeline.benchmarks.stage import Run, files_in, list_files, run_stage_apart
from pipeline.extract import ExtractParams
from pipeline.readers.sandbox import is_pdf
from pipeline.records import Document
from pipeline.storage.parquet import read_documents
from pipeline.tables import Row, Table

MANIFESTS = ("manifest.tsv", "manifest.jsonl")
ALLOWED_CONTROLS = "\t\n\r"
MAX_NAMES = 12


def measure_hostile(params: ExtractParams, *, documents: Path) -> list[Table]:
    """Read every file of a folder, and its PDFs with each engine alone."""
    files = [path for path in files_in(documents) if path.name not in MANIFESTS]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        list_files(folder, files)
        run = run_stage_apart(params, folder, folder / "out")
        rows = list(read_documents(folder / "out")) if run.exit_code == 0 else []
    pdfs = [path for path in files if is_pdf(path)]
    alone = {engine: counts_alone(engine, pdfs) for engine in ENGINES}
    read = dict(zip(files, rows, strict=False))
    return [
        summary_table(files, rows, run),
        reasons_table(rows, files),
        yield_table(pdfs, read, alone),
        missed_table(documents, pdfs, read, alone),
    ]


def counts_alone(engine: str, pdfs: Sequence[Path]) -> list[int]:
    """Return how many characters an engine alone finds in each file, negative where it fails."""
    names = "".join(f"{path.resolve()}\n" for path in pdfs)
    command = [sys.executable, "-m", "pipeline.benchmarks.alone", engine]
    done = subprocess.run(
        command, input=names, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    return [int(line) for line in done.stdout.split()]


def is_valid(row: Document) -> bool:
    """Say whether a row has either text or a reason, and nothing in it that is no text."""
    words = (row.text, row.title, *row.authors, row.error, *row.warnings)
    return bool(row.text.strip()) != bool(row.error) and all(is_clean(word) for word in words)


def is_clean(text: str) -> bool:
    """Say whether a text has neither control characters nor halves of surrogate pairs, and is in NFC."""
    kinds = {unicodedata.category(letter) for letter in set(text) - set(ALLOWED_CONTROLS)}
    return not kinds & {"Cc", "Cs"} and unicodedata.is_normalized("NFC", text)


def summary_table(files: Sequence[Path], rows: Sequence[Document], run: Run) -> Table:
    """Return whether all went as it must."""
    figures = (
        ("files", len(files)),
        ("rows", len(rows)),
        ("rows that are not valid text", sum(not is_valid(row) for row in rows)),
        ("rows with text", sum(bool(row.text) for row in rows)),
        ("exit code", run.exit_code),
        ("processes left", run.num_left),
        ("wall seconds", round(run.wall_seconds, 1)),
        ("CPU seconds", round(run.cpu_seconds, 1)),
    )
    return Table("The stage on all files", ("", "number"), figures)


def reasons_table(rows: Sequence[Document], files: Sequence[Path]) -> Table:
    """Return how many files of which kind have which error."""
    counts: Counter[tuple[str, str]] = Counter()
    for path, row in zip(files, rows, strict=False):
        counts[(row.error.split(":")[0] or "text", path.suffix.lower() or "none")] += 1
    reasons = sorted({reason for reason, _ in counts}, key=lambda name: (name != "text", name))
    suffixes = [suffix for suffix, _ in Counter(path.suffix.lower() or "none" for path in files).most_common(8)]
    lines: list[Row] = []
    for reason in reasons:
        here = [counts[(reason, suffix)] for suffix in suffixes]
        total = sum(number for (name, _), number in counts.items() if name == reason)
        lines.append((reason, *here, total - sum(here), total))
    return Table("Outcomes by the ending of the name", ("", *suffixes, "others", "in all"), tuple(lines))


def is_hidden(row: Document) -> bool:
    """Say whether there is no text because nobody can see any of the words."""
    return "hidden" in row.error


def yield_table(pdfs: Sequence[Path], read: dict[Path, Document], alone: dict[str, list[int]]) -> Table:
    """Return how many PDFs have text by whom."""
    union = sum(any(counts[index] > 0 for counts in alone.values()) for index in range(len(pdfs)))
    lines = [
        *((f"{name} alone", sum(count > 0 for count in counts)) for name, counts in alone.items()),
        ("either of them", union),
        ("the stage", sum(path in read and bool(read[path].text) for path in pdfs)),
        ("the stage, but all words are hidden", sum(path in read and is_hidden(read[path]) for path in pdfs)),
    ]
    return Table(f"PDFs with text, of {len(pdfs)}", ("read by", "with text"), tuple(lines))


def missed_table(folder: Path, pdfs: Sequence[Path], read: dict[Path, Document], alone: dict[str, list[int]]) -> Table:
    """Return the PDFs that an engine alone has text of and the stage has not, and what the stage says of them."""
    lines: list[Row] = [
        (path.relative_to(folder).as_posix(), *(counts[index] for counts in alone.values()), read[path].error)
        for index, path in enumerate(pdfs)
        if path in read and not read[path].text and any(counts[index] > 0 for counts in alone.values())
    ]
    caption = f"PDFs that only an engine alone has text of: {len(lines)} (characters; -1: it fails)"
    return Table(caption, ("file", *alone, "the stage's reason"), tuple(lines[:MAX_NAMES]))


BENCHMARK = Benchmark(
    name="hostile",
    description="one row for each odd or broken file, and the PDFs with text next to each engine alone",
    arguments=(DOCUMENTS,),
    measure=lambda options: measure_hostile(ExtractParams.load(options.params), documents=options.documents),
)
