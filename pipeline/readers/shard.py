"""Read a shard of documents: sandbox, count, write."""

import atexit
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.downloads.manifest import Entry
from pipeline.readers.common.reading import Options
from pipeline.readers.common.sections import sections_of
from pipeline.readers.sandbox import Outcome, Sandbox, machine_lock
from pipeline.readers.worker import Limits
from pipeline.records import Document
from pipeline.storage.parquet import write_documents
from pipeline.tokenization.token_grid import count_tokens
from pipeline.tokenization.tokenizers import load_tokenizer


@dataclass(frozen=True)
class ReadShard:
    """Writes the documents of the shard with an index; every entry becomes a row."""

    folder: Path  # of the entries
    shards: tuple[tuple[Entry, ...], ...]
    outputs: tuple[Path, ...]
    limits: Limits
    options: Options
    tokenizer: str

    def __call__(self, index: int) -> None:
        """Write one shard."""
        write_documents(self.outputs[index], self.documents(self.shards[index]))

    def documents(self, entries: tuple[Entry, ...]) -> Iterator[Document]:
        """Yield the documents of some entries, in their order."""
        sandbox = sandbox_of(self.limits, self.options)
        for entry in entries:
            outcome = sandbox.read(self.folder / entry.file) if entry.file else Outcome(None)
            yield document_of(entry, outcome, tokenizer_of(self.tokenizer))


@lru_cache(maxsize=1)
def sandbox_of(limits: Limits, options: Options) -> Sandbox:
    """Return the sandbox of this process: its warden serves every shard, and ends with the process."""
    sandbox = Sandbox(limits, machine_lock(), options)
    atexit.register(sandbox.stop)
    return sandbox


@lru_cache(maxsize=1)
def tokenizer_of(name: str) -> Tokenizer:
    """Return the tokenizer of this process."""
    return load_tokenizer(name)


def document_of(entry: Entry, outcome: Outcome, tokenizer: Tokenizer) -> Document:
    """Return the record of an entry; what its source says of it goes before what the file says of itself."""
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
        sections=sections_of(reading.text),
        facts=reading.facts,
        reader=reading.reader,
        warnings=reading.warnings,
    )
