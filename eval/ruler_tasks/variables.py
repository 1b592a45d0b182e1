"""RULER's variable tracking: a chain of assignments in noise; which variables have the value?

Source  RULER (arXiv 2404.06654), appendix B; github.com/NVIDIA/RULER, scripts/data/synthetic/variable_tracking.py
"""

from itertools import pairwise
from random import Random
from string import ascii_uppercase

from eval.ruler_tasks.needles import NOISE
from eval.ruler_tasks.reply_scores import match_all
from eval.ruler_tasks.task import Draft, Source, Task

NUM_HOPS = 4
EXAMPLE_LINES = 5  # of noise, in the worked example
OPENING = "Memorize and track the chain(s) of variable assignment hidden in the following text."


def build(source: Source, size: int, draw: Random) -> Draft:
    """Return a draft with a worked example before it, as RULER has one."""
    del source
    example = build_chain(EXAMPLE_LINES, 3, draw)
    solved = f"{example.document}{example.question} {example.answer_start} {' '.join(example.references)}"
    chain = build_chain(size, 5, draw)
    return Draft(f"{solved}\n\n\n{chain.document}", chain.question, chain.answer_start, chain.references)


def build_chain(num_lines: int, num_letters: int, draw: Random) -> Draft:
    """Return a chain of assignments whose names have so many letters, in so many lines of noise."""
    names: dict[str, None] = {}
    while len(names) <= NUM_HOPS:
        names["".join(draw.choices(ascii_uppercase, k=num_letters))] = None
    chain = list(names)
    value = draw.randint(10_000, 99_998)
    steps = [f"VAR {chain[0]} = {value}"]
    steps += [f"VAR {after} = VAR {before}" for before, after in pairwise(chain)]
    lines = [NOISE] * num_lines
    places = sorted(draw.sample(range(num_lines), len(steps)))
    for moved, (place, step) in enumerate(zip(places, steps, strict=True)):
        lines.insert(place + moved, step)
    text = "\n".join(lines)
    question = f"Question: Find all variables that are assigned the value {value} in the text above."
    answer = (
        f"Answer: According to the chain(s) of variable assignment in the text above, {len(chain)} variables are "
        f"assigned the value {value}, they are:"
    )
    return Draft(f"{OPENING}\n\n{text}\n", question, answer, tuple(chain))


TASKS = (Task("vt", build, match_all, max_reply_tokens=30, min_size=EXAMPLE_LINES),)
