"""The sessions of the page: who may see which documents and answers, and how many there are at most."""

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from eval.chat_page.context import Shown
from eval.chat_page.conversations import Question
from eval.chat_page.params import ChatParams
from eval.chat_page.uploads import ChatDocument

KEY_BYTES = 32  # of randomness in the key of a session


class FullError(Exception):
    """There is no room for another session, file or question; the message is for the user."""


@dataclass
class Session:
    """The documents and the conversation of one browser."""

    key: str  # that nobody can guess: whoever has it sees the session
    folder: Path  # of its files
    is_cut: bool = False  # whether documents that do not fit may be cut
    documents: dict[str, ChatDocument] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    last_seconds: float = 0.0  # when it was last used
    num_keys: int = 0
    shown: tuple[object, Shown] | None = None  # the documents as prompts show them, and what they depend on
    lock: threading.Lock = field(default_factory=threading.Lock)

    def make_key(self, kind: str) -> str:
        """Return a new key within the session, as 'd1'."""
        self.num_keys += 1
        return f"{kind}{self.num_keys}"

    @property
    def all_documents(self) -> dict[str, ChatDocument]:
        """Its documents by their keys, with those that were removed and that answers are linked to."""
        asked = [window.document for question in self.questions for window in question.windows]
        return {document.key: document for document in [*asked, *self.documents.values()]}

    @property
    def num_bytes(self) -> int:
        """What its documents take."""
        return sum(document.num_bytes for document in self.all_documents.values())

    @property
    def is_busy(self) -> bool:
        """Whether a question waits or is being answered."""
        return any(not question.is_ended for question in self.questions)

    def find_question(self, key: str) -> Question | None:
        """Return a question by its key, None if there is none."""
        return next((question for question in self.questions if question.key == key), None)


class SessionStore:
    """All sessions; those that nobody has used for long are deleted with their files."""

    def __init__(self, params: ChatParams, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the files of sessions in a folder, which nobody else uses."""
        self.params, self.folder, self.clock = params, folder, clock
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def find(self, key: str) -> Session | None:
        """Return a session and note that it is used; None if there is none by that key."""
        self.delete_idle()
        with self._lock:
            session = self._sessions.get(key)
            if session:
                session.last_seconds = self.clock()
            return session

    def create(self) -> Session:
        """Return a new session.

        Raises:
            FullError: There are as many as there may be.
        """
        self.delete_idle()
        with self._lock:
            if len(self._sessions) >= self.params.max_sessions:
                raise FullError("As many people as this page has room for are using it. Try again later.")
            key = secrets.token_urlsafe(KEY_BYTES)
            folder = self.folder / secrets.token_hex(8)
            folder.mkdir(mode=0o700)
            session = Session(key, folder, last_seconds=self.clock())
            self._sessions[key] = session
            return session

    def check_room(self, num_bytes: int) -> None:
        """Raise a FullError if the documents of all sessions would take more than they may, with so many bytes more."""
        with self._lock:
            total = sum(session.num_bytes for session in self._sessions.values())
        if total + num_bytes > self.params.max_total_bytes:
            raise FullError("This page has no room for more documents at the moment. Remove some, or try again later.")

    def delete(self, session: Session) -> None:
        """Forget a session and delete its files."""
        with self._lock:
            self._sessions.pop(session.key, None)
        shutil.rmtree(session.folder, ignore_errors=True)

    def delete_idle(self) -> None:
        """Delete the sessions that nobody has used for as long as `idle_minutes`, and that wait for nothing."""
        oldest = self.clock() - 60 * self.params.idle_minutes
        with self._lock:
            idle = [s for s in self._sessions.values() if s.last_seconds < oldest and not s.is_busy]
        for session in idle:
            self.delete(session)
