"""Keep what an endpoint answered, by the hash of what it was asked, so that nothing is asked and paid for twice.

Sampling is not repeatable even at temperature 0 (batches and caches change sums), so the record is what makes a run
repeatable. SQLite keeps it: a killed process loses no reply that was written.
"""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

FILE = "replies.sqlite"


@dataclass(frozen=True)
class Reply:
    """What came back: the words, and the tokens that were counted for them."""

    content: str
    finish_reason: str
    model: str
    prompt_tokens: int
    reply_tokens: int


class ReplyStore:
    """Replies by the hash of their request, in one file."""

    def __init__(self, path: Path) -> None:
        """Open or create the file; one that is broken is set aside under another name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = opened(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()

    def get(self, key: str) -> Reply | None:
        """Return a reply, None if there is none or if its bytes are not what was written."""
        row = self._connection.execute("SELECT body, digest FROM replies WHERE key = ?", (key,)).fetchone()
        if row is None or digest_of(row[0]) != row[1]:
            return None
        return Reply(**json.loads(row[0]))

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply."""
        body = json.dumps(vars(reply), ensure_ascii=False, sort_keys=True)
        with self._connection:
            self._connection.execute("REPLACE INTO replies VALUES (?, ?, ?)", (key, body, digest_of(body)))

    def __len__(self) -> int:
        return int(self._connection.execute("SELECT COUNT(*) FROM replies").fetchone()[0])

    def tokens(self) -> tuple[int, int]:
        """Return how many tokens all replies were charged with: of prompts, and of replies."""
        query = "SELECT TOTAL(json_extract(body, '$.prompt_tokens')), TOTAL(json_extract(body, '$.reply_tokens'))"
        prompt, reply = self._connection.execute(f"{query} FROM replies WHERE json_valid(body)").fetchone()
        return int(prompt), int(reply)


def opened(path: Path) -> sqlite3.Connection:
    """Return a connection to a file of replies."""
    try:
        return connected(path)
    except sqlite3.DatabaseError:
        path.replace(path.with_suffix(".broken"))
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        return connected(path)


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection after making sure that the table is there and whole."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")  # a killed process loses nothing; a power cut the last few
        connection.execute(
            "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, body TEXT, digest TEXT) WITHOUT ROWID"
        )
        with closing(connection.execute("PRAGMA quick_check")) as cursor:
            if cursor.fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("quick_check failed")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def digest_of(body: str) -> str:
    """Return the hash by which a reply is checked when it is read."""
    return hashlib.sha256(body.encode()).hexdigest()


def key_of_request(request: Mapping[str, Any]) -> str:
    """Return the hash of everything that decides a reply."""
    return hashlib.sha256(json.dumps(request, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
