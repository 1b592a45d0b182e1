"""Draw examples for a person to read: as many of each task as fit, by a seed."""

from pathlib import Path

from pipeline.benchmarks.benchmark import COUNT, DOCUMENTS, SEED, Benchmark
from pipeline.records import Example
from pipeline.stable_order import round_robin, stable_shuffle
from pipeline.storage.parquet import read_examples
from pipeline.tables import Table


def draw_questions(*, documents: Path, count: int, seed: int) -> list[Table]:
    """Draw `count` accepted examples of a folder of `verify`, the tasks in turn."""
    by_task: dict[str, list[Example]] = {}
    for example in read_examples(documents, "examples*.parquet"):
        by_task.setdefault(example.task, []).append(example)
    ranked = {
        task: stable_shuffle(found, "read", seed, key=lambda example: example.example_id)
        for task, found in sorted(by_task.items())
    }
    drawn = round_robin([(task, example) for example in found] for task, found in ranked.items())[:count]
    rows = tuple(
        (number, task, example.question, example.answer, " / ".join(span.quote for span in example.evidence))
        for number, (task, example) in enumerate(sorted(drawn, key=lambda pair: pair[0]), 1)
    )
    totals = tuple((task, len(found)) for task, found in ranked.items())
    return [
        Table("Accepted examples", ("task", "examples"), totals),
        Table(f"{len(rows)} of them, seed {seed}", ("", "task", "question", "answer", "evidence"), rows),
    ]


BENCHMARK = Benchmark(
    name="questions",
    description="draws --count accepted examples, to be read by a person",
    arguments=(
        DOCUMENTS,
        COUNT,
        SEED,
    ),
    measure=lambda options: draw_questions(documents=options.documents, count=options.count, seed=options.seed),
)
