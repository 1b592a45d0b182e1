"""Ask questions about each document, and answer them from its own words.

Reads   DOCUMENTS/*.parquet   documents
Writes  OUT/examples-00000.parquet   examples, each with its evidence, in the order of the documents
        OUT/report.json              examples by category and task, and the documents without any
"""

import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import Document, Example, read_documents, write_examples
from pipeline.teachers import extractive

log = logging.getLogger(__name__)


class AskParams(Params):
    """Section `ask` of params.yaml."""

    num_per_document: int  # examples asked of each document, at most
    seed: int


def examples_of(
    documents: Iterator[Document], params: AskParams, counts: Counter[str], without: list[str]
) -> Iterator[Example]:
    """Yield the examples of each document and count them; documents that gave none are put into `without`."""
    for document in documents:
        examples = extractive.ask(document, params.num_per_document, params.seed)
        counts.update(f"{document.category}/{example.task}" for example in examples)
        if not examples:
            without.append(document.source)
        yield from examples


def run(params: AskParams, *, documents: Path, out: Path) -> None:
    """Write the examples of all documents."""
    counts: Counter[str] = Counter()
    without: list[str] = []
    progress = tqdm(read_documents(documents), desc="ask", unit=" documents", disable=None)
    with replacing(out) as beside:
        beside.mkdir()
        num_examples = write_examples(beside / "examples-00000.parquet", examples_of(progress, params, counts, without))
        if not num_examples:
            raise InputError(
                documents,
                found="no document that a question could be asked about",
                wanted="prose or tables",
                remedy="Read a few of the texts: extraction may have lost their structure.",
            )
        write_json(beside / "report.json", {"examples": counts, "documents_without_examples": without})
    log.info("ask: %d examples in %s; %d documents gave none", num_examples, out, len(without))


if __name__ == "__main__":
    run_stage(run)
