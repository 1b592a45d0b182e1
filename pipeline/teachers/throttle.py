"""Limit the requests in flight: more while a server keeps up, half as many when it is overloaded."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

DECREASE = 0.5  # the factor by which the limit falls


class Throttle:
    """An adaptive limit on requests in flight: additive increase, multiplicative decrease, as in TCP.

    From 16, an overload gives 8; eight successes later the limit is about 9.
    """

    def __init__(self, max_in_flight: int) -> None:
        """Start at the highest limit."""
        self.max_in_flight = max_in_flight
        self.limit = float(max_in_flight)
        self._in_flight = 0
        self._changed = asyncio.Condition()
        self._resume_at = 0.0
        self._epoch = 0  # how often the limit fell; a request from before a fall does not make it fall again

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Wait until a request may be sent, and yield the epoch it starts in."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._in_flight < max(1, int(self.limit)))
            self._in_flight += 1
        try:
            if (pause := self._resume_at - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            yield self._epoch
        finally:
            async with self._changed:
                self._in_flight -= 1
                self._changed.notify(2)

    def succeeded(self) -> None:
        """Raise the limit a little after a reply."""
        self.limit = min(float(self.max_in_flight), self.limit + 1 / max(1.0, self.limit))

    def overloaded(self, epoch: int, retry_after: float = 0.0) -> None:
        """Halve the limit, once for all requests of an epoch, and send nothing for `retry_after` seconds."""
        self._resume_at = max(self._resume_at, time.monotonic() + retry_after)
        if epoch == self._epoch:
            self._epoch += 1
            self.limit = max(1.0, self.limit * DECREASE)
