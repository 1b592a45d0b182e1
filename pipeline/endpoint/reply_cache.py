"""Record the replies of an endpoint by the hash of the request, so that nothing is paid for twice.

Sampling is not repeatable even at temperature 0, since batching and caching change floating-point sums. The record is
what makes a run repeatable. It is an SQLite file, so a killed process loses no reply that was written. What requests
were charged is in a table of its own: it counts replies that were of no use, and requests that were never answered.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

FILE = "replies.sqlite"
CHARGE = "INSERT INTO charges VALUES (?, ?, ?)"
Charge = tuple[int, int, int]  # tokens of the prompt, of the reply, and of the prompt from a cache


@dataclass(frozen=True)
class Reply:
    """What a server replied: the content, and the tokens it took."""

    content: str
    finish_reason: str  # 'stop' for a reply that its model ended
    model: str
    prompt_tokens: int
    reply_tokens: int
    cached_tokens: int = 0  # of the prompt's
    thinking: str = ""  # where the server keeps it apart from the content
    max_tokens: int = 0  # that the reply might have


class ReplyStore:
    """Replies by the hash of their request, in one file."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; a broken one is renamed to `.broken`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = open_replies(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def get(self, key: str) -> Reply | None:
        """Return the reply to a request, None if it is not recorded or its bytes have changed."""
        row = self._connection.execute("SELECT body, digest FROM replies WHERE key = ?", (key,)).fetchone()
        if row is None or hash_body(row[0]) != row[1]:
            return None
        return Reply(**json.loads(row[0]))

    def put(self, key: str, reply: Reply, charged: Charge | None = None) -> None:
        """Record the reply to a request, and what was charged for it, both or neither."""
        body = json.dumps(vars(reply), ensure_ascii=False, sort_keys=True)
        body = body.encode(errors="replace").decode()  # without lone surrogates
        with self._connection:
            self._connection.execute("REPLACE INTO replies VALUES (?, ?, ?)", (key, body, hash_body(body)))
            if charged:
                self._connection.execute(CHARGE, charged)

    def charge(self, charged: Charge) -> None:
        """Record what was charged for a request without a reply that can be recorded."""
        with self._connection:
            self._connection.execute(CHARGE, charged)

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM replies").fetchone()[0])

    def count_tokens(self) -> tuple[int, int, int]:
        """Return how many tokens all requests were charged: of prompts, of replies, and of prompts from a cache."""
        query = "SELECT TOTAL(prompt), TOTAL(reply), TOTAL(cached) FROM charges"
        prompt, reply, cached = self._connection.execute(query).fetchone()
        return int(prompt), int(reply), int(cached)


def open_replies(path: Path) -> sqlite3.Connection:
    """Connect to a file of replies; replace it by a new one if it is broken."""
    try:
        return connect(path)
    except sqlite3.DatabaseError:
        path.replace(path.with_suffix(".broken"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return connect(path)


def connect(path: Path) -> sqlite3.Connection:
    """Connect to a file of replies and make sure that it is whole and has the table.

    Raises:
        sqlite3.DatabaseError: The file is broken.
    """
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing
        connection.execute(
            "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, body TEXT, digest TEXT) WITHOUT ROWID"
        )
        connection.execute("CREATE TABLE IF NOT EXISTS charges (prompt INTEGER, reply INTEGER, cached INTEGER)")
        with closing(connection.execute("PRAGMA quick_check")) as cursor:
            if cursor.fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def hash_body(body: str) -> str:
    """Return the hash that is stored beside a reply and compared when it is read."""
    return hashlib.sha256(body.encode()).hexdigest()
