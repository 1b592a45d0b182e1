"""What the page can be asked to do, without HTTP: add documents, ask, stop, show a place, export."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from eval.chat_page.answering import Answerer
from eval.chat_page.context import Budget, Shown, count_long, show_documents
from eval.chat_page.conversations import Answer, Question, describe_question, list_earlier
from eval.chat_page.example_questions import EXAMPLES, list_examples
from eval.chat_page.export import describe_row, make_row, write_markdown
from eval.chat_page.links import find_page
from eval.chat_page.page_picture import draw
from eval.chat_page.params import ChatParams
from eval.chat_page.sessions import FullError, Session, SessionStore
from eval.chat_page.uploads import ChatDocument, RefusedUploadError, UploadReader
from eval.models.records import ChatModel
from pipeline.extract import ExtractParams, make_limits
from pipeline.readers.formats.format import suffix_media_types

CONTEXT_CHARACTERS = 1_500  # of a text that are shown on either side of a quote


class RefusedError(Exception):
    """What a user asks for cannot be done; the message says why."""


class ChatService:
    """The models, the sessions, and what users do with them."""

    def __init__(
        self, models: Mapping[str, ChatModel], params: ChatParams, extract: ExtractParams, folder: Path
    ) -> None:
        """Start answering.

        Args:
            models: By their labels; the first one is asked unless another is chosen, and counts tokens.
            params: Limits and sampling.
            extract: How files are read.
            folder: For the files of sessions.
        """
        self.models, self.params = models, params
        self.limits = make_limits(extract)
        self.store = SessionStore(params, folder)
        self.reader = UploadReader(extract, params.num_readers)
        self.count_tokens: Callable[[str], int] = next(iter(models.values())).count_tokens
        context = min(model.max_context_tokens for model in models.values())
        self.budget = Budget(context, params.sampling.max_tokens, params.conversation_tokens)
        self.answerer = Answerer(models, params.sampling, self.budget)
        self._drawing = threading.Semaphore(params.num_readers)

    def close(self) -> None:
        """End the thread that answers and the processes that read."""
        self.answerer.close()
        self.reader.stop()

    def describe(self, session: Session | None) -> dict[str, Any]:
        """Return all that the page shows; without a session, an empty one."""
        documents = list(session.documents.values()) if session else []
        return {
            "models": [{"label": label, "name": model.name} for label, model in self.models.items()],
            "limits": {
                "suffixes": sorted(suffix_media_types()),
                "max_file_bytes": self.params.max_file_bytes,
                "max_files": self.params.max_files,
                "max_question_characters": self.params.max_question_characters,
                "idle_minutes": self.params.idle_minutes,
            },
            "categories": list(EXAMPLES),
            "documents": self.describe_documents(session) if session else [],
            "meter": self.describe_meter(session),
            "questions": [self.describe_question(question) for question in session.questions] if session else [],
            "examples": list_examples([document.record.category for document in documents]),
        }

    def describe_documents(self, session: Session) -> list[dict[str, Any]]:
        """Return the documents of a session as the page shows them."""
        windows = {window.document.key: window for window in self.show(session).windows}
        return [
            {
                "key": document.key,
                "name": document.name,
                "title": document.record.title,
                "category": document.record.category,
                "num_pages": document.record.num_pages,
                "num_tokens": document.record.num_tokens,
                "notice": windows[document.key].notice(),
                "warnings": list(document.record.warnings),
            }
            for document in session.documents.values()
        ]

    def describe_meter(self, session: Session | None) -> dict[str, Any]:
        """Return how much of the context is filled, and by what, in tokens."""
        empty = {"documents": 0, "talk": 0, "fits": True, "is_cut": False}
        filled = empty if session is None else self.measure(session)
        return {**asdict(self.budget), "room": self.budget.room, **filled}

    def measure(self, session: Session) -> dict[str, Any]:
        """Return what documents and conversation take of the context."""
        shown = self.show(session)
        turns = list_earlier(session.questions, next(iter(self.models)))
        talk = sum(self.count_tokens(turn.content) for turn in turns)
        documents = shown.num_tokens
        return {"documents": documents, "talk": talk, "fits": shown.fits, "is_cut": session.is_cut}

    def describe_question(self, question: Question) -> dict[str, Any]:
        """Return a question with its answers and its place in the queue."""
        return describe_question(question, self.answerer.position(question))

    def show(self, session: Session) -> Shown:
        """Return the documents of a session as its prompts show them; found anew only when they have changed."""
        documents = list(session.documents.values())
        facts = (session.is_cut, *((document.key, document.record.category) for document in documents))
        if session.shown is None or session.shown[0] != facts:
            session.shown = (
                facts,
                show_documents(documents, self.budget, self.count_tokens, is_cut=session.is_cut),
            )
        return session.shown[1]

    def check_upload(self, session: Session | None, num_bytes: int) -> None:
        """Check that there is room for another file.

        Raises:
            FullError: There is none.
        """
        if session and len(session.documents) >= self.params.max_files:
            raise FullError(f"There are {self.params.max_files} files, as many as fit into a session. Remove one.")
        self.store.check_room(num_bytes)

    def add_document(self, session: Session, name: str, path: Path) -> ChatDocument:
        """Read a file into a session. The file belongs to the session from here on.

        Raises:
            RefusedUploadError: It cannot be read, or it is there already.
            FullError: There is no room for it.
        """
        document = self.reader.read(session.make_key("d"), name, path, self.count_tokens)
        with session.lock:
            self.check_upload(session, document.num_bytes)
            if any(other.record.doc_id == document.record.doc_id for other in session.documents.values()):
                raise RefusedUploadError("It is there already.")
            session.documents[document.key] = document
        return document

    def remove_document(self, session: Session, key: str) -> None:
        """Take a document out of a session; earlier answers keep their links to it."""
        with session.lock:
            session.documents.pop(key, None)

    def set_category(self, session: Session, key: str, category: str) -> None:
        """Choose the wording of the prompt for a document.

        Raises:
            RefusedError: There is no such document, or no such category.
        """
        known = next((each for each in EXAMPLES if each == category), None)
        with session.lock:
            if known is None or key not in session.documents:
                raise RefusedError("There is no such document or category.")
            document = session.documents[key]
            session.documents[key] = replace(document, record=replace(document.record, category=known))

    def ask(self, session: Session, text: str, labels: list[str], replaced: str | None) -> Question:
        """Put a question into the queue.

        Args:
            session: Whose question it is.
            text: Of the question.
            labels: Of the models to ask; none for the first one.
            replaced: The key of an earlier question in whose place it comes; it and what followed are dropped.

        Raises:
            RefusedError: It cannot be asked.
        """
        text = text.strip()
        chosen = [label for label in self.models if label in labels] or [next(iter(self.models))]
        with session.lock:
            keys = [question.key for question in session.questions]
            kept = session.questions[: keys.index(replaced)] if replaced in keys else session.questions
            shown = self.show(session)
            self.check_question(session, text, len(kept), shown)
            question = Question(
                session.make_key("q"), text, shown.windows, shown.beginning, {each: Answer(each) for each in chosen}
            )
            session.questions = [*kept, question]
            self.answerer.ask(question, kept)
        return question

    def check_question(self, session: Session, text: str, num_earlier: int, shown: Shown) -> None:
        """Raise a RefusedError if a question cannot be asked."""
        if not text:
            raise RefusedError("Write a question first.")
        if len(text) > self.params.max_question_characters:
            raise RefusedError(f"The question is longer than {self.params.max_question_characters:,} characters.")
        if self.count_tokens(text) > self.budget.conversation // 2:
            raise RefusedError(f"The question has more than {self.budget.conversation // 2:,} tokens. Shorten it.")
        if num_earlier >= self.params.max_turns:
            raise RefusedError(f"This conversation has {self.params.max_turns} questions. Export it and start anew.")
        if not shown.windows:
            raise RefusedError("Add a document first.")
        if not shown.fits:
            raise RefusedError(explain_excess(shown, self.budget))
        if session.is_busy:
            raise RefusedError("The question before this one is not answered yet. Wait, or stop it.")

    def clear(self, session: Session) -> None:
        """Forget the conversation of a session and keep its documents."""
        with session.lock:
            for question in session.questions:
                self.answerer.stop(question)
            session.questions = []

    def delete(self, session: Session) -> None:
        """Forget a session with everything in it."""
        self.clear(session)
        self.store.delete(session)

    def show_place(self, session: Session, key: str, start: int, end: int) -> dict[str, Any]:
        """Return a place of a document: the words around it and, of a PDF, the page's picture with the words boxed.

        Raises:
            RefusedError: There is no such place.
        """
        document = session.all_documents.get(key)
        if document is None or not 0 <= start < end <= len(document.record.text):
            raise RefusedError("This place is not there any more.")
        text, page = document.record.text, find_page(document.record.page_offsets, start)
        return {
            "name": document.name,
            "title": document.record.title,
            "page": page,
            "num_pages": document.record.num_pages,
            "before": text[max(0, start - CONTEXT_CHARACTERS) : start],
            "quote": text[start:end],
            "after": text[end : end + CONTEXT_CHARACTERS],
            "picture": self.draw(document, page, start, end) if page else None,
        }

    def draw(self, document: ChatDocument, page: int, start: int, end: int) -> dict[str, Any] | None:
        """Return the picture of a page with the words of a range boxed, None if it cannot be drawn."""
        if document.file is None or not document.file.is_file():
            return None
        offsets = (*document.record.page_offsets, len(document.record.text))
        quote = document.record.text[start : min(end, offsets[page])]
        with self._drawing:
            picture = draw(document.file, page, quote, self.limits)
        return asdict(picture) if picture else None

    def export_markdown(self, session: Session) -> str:
        """Return the conversation of a session as Markdown."""
        return write_markdown(session.questions)

    def export_row(self, session: Session, label: str) -> list[dict[str, Any]]:
        """Return the conversation with one model as a list of one row of the dataset; empty without an answer."""
        model = self.models[label]
        row = make_row(session.questions, label, model.name, 0)
        if row is None:
            return []
        num_tokens = count_long(row.instruction, self.count_tokens) + self.count_tokens(row.output)
        return [describe_row(replace(row, num_tokens=num_tokens))]


def explain_excess(shown: Shown, budget: Budget) -> str:
    """Return why documents cannot be asked about that are too long, with the numbers."""
    return (
        f"The documents have {shown.num_tokens:,} tokens and {budget.room:,} fit: the model's context has "
        f"{budget.context:,}, of which {budget.conversation:,} are kept for the conversation and {budget.reply:,} for "
        "the answer. Remove a document, or let the documents be cut."
    )
