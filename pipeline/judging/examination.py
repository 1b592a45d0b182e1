"""Put examples to a model: the probes, and the judge.

A server that is gone, out of quota or over budget ends the run: what it has judged is recorded and replayed by the next
one, and nothing is accepted unjudged. A reply that cannot be used refuses its example.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from pipeline.checks.finding import is_by_model
from pipeline.endpoint.budget import Spending
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.endpoint.errors import BUDGET, ENDPOINT, OTHER_MODEL, PROMPT_CUT, STOPPED, RefusedError, find_fix
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.endpoint.workers import run_workers
from pipeline.errors import InputError
from pipeline.judging.judge import JudgeParams, judge
from pipeline.judging.probes import ProbeName, list_probes
from pipeline.records import Example
from pipeline.rejections import Reason
from pipeline.storage.document_store import DocumentStore

log = logging.getLogger(__name__)

SERVER_FAULTS = (STOPPED, ENDPOINT, BUDGET, OTHER_MODEL, PROMPT_CUT)
NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class Examination:
    """What a model is asked about examples."""

    probes: tuple[ProbeName, ...]
    judge: JudgeParams | None  # None: nobody judges
    endpoint: EndpointParams

    def is_judged(self, example: Example) -> bool:
        """Say whether an example is for the judge: a model wrote it, the checks doubt it, or all are."""
        return self.judge is not None and (self.judge.when == "always" or bool(example.doubts) or is_by_model(example))


def examine_all(
    examples: Sequence[Example], examination: Examination, store: DocumentStore, out: Path
) -> tuple[list[Example], Spending | None]:
    """Return the examples with the names of what they passed or why they are refused, and what that cost.

    Examples refused before are left as they are. Replies are recorded in OUT before they are used.

    Raises:
        InputError: The server let the run go no further.
    """
    waiting = [number for number, example in enumerate(examples) if is_asked_about(example, examination)]
    if not waiting:
        return list(examples), None
    with ReplyStore(out / FILE) as replies:
        return asyncio.run(examine_each(list(examples), waiting, examination, store, replies))


def is_asked_about(example: Example, examination: Examination) -> bool:
    """Say whether a model is asked about an example at all."""
    return not example.reason and (bool(examination.probes) or examination.is_judged(example))


async def examine_each(
    examples: list[Example],
    waiting: Sequence[int],
    examination: Examination,
    store: DocumentStore,
    replies: ReplyStore,
) -> tuple[list[Example], Spending]:
    """Examine the examples with some numbers, up to `max_in_flight` at a time."""
    numbers = iter(waiting)
    progress = tqdm(total=len(waiting), desc="verify", unit=" examples", disable=None)
    async with Endpoint(examination.endpoint, replies) as endpoint:

        async def work() -> None:
            for number in numbers:
                examples[number] = await examine(endpoint, examples[number], examination, store)
                progress.update()

        await run_workers([work() for _ in range(min(len(waiting), examination.endpoint.max_in_flight))])
        progress.close()
        return examples, endpoint.spending


async def examine(endpoint: Endpoint, example: Example, examination: Examination, store: DocumentStore) -> Example:
    """Return an example with the names of the probes it passed and of the judge, or why it is refused.

    Raises:
        InputError: The server let the run go no further.
    """
    try:
        for name, probe in list_probes(examination.probes, example).items():
            if reason := await probe(endpoint, example, store):
                return replace(example, reason=str(reason))
            example = replace(example, checks=(*example.checks, name))
        if examination.judge and examination.is_judged(example):
            if reason := await judge(endpoint, example, examination.judge, store):
                return replace(example, reason=str(reason))
            example = replace(example, checks=(*example.checks, "judge"))
        return example
    except RefusedError as error:
        if error.reason.kind in SERVER_FAULTS:
            raise explain_stop(error, examination.endpoint) from error
        return replace(example, reason=str(Reason(NOT_JUDGED, str(error.reason))))


def explain_stop(error: RefusedError, endpoint: EndpointParams) -> InputError:
    """Return the message for a server that lets the run go no further."""
    kind = error.reason.kind
    section = "verify.endpoint" if kind == BUDGET else "endpoint"
    fix = find_fix(kind).replace("endpoint.max", "verify.endpoint.max") if kind == BUDGET else find_fix(kind)
    return InputError(
        f"the endpoint {endpoint.base_url}" if section == "endpoint" else section,
        found=f"no verdict: {error.reason}",
        expected="one on each example; nothing is accepted without",
        fix=f"{fix} What was judged is recorded and not asked for again.",
    )


def warn_of_own_model(examples: Sequence[Example], model: str) -> int:
    """Return how many examples the judge's own model wrote, and warn if there are some."""
    num_own = sum(not example.reason and example.teacher == model for example in examples)
    if num_own:
        log.warning(
            "verify: the judge of %d examples is the model that wrote them, %s: a model overlooks its own faults; name"
            " another in verify.endpoint.model",
            num_own, model,
        )  # fmt: skip
    return num_own
