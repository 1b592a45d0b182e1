"""Answer a question about documents on the command line, and say where in them the answer is.

Reads   FILE…, MODEL    documents; a folder, the name of a model on the Hub, or the address of a server (…/v1)
Prints  the answer as it is written, then the quotes that bear it out with their documents and pages; or JSON
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from eval.chat_page.answering import link_answer
from eval.chat_page.context import Budget, Shown, show_documents, write_conversation
from eval.chat_page.conversations import Answer, Question, describe_link
from eval.chat_page.params import DEFAULT_MODEL, ChatParams
from eval.chat_page.uploads import ChatDocument, read_files
from eval.models.open import open_model
from eval.models.records import ChatModel
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.extract import ExtractParams


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca answer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own.add_argument("files", nargs="+", type=Path, metavar="FILE")
    own.add_argument("--question", required=True)
    own.add_argument("--model", default=DEFAULT_MODEL, help="who answers; default: %(default)s")
    own.add_argument("--cut", action="store_true", help="keep the beginning of documents that are too long")
    own.add_argument("--json", action="store_true", help="print answer, quotes and places as JSON")
    own.add_argument("--params", type=Path, default=Path("params.yaml"), metavar="FILE")
    return own


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca answer`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    with exit_on_input_error("answer"), tempfile.TemporaryDirectory(prefix="longalpaca-answer-") as folder:
        params = ChatParams.load(options.params)
        model = open_model(options.model, params.model, params.endpoint, store=Path(folder))
        documents = read_files(ExtractParams.load(options.params), options.files, model.count_tokens)
        shown = show(model, documents, params, is_cut=options.cut)
        write = ignore if options.json else write_now
        found = answer(model, options.question, shown, params, write)
        sys.stdout.write(json.dumps(found, ensure_ascii=False, indent=2) if options.json else format_quotes(found))
        sys.stdout.write("\n")


def write_now(piece: str) -> None:
    """Print a piece of an answer at once."""
    sys.stdout.write(piece)
    sys.stdout.flush()


def ignore(piece: str) -> None:
    """Print nothing."""


def show(model: ChatModel, documents: Mapping[str, ChatDocument], params: ChatParams, *, is_cut: bool) -> Shown:
    """Return documents as the prompt shows them.

    Raises:
        InputError: They do not fit into the model's context, and may not be cut.
    """
    budget = Budget(model.max_context_tokens, params.sampling.max_tokens, params.conversation_tokens)
    shown = show_documents(list(documents.values()), budget, model.count_tokens, is_cut=is_cut)
    if not shown.fits:
        raise InputError(
            ", ".join(document.name for document in documents.values()),
            found=f"{shown.num_tokens:,} tokens",
            expected=f"at most {budget.room:,} of the model's {budget.context:,}",
            fix="Name fewer files, add --cut, or use a model with a longer context.",
        )
    return shown


def answer(
    model: ChatModel, question: str, shown: Shown, params: ChatParams, write: Callable[[str], None]
) -> dict[str, Any]:
    """Ask a model, and return the answer with its quotes and their places.

    Args:
        model: Who answers.
        question: About the documents.
        shown: The documents.
        params: How answers are drawn.
        write: Called with each piece of the answer as it comes.
    """
    pieces = []
    with tqdm(desc="reading", unit=" tokens", disable=None, leave=False) as bar:

        def note(num_read: int, num_tokens: int) -> None:
            bar.total = num_tokens
            bar.update(num_read - bar.n)

        turns = write_conversation(shown.beginning, [], question)
        for piece in model.stream(turns, params.sampling, progress=note):
            bar.close()
            write(piece)
            pieces.append(piece)
    text = "".join(pieces)
    asked = Question("q1", question, shown.windows, shown.beginning, {model.name: Answer(model.name)})
    return {
        "question": question,
        "answer": text,
        "quotes": [describe_quote(text, describe_link(link, shown.windows)) for link in link_answer(asked, text)],
        "documents": [
            {"name": window.document.name, "tokens": window.document.record.num_tokens, "left_out": window.notice()}
            for window in shown.windows
        ],
        "model": model.name,
    }


def describe_quote(text: str, link: Mapping[str, Any]) -> dict[str, Any]:
    """Return a quote with the sentence of the answer that it bears out, and its place."""
    return {
        "sentence": text[link["start"] : link["end"]],
        "quote": link["quote"],
        "document": link["name"],
        "page": link["page"],
        "start": link["from"],
        "end": link["to"],
    }


def format_quotes(found: Mapping[str, Any]) -> str:
    """Return quotes and places as text, and what was left out of documents."""
    lines = ["", *(f"{each['name']}: {each['left_out']}" for each in found["documents"] if each["left_out"])]
    for number, quote in enumerate(found["quotes"], 1):
        place = f"{quote['document']}, page {quote['page']}" if quote["page"] else quote["document"]
        lines.append(f"[{number}] {place}: “{' '.join(quote['quote'].split())}”")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
