"""Limit the requests in flight to what a server can use, and wait when it asks for that.

Two things move the limit. While replies come, it is doubled as long as more of them come in a second for it, as a
batching server makes possible; a server that answers one request at a time is asked one at a time. When a server says
that it is overloaded, the limit is halved and then grows slowly, as TCP does.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

DECREASE = 0.5  # the factor by which an overload lowers the limit
MIN_GAIN = 1.1  # a doubled limit is kept if the rate of replies grows by this factor
MIN_REPLIES = 4  # that a rate is taken from
HOLD_ROUNDS = 16  # rounds until a limit that did not help is tried again


class Throttle:
    """An adaptive limit on requests in flight.

    With four times as many replies a second at 4 as at 1 the limit goes on to 8. From 16, an overload gives 8; eight
    successes later the limit is about 9.
    """

    def __init__(self, max_in_flight: int, start: int | None = None) -> None:
        """Start with so many requests at a time, with the most there may be by default."""
        self.max_in_flight = max_in_flight
        self.limit = float(start or max_in_flight)
        self.in_flight = 0
        self.last_reply_at = 0.0  # on the monotonic clock; 0 before the first
        self._changed = asyncio.Condition()
        self._resume_at = 0.0
        self._epoch = 0  # how often the limit fell; a request from before a fall does not make it fall again
        self._overloads = False
        self._rate = 0.0  # replies a second at the limit before this one
        self._num_replies = 0  # in this round; those of the limit before it are passed over
        self._round_started = 0.0
        self._hold = 0

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[int]:
        """Wait until a request may be sent, and yield the epoch it starts in."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.in_flight < max(1, int(self.limit)))
            self.in_flight += 1
        try:
            if (pause := self._resume_at - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            yield self._epoch
        finally:
            async with self._changed:
                self.in_flight -= 1
                self._changed.notify(max(2, int(self.limit) - self.in_flight))

    def succeeded(self) -> None:
        """Count a reply, and see whether another limit gives more of them."""
        self.last_reply_at = time.monotonic()
        if self._overloads:
            self.limit = min(float(self.max_in_flight), self.limit + 1 / max(1.0, self.limit))
            return
        self._num_replies += 1
        skipped = int(self.limit) if self.limit > 1 else 0
        if self._num_replies == skipped or not self._round_started:
            self._round_started = self.last_reply_at
        num = self._num_replies - skipped
        if num >= max(MIN_REPLIES, int(self.limit)):
            self.adjust(num / max(1e-6, self.last_reply_at - self._round_started))

    def adjust(self, rate: float) -> None:
        """Double the limit, or go back to half of it, by the replies a second in the round that ends."""
        if self._hold:
            self._hold -= 1
        elif rate >= self._rate * MIN_GAIN:
            self._rate = rate
            self.limit = min(float(self.max_in_flight), self.limit * 2)
        else:
            self.limit, self._rate, self._hold = max(1.0, self.limit // 2), 0.0, HOLD_ROUNDS
        self._num_replies, self._round_started = 0, self.last_reply_at

    def overloaded(self, epoch: int, retry_after: float = 0.0) -> None:
        """Halve the limit, once for all requests of an epoch, and send nothing for `retry_after` seconds."""
        self._resume_at = max(self._resume_at, time.monotonic() + retry_after)
        self._overloads = True
        if epoch == self._epoch:
            self._epoch += 1
            self.limit = max(1.0, self.limit * DECREASE)
