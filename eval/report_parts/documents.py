"""The documents: how many there are by category and reader, and how many curation refused, by reason."""

from collections import Counter

import pandas as pd

from eval.report_parts.part import Folders, Part, require_file
from pipeline.rejections import count_reasons, list_rejections
from pipeline.storage.parquet import read_documents

ORDER = 10


def make_part(folders: Folders) -> Part:
    """Count the documents by category and reader, and the refusals by reason."""
    counts: Counter[tuple[str, str]] = Counter()
    pages: Counter[tuple[str, str]] = Counter()
    tokens: Counter[tuple[str, str]] = Counter()
    for document in read_documents(folders.data / "extract"):
        key = (document.category, document.reader or "unreadable")
        counts[key] += 1
        pages[key] += document.num_pages or 0
        tokens[key] += document.num_tokens
    rows = [(*key, counts[key], pages[key] or "", f"{tokens[key]:,}") for key in sorted(counts)]
    refused = pd.read_json(require_file(folders.data / "curate" / "refused.jsonl"), lines=True)
    reasons = count_reasons(refused["reason"]) if len(refused) else {}
    return Part(
        "Documents",
        f"Of {sum(counts.values())} files, curation {list_rejections(reasons)}.",
        pd.DataFrame(rows, columns=["category", "reader", "files", "pages", "tokens"]),
        answers={
            "What went in?": f"{sum(counts.values()):,} files with {tokens.total():,} tokens, of which curation "
            f"refused {len(refused):,}."
        },
    )
