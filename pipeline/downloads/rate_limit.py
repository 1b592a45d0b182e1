"""Limit the requests to each host: at most so many a second, and none before the time that its Retry-After names.

Requests to one host are spaced evenly. No window of one second, wherever it begins, has more than the limit.
"""

import asyncio
import email.utils
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Clock:
    """The time in seconds since an arbitrary moment, and a way to wait; tests replace both."""

    now: Callable[[], float] = time.monotonic
    sleep: Sleep = asyncio.sleep


@dataclass
class HostPace:
    """When the next request to one host may be sent; requests wait in a queue, so that late ones come in no burst."""

    interval: float  # seconds between requests
    next_free: float = float("-inf")
    row: asyncio.Lock = field(default_factory=asyncio.Lock)

    def pause(self, until: float) -> None:
        """Send nothing before a moment."""
        self.next_free = max(self.next_free, until)

    def raise_interval(self, interval: float) -> None:
        """Raise the minimum interval; never lower it."""
        self.interval = max(self.interval, interval)

    async def turn(self, clock: Clock) -> None:
        """Wait for the next free slot and take it."""
        async with self.row:
            while (delay := self.next_free - clock.now()) > 0:
                await clock.sleep(delay)
            self.next_free = clock.now() + self.interval


@dataclass
class RateLimiter:
    """The request rates of all hosts."""

    requests_per_second: float
    host_rates: dict[str, float]  # by host name, where the rate differs
    clock: Clock = field(default_factory=Clock)
    _paces: dict[str, HostPace] = field(default_factory=dict)

    def pace(self, host: str) -> HostPace:
        """Return the pace of a host ('name' or 'name:port')."""
        if host not in self._paces:
            rate = self.host_rates.get(host, self.host_rates.get(host_name(host), self.requests_per_second))
            self._paces[host] = HostPace(1 / rate)
        return self._paces[host]

    async def turn(self, host: str) -> None:
        """Wait until a request to a host may be sent."""
        await self.pace(host).turn(self.clock)

    def pause(self, host: str, seconds: float) -> None:
        """Send nothing to a host for some seconds."""
        self.pace(host).pause(self.clock.now() + seconds)


def host_name(host: str) -> str:
    """Return the name of 'name:port'; an IPv6 address is in brackets."""
    return host.rsplit(":", 1)[0] if not host.endswith("]") else host


def retry_after(value: str, date: str) -> float | None:
    """Return the seconds that a Retry-After header asks for, None if it cannot be read.

    Args:
        value: The header: seconds, or an HTTP date (RFC 9110, section 10.2.3).
        date: The server's own Date header, to which an HTTP date is compared: its clock may differ from ours.
    """
    if value.strip().isdecimal():
        return float(value)
    try:
        until = email.utils.parsedate_to_datetime(value).timestamp()
        since = email.utils.parsedate_to_datetime(date).timestamp() if date else time.time()
    except ValueError:
        return None
    return max(0.0, until - since)
