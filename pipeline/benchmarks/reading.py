"""How fast documents are read, beside other tools, and what the sandbox costs."""

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from pipeline.benchmarks import tools
from pipeline.benchmarks.benchmark import DOCUMENTS, Argument, Benchmark
from pipeline.benchmarks.stage import Run, files_in, list_files, run_stage_apart
from pipeline.extract import ExtractParams, sandbox_for
from pipeline.readers.sandbox import Sandbox
from pipeline.tables import Row, Table

MIN_CPU_SECONDS = 1.0  # a file is read again until it took so long: the clock of another process is coarse
MAX_REPEATS = 20
TOOL_SECONDS = 5.0
TOOL_TIMEOUT = 300
NUM_SMALL_FILES = 300
COPIES = 3  # of the documents, for the comparison of workers: starting them must not count
WORKERS = (1, 2)
MEGABYTE = 1_000_000
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Timing:
    """What reading a file took, with the parent, the reading worker and its child together."""

    cpu_seconds: float  # of one time
    num_pages: int | None
    error: str


def measure_reading(params: ExtractParams, *, documents: Path, tools_python: Path | None) -> list[Table]:
    """Measure all of it on the documents of a folder."""
    tables = pdf_tables(params, files_in(documents, (".pdf",)), tools_python)
    pages = [path for path in files_in(documents) if path.suffix.lower() in (".html", ".htm", ".epub", ".txt")]
    if pages:
        tables.append(markup_table(params, pages))
    return [*tables, overhead_table(params), workers_table(params, documents)]


def layout_variants(params: ExtractParams) -> dict[str, ExtractParams]:
    """Return the ways in which PDFs can be read: with their layout, and without where the stage knows that."""
    if "layout" not in ExtractParams.model_fields:
        return {"longalpaca": params}
    return {
        "longalpaca": params.model_copy(update={"layout": True}),
        "longalpaca, layout off": params.model_copy(update={"layout": False}),
    }


def pdf_tables(params: ExtractParams, files: list[Path], tools_python: Path | None) -> list[Table]:
    """Return pages per core-second of each PDF, ours in the sandbox and the tools without one, and what those are."""
    variants = layout_variants(params)
    columns: dict[str, list[str | float | None]] = {name: [] for name in variants}
    num_pages: list[int | None] = []
    for name, variant in variants.items():
        with sandbox_for(variant) as box:
            timings = [time_reading(box, path) for path in tqdm(files, name, unit="file", disable=None)]
        columns[name] = [timing.error or round((timing.num_pages or 0) / timing.cpu_seconds, 1) for timing in timings]
        num_pages = [timing.num_pages for timing in timings]
    notes: list[Row] = []
    for name, (_, read) in tools.TOOLS.items() if tools_python else ():
        speeds, note = tool_column(tools_python or Path(), name, files)
        notes.append((name, note, read.__doc__))
        if speeds:
            columns[name] = [*speeds]
    rows = tuple(
        (path.name, pages, *(column[index] for column in columns.values()))
        for index, (path, pages) in enumerate(zip(files, num_pages, strict=True))
    )
    speeds_table = Table("PDF: pages per core-second", ("file", "pages", *columns), rows)
    described = Table("The other tools", ("tool", "version, or why it does not run", "what is timed"), tuple(notes))
    return [speeds_table, described] if notes else [speeds_table]


def tool_column(python: Path, name: str, files: list[Path]) -> tuple[list[float | None], str]:
    """Return the pages per core-second of another tool, if it runs, and its version or what it complains of."""
    answers = [run_tool(python, name, path) for path in tqdm(files[:1], name, unit="file", disable=None)]
    if "error" in answers[0]:
        return [], str(answers[0]["error"])
    answers += [run_tool(python, name, path) for path in tqdm(files[1:], name, unit="file", disable=None)]
    speeds = [
        round(float(answer["pages"]) / float(answer["seconds"]), 1) if "error" not in answer else None
        for answer in answers
    ]
    return speeds, str(answers[0]["version"])


def run_tool(python: Path, name: str, path: Path) -> dict[str, str | float]:
    """Time another tool in its own Python."""
    command = [str(python), tools.__file__, name, str(path.resolve()), str(TOOL_SECONDS)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=TOOL_TIMEOUT,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {TOOL_TIMEOUT} s"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"error": f"it left with status {done.returncode}"}
    answer: dict[str, str | float] = json.loads(lines[-1])
    return answer


def time_reading(box: Sandbox, path: Path) -> Timing:
    """Return what reading a file takes, as the mean of several times."""
    before, count, spent = measure_cpu_seconds(box), 0, 0.0
    while count < MAX_REPEATS and spent < MIN_CPU_SECONDS:
        outcome = box.read(path)
        count, spent = count + 1, measure_cpu_seconds(box) - before
    if outcome.reading is None:
        return Timing(spent / count, None, f"{outcome.kind}: {outcome.reason}")
    return Timing(spent / count, outcome.reading.num_pages, "")


def measure_cpu_seconds(box: Sandbox) -> float:
    """Return the CPU time of this process, the reading worker and its children so far."""
    fields = Path(f"/proc/{box.start().pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return time.process_time() + sum(map(int, fields[11:15])) / TICKS


def markup_table(params: ExtractParams, files: list[Path]) -> Table:
    """Return megabytes of the file per core-second."""
    rows = []
    with sandbox_for(params) as box:
        for path in tqdm(files, "other formats", unit="file", disable=None):
            size, timing = path.stat().st_size / MEGABYTE, time_reading(box, path)
            rows.append((path.name, round(size, 2), timing.error or round(size / timing.cpu_seconds, 1)))
    return Table("HTML, EPUB and text: MB per core-second", ("file", "MB", "MB per core-second"), tuple(rows))


def overhead_table(params: ExtractParams) -> Table:
    """Return what the sandbox adds to a file of a few words."""
    with tempfile.TemporaryDirectory() as folder, sandbox_for(params) as box:
        files = [Path(folder, f"{number}.txt") for number in range(NUM_SMALL_FILES)]
        for number, path in enumerate(files):
            path.write_text(f"A few words, number {number}.", encoding="utf-8")
        box.read(files[0])
        cpu, wall = measure_cpu_seconds(box), time.monotonic()
        for path in files:
            box.read(path)
        wall, cpu = time.monotonic() - wall, measure_cpu_seconds(box) - cpu
    rows = (
        ("text of a few words", len(files), round(1_000 * wall / len(files), 2), round(1_000 * cpu / len(files), 2)),
    )
    return Table("The sandbox on small files", ("file", "files", "wall ms a file", "CPU ms a file"), rows)


def workers_table(params: ExtractParams, documents: Path) -> Table:
    """Return how long the whole stage takes on the documents with one worker and with two."""
    files = COPIES * files_in(documents, (".pdf", ".html", ".htm", ".epub", ".txt"))
    runs: dict[int, Run] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        list_files(folder, files)
        for num_workers in WORKERS:
            settings = params.model_copy(update={"num_workers": num_workers, "documents_per_shard": 1})
            runs[num_workers] = run_stage_apart(settings, folder, folder / f"out-{num_workers}")
    alone = runs[1].wall_seconds
    rows = tuple(
        (number, len(files), round(run.wall_seconds, 1), round(run.cpu_seconds, 1), round(alone / run.wall_seconds, 2))
        for number, run in runs.items()
    )
    header = ("workers", "documents", "wall s", "CPU s", "times one worker")
    return Table("The whole stage by workers, its start and end included", header, rows)


BENCHMARK = Benchmark(
    name="reading",
    description="pages and megabytes per core-second, next to other tools; small files; one worker and two",
    arguments=(
        DOCUMENTS,
        Argument("--tools-python", Path, "FILE", required=False, help="a Python that has other tools"),
    ),
    measure=lambda options: measure_reading(
        ExtractParams.load(options.params), documents=options.documents, tools_python=options.tools_python
    ),
)
