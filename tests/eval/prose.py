"""Held-out prose to hide needles in, and the parameters of models, for the tests of measures."""

from pathlib import Path

from eval.models.records import ModelParams
from pipeline.records import Document
from pipeline.storage.parquet import write_documents

MODEL = ModelParams(dtype="float32", quantized=None, template="chat", max_context_tokens=20_000, max_cache_bytes=10**8)
THINGS = ("barrels", "lanterns", "ledgers", "baskets", "ladders", "buckets", "bottles", "blankets")


def write_prose(folder: Path) -> Path:
    """Write a folder of curated documents, one of which is held out and has 200 sentences."""
    lines = [f"Clerk {n} counted {THINGS[n % 8]} near the {THINGS[n * 3 % 8]} of harbour {n}." for n in range(200)]
    rows = [
        Document("a" * 64, "book", "a.txt", text=" ".join(lines), split="test"),
        Document("b" * 64, "book", "b.txt", text="This is a document of training.", split="train"),
    ]
    write_documents(folder / "documents-00000.parquet", rows)
    return folder
