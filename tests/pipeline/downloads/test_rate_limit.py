"""No host is asked oftener than it likes, by a clock that the test moves."""

import asyncio
import heapq
import itertools
import random

import pytest

from pipeline.downloads.rate_limit import Clock, RateLimiter, retry_after


class Script:
    """A clock that stands still while anyone works, and then leaps to the next waker."""

    def __init__(self):
        self.time = 0.0
        self.sleepers = []
        self.order = itertools.count()

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self.sleepers, (self.time + seconds, next(self.order), woken))
        await woken

    async def run(self, *tasks):
        waiting = asyncio.gather(*tasks)
        while not waiting.done():
            for _ in range(20):  # let everyone work who can
                await asyncio.sleep(0)
            if self.sleepers:
                self.time, _, woken = heapq.heappop(self.sleepers)
                woken.set_result(None)
        await waiting

    @property
    def clock(self):
        return Clock(lambda: self.time, self.sleep)


def most_in_a_window(times, seconds):
    return max(sum(start <= time < start + seconds - 1e-9 for time in times) for start in times)


@pytest.mark.parametrize("seed", range(3))
def test_no_window_of_a_second_sees_more_than_the_limit(seed):
    script, chance = Script(), random.Random(seed)
    rates = {"www.sec.gov": 10.0, "slow.example": 0.5}
    rate_limiter = RateLimiter(3.0, rates, script.clock)
    times = {host: [] for host in ("www.sec.gov", "slow.example", "a.example", "b.example:8080")}

    async def ask(host):
        await script.sleep(chance.random() * 5)
        for _ in range(10):
            await rate_limiter.turn(host)
            times[host].append(script.time)
            await script.sleep(chance.random() * 0.2)  # the answer

    asyncio.run(script.run(*(ask(host) for host in times for _ in range(5))))

    for host, asked in times.items():
        rate = rates.get(host, 3.0)
        assert len(asked) == 50
        assert most_in_a_window(asked, max(1.0, 1 / rate)) <= max(1, rate)
        assert max(asked) <= 6 + 50 / rate + 2  # and no host waits for another


def test_a_host_that_wants_to_be_left_alone_is_so_by_everyone_who_waits():
    script = Script()
    rate_limiter = RateLimiter(10.0, {}, script.clock)
    times = []

    async def ask():
        await rate_limiter.turn("a.example")
        times.append(script.time)
        if len(times) == 3:
            rate_limiter.pause("a.example", 30)

    asyncio.run(script.run(*(ask() for _ in range(6))))

    assert times == pytest.approx([0.0, 0.1, 0.2, 30.2, 30.3, 30.4])


def test_a_crawl_delay_slows_a_host_down_and_never_speeds_it_up():
    script = Script()
    rate_limiter = RateLimiter(1.0, {}, script.clock)
    rate_limiter.pace("a").raise_interval(0.1)
    rate_limiter.pace("b").raise_interval(5.0)
    times = []

    async def ask(host):
        for _ in range(3):
            await rate_limiter.turn(host)
        times.append(script.time)

    asyncio.run(script.run(ask("a"), ask("b")))

    assert times == [2.0, 10.0]


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        ("120", "", 120),
        ("0", "", 0),
        ("Wed, 25 Nov 2026 01:00:30 GMT", "Wed, 25 Nov 2026 01:00:00 GMT", 30),
        ("Wed, 25 Nov 2026 00:00:00 GMT", "Wed, 25 Nov 2026 01:00:00 GMT", 0),
        ("-1", "", None),
        ("soon", "", None),
        ("", "", None),
    ],
)
def test_what_retry_after_says(value, date, seconds):
    assert retry_after(value, date) == seconds
