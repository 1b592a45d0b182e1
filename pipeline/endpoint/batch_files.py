"""Exchange requests and replies with a server by files, as OpenAI's batch API and vLLM's run-batch take them.

Nothing is sent. Each round reads the results that are in a folder into the record of replies, and writes the requests
that come next into files; questions come before answers, and samples after unusable ones, so it takes some rounds.

Source  https://platform.openai.com/docs/guides/batch: lines of {custom_id, method, url, body}, up to 50,000 and 200 MB
        a file; results are lines of {custom_id, response: {status_code, body}, error}
"""

import json
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from pipeline.endpoint.budget import TokenCount
from pipeline.endpoint.endpoint_params import PATH, EndpointParams
from pipeline.endpoint.errors import RefusedError
from pipeline.endpoint.replies import count_charged
from pipeline.endpoint.reply_cache import ReplyStore
from pipeline.endpoint.request_body import Format
from pipeline.endpoint.wire import ServerError, parse_completion
from pipeline.errors import InputError

log = logging.getLogger(__name__)

MAX_REQUESTS, MAX_BYTES = 50_000, 190_000_000  # of a file
REQUESTS = "requests-*.jsonl"
UNFINISHED = ".part"


class BatchRequests:
    """Writes requests into files of a folder; those of an earlier round are replaced at the end."""

    def __init__(self, folder: Path, params: EndpointParams) -> None:
        """Take the folder; nothing is written yet."""
        self._folder = folder
        self._file: BinaryIO | None = None
        self._num_in_file = 0
        self._written: list[Path] = []
        self._keys: set[str] = set()
        mode = "json_schema" if params.structured_output == "auto" else params.structured_output
        self.format = Format(mode, has_limits=False)  # strict servers refuse limits, and cannot be asked

    def __len__(self) -> int:
        """Return how many requests were written."""
        return len(self._keys)

    def __contains__(self, key: str) -> bool:
        """Say whether a request was written."""
        return key in self._keys

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_file()
        if kind is None:
            for old in self._folder.glob(REQUESTS):
                old.unlink()
            for path in self._written:
                path.rename(path.with_suffix(""))

    def add(self, key: str, body: dict[str, Any]) -> None:
        """Write a request, whose id is its key in the record of replies."""
        line = json.dumps({"custom_id": key, "method": "POST", "url": f"/v1{PATH}", "body": body}) + "\n"
        if self._file is None or self._num_in_file == MAX_REQUESTS or self._file.tell() + len(line) > MAX_BYTES:
            self._open_file()
        assert self._file is not None
        self._file.write(line.encode())
        self._num_in_file += 1
        self._keys.add(key)

    def _open_file(self) -> None:
        self._close_file()
        path = self._folder / f"{REQUESTS.replace('*', f'{len(self._written):05d}')}{UNFINISHED}"
        self._file, self._num_in_file = path.open("wb"), 0
        self._written.append(path)

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()


def read_results(folder: Path, store: ReplyStore, params: EndpointParams) -> Counter[str]:
    """Record the results that are in a folder, and return how many were recorded and how many failed.

    Results that were read before are passed over, so they are charged once. What failed is asked for again.

    Raises:
        InputError: A line is no result.
    """
    counts: Counter[str] = Counter()
    for path in sorted(set(folder.glob("*.jsonl")) - set(folder.glob(REQUESTS))):
        for number, line in read_lines(path):
            counts[record_result(f"{path}, line {number}", line, store, params)] += 1
    return counts


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that are not empty, with their numbers."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield number, line


def record_result(where: str, line: str, store: ReplyStore, params: EndpointParams) -> str:
    """Record a result, and return what became of it: 'recorded', 'known', or 'failed'.

    Raises:
        InputError: It is none.
    """
    try:
        row = json.loads(line)
        key, response = str(row["custom_id"]), row.get("response") or {}
        body = response.get("body")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            where,
            found="no result of a batch",
            expected="JSON with custom_id and response",
            fix="Put only the files that the server returned beside the requests.",
        ) from error
    try:
        reply = replace(parse_completion(body), max_tokens=params.max_completion_tokens)
    except (ServerError, RefusedError) as error:
        log.warning("ask: %s: %s", where, row.get("error") or error)
        return "failed"
    if store.get(key) == reply:
        return "known"
    charged = count_charged(reply, TokenCount(params.max_prompt_tokens, params.max_completion_tokens))
    store.put(key, reply, (charged.prompt, charged.reply, charged.cached))
    return "recorded"
