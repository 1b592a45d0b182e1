"""Read very many small files through the stage: time per file, and memory."""

import tempfile
from dataclasses import replace
from pathlib import Path

from pipeline.benchmarks.benchmark import COUNT, SEED, Benchmark
from pipeline.benchmarks.stage import Run, list_files, run_stage_apart
from pipeline.downloads.manifest import read_entries, write_entries
from pipeline.extract import ExtractParams
from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.paper import compose_paper
from pipeline.synthetic.writers.pdf import write_article
from pipeline.tables import Table

WORDS_PER_FILE = 150
SHARE_OF_PDFS = 10  # one file of so many
MEGABYTE = 1_000_000


def measure_files(params: ExtractParams, *, count: int, seed: int) -> list[Table]:
    """Read a tenth of `count` files and then all of them, and compare."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_files(folder / "files", count, seed)
        runs = [(number, read_first(params, folder, number)) for number in (count // 10, count)]
    return [files_table(runs, params.num_workers)]


def write_files(folder: Path, count: int, seed: int) -> None:
    """Write short texts, and among them a small PDF again and again; list all of them in the folder."""
    folder.mkdir()
    random = random_for(seed, "files", 0)
    paper = compose_paper(random_for(seed, "paper", 0), 0, 1, 1)
    write_article(folder / "paper.pdf", replace(paper, blocks=paper.blocks[:8]))
    body = (folder / "paper.pdf").read_bytes()
    vocabulary = sorted({word for block in paper.facts for word in block.quote.split()})
    files = []
    for number in range(count):
        is_pdf = number % SHARE_OF_PDFS == 0
        path = folder / f"{number:06d}.{'pdf' if is_pdf else 'txt'}"
        words = " ".join(random.choice(vocabulary) for _ in range(WORDS_PER_FILE))
        path.write_bytes(body + b"%% %d\n" % number if is_pdf else words.encode())
        files.append(path)
    list_files(folder, files)


def read_first(params: ExtractParams, folder: Path, number: int) -> Run:
    """Run the stage on the first files of the list."""
    part = folder / f"first-{number}"
    part.mkdir()
    write_entries(part, read_entries(folder / "files")[:number])
    return run_stage_apart(params, part, folder / f"out-{number}")


def files_table(runs: list[tuple[int, Run]], num_workers: int) -> Table:
    """Return the figures of the runs."""
    rows = tuple(
        (
            number,
            run.exit_code,
            round(run.wall_seconds, 1),
            round(1_000 * run.cpu_seconds / number, 1),
            round(number / run.wall_seconds, 1),
            *(round(held / MEGABYTE) for held in (at(run, 0.5), at(run, 1.0), max(run.resident))),
            run.num_left,
        )
        for number, run in runs
    )
    header = ("files", "exit", "wall s", "CPU ms a file", "files a second")
    memory = ("parent MB halfway", "parent MB at the end", "parent MB at most", "processes left")
    return Table(f"Small files through the stage, {num_workers} workers", (*header, *memory), rows)


def at(run: Run, share: float) -> int:
    """Return the memory of the parent after a share of the time."""
    return run.resident[min(len(run.resident) - 1, int(share * len(run.resident)))]


BENCHMARK = Benchmark(
    name="files",
    description="memory and time of the stage for --count small files",
    arguments=(
        COUNT,
        SEED,
    ),
    measure=lambda options: measure_files(ExtractParams.load(options.params), count=options.count, seed=options.seed),
)
