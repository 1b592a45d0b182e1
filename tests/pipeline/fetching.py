"""The parameters of fetch for servers of this machine: fast, patient with nobody, and asking without a pause."""

from typing import Any

from pipeline.fetch import FetchParams


def fetch_params(**changed: Any) -> FetchParams:
    values = {
        "sources": "unused",
        "max_bytes": 5_000_000,
        "timeout_seconds": 5.0,
        "connect_seconds": 2.0,
        "answer_seconds": 2.0,
        "requests_per_second": 10_000.0,
        "host_rates": {},
        "connections_per_host": 4,
        "max_connections": 64,
        "num_attempts": 1,
        "max_wait_seconds": 5.0,
        "contact": "",
        "robots_exempt": [],
        "allow_private": ["127.0.0.1"],
        "revalidate": False,
    }
    return FetchParams(**{**values, **changed})
