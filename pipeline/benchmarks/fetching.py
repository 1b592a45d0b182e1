"""Fetch very many small files from local hosts: files a second, and memory.

The hosts are addresses 127.0.0.2, 127.0.0.3, ... on one port, served by a process of its own.
"""

import asyncio
import multiprocessing
import random
import resource
import socket
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import yaml

from pipeline.benchmarks.benchmark import COUNT, Benchmark
from pipeline.fetch import FetchParams, run
from pipeline.tables import Table

NUM_HOSTS = 20
MIN_BYTES, MAX_BYTES = 2_000, 20_000
FIRST_HOST = 2  # 127.0.0.2
UNLIMITED = 1e6  # requests a second: the benchmark would measure the rate limit instead
KIB = 1 if sys.platform == "darwin" else 1_024  # the unit of the system's memory of a process


def measure_fetching(params: FetchParams, *, count: int, num_hosts: int) -> list[Table]:
    """Fetch `count` files from `num_hosts` hosts into an empty folder, and then once more."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(num_hosts, sender), daemon=True)
    process.start()
    try:
        port = receiver.recv()
        with tempfile.TemporaryDirectory() as name:
            return [fetch_table(params, Path(name), port, count, num_hosts)]
    finally:
        process.kill()
        process.join()


def fetch_table(params: FetchParams, folder: Path, port: int, count: int, num_hosts: int) -> Table:
    """Return the figures of both runs."""
    hosts = [f"127.0.0.{FIRST_HOST + number}" for number in range(num_hosts)]
    urls = [f"http://{hosts[number % num_hosts]}:{port}/{number}.txt" for number in range(count)]
    about = {"category": "book", "licence": "CC0-1.0"}
    sources = folder / "sources.yaml"
    sources.write_text(yaml.safe_dump([{"url": url, **about} for url in urls]), encoding="utf-8")
    without_limits = {"allow_private": hosts, "requests_per_second": UNLIMITED, "host_rates": {}}
    local = params.model_copy(update=without_limits)
    rows = []
    for what in ("nothing is here", "all is here and locked"):
        wall, cpu = time.perf_counter(), time.process_time()
        run(local, sources=sources, out=folder / "out")
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        size = sum(path.stat().st_size for path in (folder / "out" / "files").iterdir())
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB / 1e6
        rows.append((what, count, num_hosts, size / 1e6, wall, count / wall, 1_000 * cpu / count, megabytes))
    header = ("when", "files", "hosts", "MB", "wall s", "files a second", "CPU ms a file", "process MB at most")
    return Table("Small files through the stage, servers on the same machine", header, tuple(rows))


def make_body(path: str) -> bytes:
    """Return the document at a path."""
    chance = random.Random(path)  # noqa: S311 (no secret)
    return chance.randbytes(chance.randint(MIN_BYTES, MAX_BYTES)).hex().encode()[:MAX_BYTES]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of one connection until it is closed."""
    while head := await read_request_head(reader):
        path = head.split(b" ", 2)[1].decode()
        body = b"" if path == "/robots.txt" else make_body(path)
        status = b"404 Not Found" if path == "/robots.txt" else b"200 OK"
        writer.write(
            b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body
        )
        await writer.drain()
    writer.close()


async def read_request_head(reader: asyncio.StreamReader) -> bytes:
    """Return the head of a request, nothing where there is no more."""
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def serve(num_hosts: int, sender: Connection) -> None:
    """Serve documents at the addresses until killed, and say at which port."""

    async def forever() -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        hosts = [f"127.0.0.{FIRST_HOST + number}" for number in range(num_hosts)]
        servers = [await asyncio.start_server(answer, host, port, backlog=512) for host in hosts]
        sender.send(port)
        await asyncio.gather(*(server.serve_forever() for server in servers))

    asyncio.run(forever())


BENCHMARK = Benchmark(
    name="fetch",
    description="files a second from many hosts on this machine (of --count files)",
    arguments=(COUNT,),
    measure=lambda options: measure_fetching(
        FetchParams.load(options.params), count=options.count, num_hosts=NUM_HOSTS
    ),
)
