"""Damage small PDFs at random and read each in the sandbox: each must have an outcome."""

import multiprocessing
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.benchmarks.benchmark import COUNT, DOCUMENTS, SEED, Benchmark
from pipeline.benchmarks.stage import files_in
from pipeline.extract import ExtractParams, sandbox_for
from pipeline.readers.sandbox import Outcome, Sandbox
from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.paper import compose_paper
from pipeline.synthetic.writers.pdf import write_article, write_report
from pipeline.tables import Table

MAX_SEED_BYTES = 65_536
MAX_CHANGES = 6
TOKEN = re.compile(rb"-?\d+(?:\.\d+)?|/[A-Za-z][A-Za-z0-9]*|<<|>>|\[|\]|obj|endobj|stream|endstream")
ODD_TOKENS = (
    *(b"0", b"-1", b"1", b"65536", b"2147483647", b"-2147483648", b"4294967296", b"99999999999999999999", b"1e38"),
    *(b"null", b"true", b"<<", b">>", b"[", b"]", b"()", b"<>", b"1 0 R", b"2 0 R", b"3 0 R", b"4 0 R", b"R"),
    *(b"/Kids", b"/Parent", b"/Length", b"/Filter", b"/FlateDecode", b"/LZWDecode", b"/Type", b"/Prev", b"stream"),
)


@dataclass(frozen=True)
class Mutants:
    """Reads the mutants with numbers in a range; it travels to other processes."""

    params: ExtractParams
    seeds: tuple[bytes, ...]
    seed: int

    def __call__(self, numbers: range) -> Counter[tuple[str, str]]:
        """Return how many had which outcome."""
        found: Counter[tuple[str, str]] = Counter()
        with tempfile.TemporaryDirectory() as folder, sandbox_for(self.params) as box:
            path = Path(folder, "mutant.pdf")
            for number in numbers:
                path.write_bytes(make_mutant(self.seeds, random.Random(f"{self.seed}-{number}")))  # noqa: S311
                found[classify_outcome(box, path)] += 1
        return found


def classify_outcome(box: Sandbox, path: Path) -> tuple[str, str]:
    """Return what became of a file, in words to count by."""
    outcome: Outcome = box.read(path)
    if outcome.reading is not None:
        outcome.reading.text.encode()
        assert "\0" not in outcome.reading.text
        return "read", outcome.reading.reader
    return outcome.kind, re.sub(r"\d+", "#", outcome.reason)[:80]


def make_mutant(seeds: tuple[bytes, ...], source: random.Random) -> bytes:
    """Return a seed with a few changes: bits, cuts, pieces of others, tokens."""
    data = bytearray(source.choice(seeds))
    for _ in range(source.randint(1, MAX_CHANGES)):
        if data:
            source.choice((flip, cut, repeat, partial(splice, seeds), swap, swap))(data, source)
    return bytes(data)


def flip(data: bytearray, source: random.Random) -> None:
    """Turn single bits over."""
    for _ in range(source.randint(1, 16)):
        data[source.randrange(len(data))] ^= 1 << source.randrange(8)


def cut(data: bytearray, source: random.Random) -> None:
    """Lose a piece, the end more often than another."""
    start = source.randrange(len(data))
    del data[start : None if source.random() < 0.5 else start + source.randint(1, 256)]


def repeat(data: bytearray, source: random.Random) -> None:
    """Write a piece twice."""
    start = source.randrange(len(data))
    data[start:start] = data[start : start + source.randint(1, 512)]


def splice(seeds: tuple[bytes, ...], data: bytearray, source: random.Random) -> None:
    """Overwrite a piece with one of another seed."""
    other = source.choice(seeds)
    start, size = source.randrange(len(other)), source.randint(1, 1024)
    place = source.randrange(len(data))
    data[place : place + size] = other[start : start + size]


def swap(data: bytearray, source: random.Random) -> None:
    """Put an odd token, or another of the same file, in the place of one."""
    tokens = [match.span() for match in TOKEN.finditer(data)]
    if not tokens:
        return
    start, end = source.choice(tokens)
    first, last = source.choice(tokens)
    data[start:end] = bytes(data[first:last]) if source.random() < 0.4 else source.choice(ODD_TOKENS)


def written_seeds(seed: int) -> Iterator[bytes]:
    """Write small PDFs in both of the sample's layouts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "seed.pdf")
        for index, size in enumerate((4, 8, 14)):
            paper = compose_paper(random_for(seed, "mutants", index), index, 1, 1)
            for write in (write_article, write_report):
                write(path, replace(paper, blocks=paper.blocks[:size]))
                yield path.read_bytes()


def measure_mutants(params: ExtractParams, *, documents: Path | None, count: int, seed: int) -> list[Table]:
    """Read `count` mutants and count their outcomes."""
    found = [path.read_bytes() for path in files_in(documents, (".pdf",))] if documents else []
    seeds = (*written_seeds(seed), *(data for data in found if 0 < len(data) <= MAX_SEED_BYTES))
    num_parts = 8 * params.num_workers
    parts = [range(start, count, num_parts) for start in range(num_parts)]
    outcomes: Counter[tuple[str, str]] = Counter()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(params.num_workers, context) as pool:
        for part in pool.map(partial(Mutants(params, seeds, seed)), parts):
            outcomes.update(part)
    return outcome_tables(outcomes, len(seeds))


def outcome_tables(outcomes: Counter[tuple[str, str]], num_seeds: int) -> list[Table]:
    """Return the outcomes by kind, and the most frequent reasons."""
    kinds: Counter[str] = Counter()
    for (kind, _), number in outcomes.items():
        kinds[kind] += number
    rows = tuple((kind, number) for kind, number in sorted(kinds.items(), key=lambda item: (-item[1], item[0])))
    caption = f"Outcomes of {kinds.total()} mutants of {num_seeds} PDFs"
    ordered = sorted(outcomes.items(), key=lambda item: (-item[1], item[0]))[:25]
    reasons = tuple((kind, reason, number) for (kind, reason), number in ordered)
    return [
        Table(caption, ("outcome", "mutants"), (*rows, ("in all", kinds.total()))),
        Table("The most frequent of them", ("outcome", "reader, or reason", "mutants"), reasons),
    ]


BENCHMARK = Benchmark(
    name="mutants",
    description="an outcome for each of --count damaged PDFs",
    arguments=(
        replace(DOCUMENTS, required=False),
        COUNT,
        SEED,
    ),
    measure=lambda options: measure_mutants(
        ExtractParams.load(options.params), documents=options.documents, count=options.count, seed=options.seed
    ),
)
