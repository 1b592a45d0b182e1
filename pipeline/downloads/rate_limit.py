"""Ask each host no oftener than it likes: so many requests a second, and not before the time that it names.

Requests to one host are spaced evenly, so that no window of a second, wherever it begins, sees more than the limit.
"""

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Clock:
    """The time in seconds since any moment, and how to wait."""

    now: Callable[[], float] = time.monotonic
    sleep: Sleep = asyncio.sleep


@dataclass
class Pace:
    """When one host may be asked next. Those who wait do so in a row, so that late wakers never come in a bunch."""

    interval: float  # seconds between requests
    next_free: float = float("-inf")
    row: asyncio.Lock = field(default_factory=asyncio.Lock)

    def hold(self, until: float) -> None:
        """Let nobody ask before a moment."""
        self.next_free = max(self.next_free, until)

    def slow_down(self, interval: float) -> None:
        """Ask no oftener than once in an interval, where that is seldomer than now."""
        self.interval = max(self.interval, interval)

    async def turn(self, clock: Clock) -> None:
        """Wait for the next free moment and take it."""
        async with self.row:
            while (delay := self.next_free - clock.now()) > 0:
                await clock.sleep(delay)
            self.next_free = clock.now() + self.interval


@dataclass
class Politeness:
    """The paces of all hosts."""

    requests_per_second: float
    host_rates: dict[str, float]  # by host name, where it is another rate
    clock: Clock = field(default_factory=Clock)
    _paces: dict[str, Pace] = field(default_factory=dict)

    def pace(self, host: str) -> Pace:
        """Return the pace of a host (name or name:port)."""
        if host not in self._paces:
            rate = self.host_rates.get(host, self.host_rates.get(name_of(host), self.requests_per_second))
            self._paces[host] = Pace(1 / rate)
        return self._paces[host]

    async def turn(self, host: str) -> None:
        """Wait until a host may be asked."""
        await self.pace(host).turn(self.clock)

    def hold(self, host: str, seconds: float) -> None:
        """Let nobody ask a host for some seconds."""
        self.pace(host).hold(self.clock.now() + seconds)


def name_of(host: str) -> str:
    """Return the name of 'name:port'; an IPv6 address stands in brackets."""
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def retry_after(value: str, date: str) -> float | None:
    """Return the seconds that a Retry-After header asks for, None if it says nothing sensible.

    Args:
        value: The header: seconds, or an HTTP date (RFC 9110, section 10.2.3).
        date: The server's own Date header, against which an HTTP date is taken: its clock may differ from ours.
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value).timestamp()
        since = email.utils.parsedate_to_datetime(date).timestamp() if date else time.time()
    except ValueError:
        return None
    return max(0.0, until - since)
