"""All tasks by name, and their samples: drafts that fill a length and never exceed it."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

from eval.haystack import CountTokens, Haystack
from eval.ruler_tasks import entries, needles, talks, variables, words
from eval.ruler_tasks.task import Draft, Sample, Source, Task
from pipeline.rejections import Reason

TASKS = {task.name: task for module in (needles, variables, words, entries, talks) for task in module.TASKS}
RULER_TASKS = tuple(task.name for module in (needles, variables, words, entries) for task in module.TASKS)


def make_samples(
    names: Sequence[str], lengths: Sequence[int], num: int, haystack: Haystack, count_tokens: CountTokens, seed: int
) -> Iterator[Sample | Reason]:
    """Yield the samples of each length and task, or why a sample of them cannot be made."""
    for length in sorted(lengths):
        for name in names:
            for number in range(num):
                yield make_sample(TASKS[name], Source(haystack, length), number, count_tokens, seed)


def make_sample(task: Task, source: Source, number: int, count_tokens: CountTokens, seed: int) -> Sample | Reason:
    """Return the longest draft that leaves room for the reply."""

    def build(size: int) -> Draft:
        return task.build(source, size, Random(f"{seed}:{task.name}:{source.length}:{number}"))  # noqa: S311

    limit = source.length - task.max_reply_tokens
    fitted = fit_draft(build, task.min_size, limit, lambda draft: count_tokens(join_prompt(draft)))
    if isinstance(fitted, int):
        return Reason(
            f"{task.name} has no room in {source.length} tokens", f"it takes {fitted + task.max_reply_tokens}"
        )
    draft, num_tokens = fitted
    return Sample(
        task.name, source.length, number, num_tokens, task.max_reply_tokens,
        draft.document, draft.question, draft.answer_start, draft.references,
    )  # fmt: skip


def join_prompt(draft: Draft) -> str:
    """Return the text of a prompt."""
    return f"{draft.document}{draft.question} {draft.answer_start}"


def fit_draft(
    build: Callable[[int], Draft], min_size: int, limit: int, count: Callable[[Draft], int]
) -> tuple[Draft, int] | int:
    """Return the draft of about the largest size that fits, with its tokens; the smallest one's tokens if none does.

    Sizes are doubled until one does not fit, and then halved between. A draft is returned only if it was counted, so
    it fits even where a larger size has fewer tokens.
    """
    found, num_tokens = build(min_size), 0
    if (num_tokens := count(found)) > limit:
        return num_tokens
    low, step = min_size, max(1, min_size)
    while (bigger := count(draft := build(low + step))) <= limit:
        found, num_tokens, low, step = draft, bigger, low + step, 2 * step
    high = low + step
    while high - low > 1:
        middle = (low + high) // 2
        if (between := count(draft := build(middle))) <= limit:
            found, num_tokens, low = draft, between, middle
        else:
            high = middle
    return found, num_tokens


def write_samples(path: Path, samples: Sequence[Sample]) -> None:
    """Write samples as JSON lines, equal bytes for equal samples."""
    lines = [json.dumps(asdict(sample), ensure_ascii=False, sort_keys=True) for sample in samples]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_samples(path: Path) -> list[Sample]:
    """Return the samples in a file of JSON lines."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Sample(**{**row, "references": tuple(row["references"])}) for row in rows]
