"""How many requests are under way: more while a server keeps up, half as many when it says that it does not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

MIN_SHARE = 0.5  # of the limit, to which it falls at once


class Throttle:
    """A limit on requests in flight that adapts: additive increase, multiplicative decrease, as TCP does it."""

    def __init__(self, max_in_flight: int) -> None:
        """Begin with all that is allowed."""
        self.max_in_flight = max_in_flight
        self.limit = float(max_in_flight)
        self._in_flight = 0
        self._changed = asyncio.Condition()
        self._resume_at = 0.0
        self._epoch = 0  # how often the limit fell: requests from before a fall do not make it fall again

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Wait for a place, and give the epoch in which the request began."""
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
        """Allow a little more."""
        self.limit = min(float(self.max_in_flight), self.limit + 1 / max(1.0, self.limit))

    def overloaded(self, epoch: int, retry_after: float = 0.0) -> None:
        """Allow half as much, once for all requests of an epoch, and nothing at all for as long as the server asks."""
        self._resume_at = max(self._resume_at, time.monotonic() + retry_after)
        if epoch == self._epoch:
            self._epoch += 1
            self.limit = max(1.0, self.limit * MIN_SHARE)
