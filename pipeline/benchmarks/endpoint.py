"""How many requests a second a teacher's client manages when the server costs nothing, and in how much memory."""

import asyncio
import multiprocessing
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from pipeline.benchmarks.benchmark import COUNT, Benchmark
from pipeline.benchmarks.scripted import MODEL, scripted
from pipeline.endpoint.client import Endpoint
from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.endpoint.reply_cache import FILE, ReplyStore
from pipeline.judging.probes import ShortAnswer
from pipeline.tables import Table

IN_FLIGHT = 64
PROMPT_WORDS = 500
SAMPLES = 4  # of the memory, while the run goes on


def measure_endpoint(*, count: int) -> list[Table]:
    """Ask a scripted server `count` questions, and then all of them again from the record."""
    with tempfile.TemporaryDirectory(prefix="longalpaca-") as folder, scripted() as url:
        params = EndpointParams(
            base_url=url,
            model=MODEL,
            api_key_variable="",
            max_context_tokens=8_192,
            max_reply_tokens=256,
            max_thinking_tokens=0,
            reply_limit_field="max_tokens",
            temperature=0.0,
            extra_body={},
            structured_output="auto",
            stream=False,
            max_samples=1,
            deadline_seconds=60.0,
            max_wait_seconds=60.0,
            max_attempts=3,
            max_in_flight=IN_FLIGHT,
            max_tokens=1 << 50,
            max_cost=0.0,
            price_per_million_prompt_tokens=0.0,
            price_per_million_cached_tokens=0.0,
            price_per_million_reply_tokens=0.0,
        )
        rows = []
        for what in ("asked", "replayed"):
            seconds, memory = measure_alone(params, Path(folder, FILE), count)
            rows.append((what, count, seconds, count / seconds, *memory))
    quarters = tuple(f"MB after {part * 100 // SAMPLES} %" for part in range(1, SAMPLES + 1))
    caption = f"{count} requests of {PROMPT_WORDS} words, {IN_FLIGHT} in flight, to a scripted server of one process"
    return [Table(caption, ("", "requests", "seconds", "requests a second", *quarters), tuple(rows))]


def measure_alone(params: EndpointParams, file: Path, count: int) -> tuple[float, list[float]]:
    """Return the seconds and the memory of a client in a process of its own, without what other benchmarks import."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure_client, params, file, count).result()


def measure_client(params: EndpointParams, file: Path, count: int) -> tuple[float, list[float]]:
    """Return the seconds that so many questions take, and the memory meanwhile."""
    started = time.perf_counter()
    memory = asyncio.run(ask(params, file, count))
    return time.perf_counter() - started, memory


async def ask(params: EndpointParams, file: Path, count: int) -> list[float]:
    """Ask so many questions, and return the resident memory at each quarter in MB."""
    memory: list[float] = []
    with ReplyStore(file) as store:
        async with Endpoint(params, store) as endpoint:
            await endpoint.check()
            waiting = iter(range(count))

            async def work() -> None:
                for number in waiting:
                    await endpoint.ask([{"role": "user", "content": f"{number} {'word ' * PROMPT_WORDS}"}], ShortAnswer)
                    if (number + 1) % (count // SAMPLES or 1) == 0:
                        memory.append(resident())

            async with asyncio.TaskGroup() as group:
                for _ in range(IN_FLIGHT):
                    group.create_task(work())
    return memory[:SAMPLES]


def resident() -> float:
    """Return the memory of this process in MB: what it has now on Linux, elsewhere the most that it had."""
    status = Path("/proc/self/statm")
    if status.is_file():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


BENCHMARK = Benchmark(
    name="endpoint",
    description="requests a second to a server that costs nothing, and memory (of --count requests)",
    arguments=(COUNT,),
    measure=lambda options: measure_endpoint(count=options.count),
)
