"""Answer the questions of all sessions, one after another: a fair queue before the models of the page.

A session has one question at a time in the queue, so first come, first served is fair. One thread asks the models, and
nothing else does: they answer one caller at a time.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

from eval.chat_page.context import Budget, keep_latest, write_conversation
from eval.chat_page.conversations import Answer, Question, list_earlier
from eval.chat_page.links import Link, link_sentences
from eval.models.records import ChatModel, Sampling
from pipeline.errors import InputError

log = logging.getLogger(__name__)
FAILED = "The model failed. The log of the server says why; ask again, or start a new conversation."


class StoppedError(Exception):
    """The user stopped an answer while the model read."""


class Answerer:
    """Asks the models in a thread of its own, question by question."""

    def __init__(self, models: Mapping[str, ChatModel], sampling: Sampling, budget: Budget) -> None:
        """Start the thread.

        Args:
            models: By their labels, as 'tuned' and 'base'.
            sampling: How answers are drawn.
            budget: How the context is shared out, the same for all models.
        """
        self.models, self.sampling, self.budget = models, sampling, budget
        self._waiting: deque[tuple[Question, list[Question]]] = deque()
        self._current: Question | None = None
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="answerer", daemon=True)
        self._thread.start()

    def ask(self, question: Question, earlier: list[Question]) -> None:
        """Put a question into the queue."""
        with self._changed:
            self._waiting.append((question, list(earlier)))
            self._changed.notify()

    def stop(self, question: Question) -> None:
        """End the answers to a question, waiting or not, as soon as may be."""
        with self._changed:
            question.is_stopped = True
            kept = [pair for pair in self._waiting if pair[0] is not question]
            if len(kept) < len(self._waiting):
                self._waiting = deque(kept)
                end_answers(question)

    def position(self, question: Question) -> int:
        """Return how many questions are before this one, itself included; 0 for one that is being answered."""
        with self._changed:
            queue = [waiting for waiting, _ in self._waiting]
            return queue.index(question) + 1 if question in queue else 0

    @property
    def num_waiting(self) -> int:
        """How many questions wait."""
        return len(self._waiting)

    def close(self) -> None:
        """Stop what is being answered, drop what waits, and end the thread."""
        with self._changed:
            self._is_closed = True
            for question, _ in self._waiting:
                end_answers(question)
            self._waiting.clear()
            if self._current is not None:
                self._current.is_stopped = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._current = None
                self._changed.wait_for(lambda: self._waiting or self._is_closed)
                if self._is_closed:
                    return
                question, earlier = self._waiting.popleft()
                self._current = question
            for answer in question.answers.values():
                self._answer(question, answer, earlier)

    def _answer(self, question: Question, answer: Answer, earlier: list[Question]) -> None:
        """Have one model answer; whatever goes wrong is said in the answer."""
        try:
            self._stream(question, answer, earlier)
            answer.links = link_answer(question, answer.text)
            answer.status = "stopped" if question.is_stopped else "done"
        except StoppedError:
            answer.status = "stopped"
        except InputError as error:
            answer.error, answer.status = str(error), "failed"
        except Exception:  # the fault of one question must not end the answers to all others
            log.exception("chat: a model failed")
            answer.error, answer.status = FAILED, "failed"

    def _stream(self, question: Question, answer: Answer, earlier: list[Question]) -> None:
        """Write the pieces of an answer into it as they come."""
        if question.is_stopped:
            raise StoppedError
        model = self.models[answer.model]
        answer.status = "reading"
        turns = list_earlier(earlier, answer.model)
        room = self.budget.conversation
        kept, answer.num_left_out = keep_latest(turns, question.text, room, model.count_tokens)
        prompt = write_conversation(question.beginning, kept, question.text)
        is_stopped = lambda: question.is_stopped  # noqa: E731
        progress = watch_reading(answer, is_stopped)
        for piece in model.stream(prompt, self.sampling, progress=progress, is_stopped=is_stopped):
            answer.status = "writing"
            answer.text += piece


def end_answers(question: Question) -> None:
    """Mark the answers of a question as stopped that have not ended."""
    for answer in question.answers.values():
        if not answer.is_ended:
            answer.status = "stopped"


def watch_reading(answer: Answer, is_stopped: Callable[[], bool]) -> Callable[[int, int], None]:
    """Return what a model calls while it reads: it notes in the answer how far it is, and how long it will take."""
    started = time.monotonic()

    def note(num_read: int, num_tokens: int) -> None:
        if answer.num_cached is None:
            answer.num_cached = num_read
        answer.num_read, answer.num_prompt_tokens = num_read, num_tokens
        done = num_read - answer.num_cached
        if done > 0:
            answer.seconds_left = (time.monotonic() - started) / done * (num_tokens - num_read)
        if is_stopped():
            raise StoppedError

    return note


def link_answer(question: Question, text: str) -> list[Link]:
    """Return the links of an answer to the parts of documents that were shown with its question."""
    indices = {window.document.key: window.document.places for window in question.windows}
    ends = {window.document.key: window.span[1] for window in question.windows}
    return [link for link in link_sentences(text, indices) if link.quote.end <= ends[link.document]]
