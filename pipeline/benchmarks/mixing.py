"""Mix very many long rows through the stage: how time and memory grow with the rows."""

import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from pipeline.benchmarks.benchmark import COUNT, SEED, Benchmark
from pipeline.errors import InputError
from pipeline.files import hash_file
from pipeline.mix import MixParams
from pipeline.records import Category, Document, Evidence, Example, Section, make_example_id
from pipeline.storage.parquet import write_documents, write_examples
from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.paper import compose_paper
from pipeline.tables import Table

POLL_SECONDS = 0.2
ROWS_PER_DOCUMENT = 3
SHARE_SHORT = 0.25
TOKENS = (8_000, 100_000)  # of a document, evenly spread
CHARACTERS_PER_TOKEN = 3.7  # of the prose below
CATEGORIES: tuple[Category, ...] = ("book", "paper", "report", "statement")
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class MixRun:
    """What a run of the stage took."""

    rows: int
    tokens: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    digest: str


def measure_mixing(params: MixParams, *, count: int, seed: int) -> list[Table]:
    """Mix half of `count` rows and then all of them, and compare.

    Raises:
        InputError: The stage fails, or there are too few rows to halve.
    """
    if count < 16:
        raise InputError("--count", found=str(count), expected="at least 16", fix="Name a larger number.")
    with tempfile.TemporaryDirectory() as name:
        runs = [mix_rows(params, Path(name) / str(number), number, seed) for number in (count // 2, count)]
    return [mixing_table(runs)]


def mix_rows(params: MixParams, folder: Path, count: int, seed: int) -> MixRun:
    """Write documents and examples, and run the stage on them in a process of its own."""
    num_short = int(count * SHARE_SHORT)
    num_long = count - num_short
    write_inputs(folder, num_long, num_short, seed)
    changed = params.model_copy(update={"num_long": num_long, "num_short": num_short, "num_test": num_long // 100})
    settings = folder / "params.yaml"
    settings.write_text(yaml.safe_dump({"mix": changed.model_dump()}), encoding="utf-8")
    options = ["--documents", folder / "curate", "--long", folder / "verify", "--short", folder / "short"]
    command = [sys.executable, "-m", "pipeline.mix", *map(str, options), "--out", str(folder / "mix")]
    seconds, cpu_seconds, peak = run_timed([*command, "--params", str(settings)])
    report = yaml.safe_load((folder / "mix" / "report.json").read_text(encoding="utf-8"))
    digest = hash_file(folder / "mix" / "LongAlpaca-12k.json")[:16]
    return MixRun(report["train"]["rows"], report["train"]["tokens"], seconds, cpu_seconds, peak, digest)


def run_timed(command: list[str]) -> tuple[float, float, int]:
    """Run a command, and return its time by the clock and of the processor, and the most memory that it held.

    Raises:
        InputError: It failed.
    """
    start, before, peak = time.monotonic(), os.times(), 0
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        peak = max(peak, peak_bytes(process.pid))
        time.sleep(POLL_SECONDS)
    if process.returncode:
        said = process.stderr.read() if process.stderr else ""
        raise InputError("the stage", found=said[-500:], expected="a run without fault", fix="Fix section 'mix'.")
    after = os.times()
    cpu_seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return time.monotonic() - start, cpu_seconds, peak


def peak_bytes(process: int) -> int:
    """Return the most memory that a process has held so far; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), 0)


def write_inputs(folder: Path, num_long: int, num_short: int, seed: int) -> None:
    """Write what the stages before `mix` would have written; one document of eleven is for testing."""
    num_documents = max(11, num_long * 12 // (10 * ROWS_PER_DOCUMENT) + 1)
    examples: list[Example] = []
    write_documents(folder / "curate" / "documents-00000.parquet", make_documents(num_documents, seed, examples))
    write_examples(folder / "verify" / "examples-00000.parquet", examples)
    shorts = (short_example(number) for number in range(num_short))
    write_examples(folder / "short" / "examples-00000.parquet", shorts)


def make_documents(count: int, seed: int, examples: list[Example]) -> Iterator[Document]:
    """Yield documents of random words in sections, and put the questions about each into `examples`."""
    vocabulary = sample_vocabulary(seed)
    for number in range(count):
        chance = random.Random(f"{seed}:{number}")  # noqa: S311
        text = prose(vocabulary, chance, int(chance.uniform(*TOKENS) * CHARACTERS_PER_TOKEN))
        document = Document(
            doc_id=f"{number:064x}",
            category=CATEGORIES[number % len(CATEGORIES)],
            source=f"https://example.org/{number}",
            licence="CC0-1.0",
            language="en",
            num_tokens=int(len(text) / CHARACTERS_PER_TOKEN),
            text=text,
            sections=split_sections(text),
            split="test" if number % 11 == 0 else "train",
        )
        examples += [make_example(document, chance) for _ in range(ROWS_PER_DOCUMENT)]
        yield document


def sample_vocabulary(seed: int) -> list[str]:
    """Return the words of a few papers of the sample."""
    papers = [compose_paper(random_for(seed, "paper", number), number, 1, 1) for number in range(8)]
    return sorted({word for paper in papers for fact in paper.facts for word in re.findall(r"[a-z]+", fact.quote)})


def prose(vocabulary: list[str], chance: random.Random, num_characters: int) -> str:
    """Return sentences of random words in paragraphs, under a heading now and then."""
    pieces: list[str] = []
    length = number = 0
    while length < num_characters:
        number += 1
        words = chance.choices(vocabulary, k=120)
        sentences = [" ".join(words[start : start + 15]).capitalize() + "." for start in range(0, 120, 15)]
        heading = f"## Part {number}\n\n" if number % 20 == 1 else ""
        pieces.append(f"{heading}{' '.join(sentences)}")
        length += len(pieces[-1]) + 2
    return "\n\n".join(pieces)


def split_sections(text: str) -> tuple[Section, ...]:
    """Return the sections of a text of ours."""
    starts = [place for place in range(len(text)) if text.startswith("## ", place)]
    ends = [*starts[1:], len(text)]
    return tuple(Section((f"Part {n}",), a, b) for n, (a, b) in enumerate(zip(starts, ends, strict=True)))


def make_example(document: Document, chance: random.Random) -> Example:
    """Return a question about a sentence of a document."""
    start = document.text.index(". ", chance.randrange(len(document.text) * 9 // 10)) + 2
    quote = document.text[start : document.text.index(".", start) + 1]
    question = f"What comes after the words “{quote[:40]}”?"
    return Example(
        example_id=make_example_id("words", question, quote, [document.doc_id]),
        task=f"words-{chance.randrange(3)}",
        question=question,
        answer=quote,
        doc_ids=(document.doc_id,),
        evidence=(Evidence(document.doc_id, start, start + len(quote), quote),),
        teacher="extractive",
        licence=document.licence,
        checks=("evidence_is_verbatim",),
    )


def short_example(number: int) -> Example:
    """Return a short question."""
    question, answer = f"What is {number} and one?", f"It is {number + 1}."
    return Example(make_example_id("short", question, answer, ()), "short", question, answer, licence="CC0-1.0")


def mixing_table(runs: list[MixRun]) -> Table:
    """Return the figures of the runs."""
    header = ("training rows", "tokens", "wall s", "CPU s", "peak MB", "million tokens a second", "sha256 of the JSON")
    rows = tuple(
        (
            run.rows,
            run.tokens,
            round(run.seconds, 1),
            round(run.cpu_seconds, 1),
            round(run.peak_bytes / MEGABYTE),
            round(run.tokens / run.seconds / 1e6, 2),
            run.digest,
        )
        for run in runs
    )
    return Table("Rows mixed, split, carded and written, in all editions", header, rows)


BENCHMARK = Benchmark(
    name="mix",
    description="memory and time of mixing --count long rows",
    arguments=(
        COUNT,
        SEED,
    ),
    measure=lambda options: measure_mixing(MixParams.load(options.params), count=options.count, seed=options.seed),
)
