"""Run several coroutines side by side."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any

from pipeline.errors import InputError


async def run_workers(workers: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run coroutines until all have ended; the first error for the user ends them all.

    Raises:
        InputError: The one that a worker raised, without the group that a TaskGroup puts around it.
    """
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker)
    except BaseExceptionGroup as errors:
        found, _ = errors.split(InputError)
        if found is None:
            raise
        raise found.exceptions[0] from None
