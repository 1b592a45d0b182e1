"""Read one shard of documents in the sandbox, count their tokens, and write them."""

import atexit
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.downloads.manifest import Entry
from pipeline.readers.common.reading import Options
from pipeline.readers.common.sections import find_sections
from pipeline.readers.sandbox import Outcome, Sandbox, machine_lock
from pipeline.readers.worker import Limits
from pipeline.records import Document
from pipeline.storage.parquet import write_documents
from pipeline.tokenization.token_grid import count_tokens
from pipeline.tokenization.tokenizers import load_tokenizer


@dataclass(frozen=True)
class EntryShard:
    """Entries that are read together, and the file that their documents go to."""

    entries: tuple[Entry, ...]
    output: Path


@dataclass(frozen=True)
class ReadShard:
    """Reads the shard with a given index and writes its documents; every entry becomes a row."""

    folder: Path  # that the files of the entries are in
    shards: tuple[EntryShard, ...]
    limits: Limits
    options: Options
    tokenizer: str

    def __call__(self, index: int) -> None:
        """Read and write one shard."""
        shard = self.shards[index]
        write_documents(shard.output, self.documents(shard.entries))

    def documents(self, entries: tuple[Entry, ...]) -> Iterator[Document]:
        """Yield the document of each entry, in order."""
        sandbox = shared_sandbox(self.limits, self.options)
        for entry in entries:
            outcome = sandbox.read(self.folder / entry.file) if entry.file else Outcome(None)
            yield make_document(entry, outcome, shared_tokenizer(self.tokenizer))


@lru_cache(maxsize=1)
def shared_sandbox(limits: Limits, options: Options) -> Sandbox:
    """Return the sandbox of this process: its worker serves every shard and exits with the process."""
    sandbox = Sandbox(limits, machine_lock(), options)
    atexit.register(sandbox.stop)
    return sandbox


@lru_cache(maxsize=1)
def shared_tokenizer(name: str) -> Tokenizer:
    """Return the tokenizer of this process."""
    return load_tokenizer(name)


def make_document(entry: Entry, outcome: Outcome, tokenizer: Tokenizer) -> Document:
    """Return the record of an entry; metadata of its source take precedence over those in the file."""
    reading = outcome.reading
    document = Document(
        doc_id=entry.doc_id,
        category=entry.category,
        source=entry.source,
        title=entry.title or (reading.title if reading else ""),
        authors=entry.authors or (reading.authors if reading else ()),
        date=entry.date or (reading.date if reading else ""),
        language=entry.language or (reading.language if reading else ""),
        licence=entry.licence,
        media_type=entry.media_type or outcome.media_type,
        group=entry.group,
        error=entry.error or ("" if reading else f"{outcome.kind}: {outcome.reason}"),
    )
    if reading is None:
        return document
    return replace(
        document,
        num_pages=reading.num_pages,
        num_tokens=count_tokens(tokenizer, reading.text),
        text=reading.text,
        page_offsets=reading.page_offsets,
        sections=find_sections(reading.text),
        facts=reading.facts,
        reader=reading.reader,
        warnings=reading.warnings,
    )
