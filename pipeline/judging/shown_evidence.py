"""Show a judge the quotes of an example with what is around them, masked and between fences."""

from pipeline.checks.answer_checks import DENIAL
from pipeline.checks.citations import without_citations
from pipeline.checks.evidence_figures import find_table_end, place_tables
from pipeline.checks.prompt_injection import mask_injections
from pipeline.passages.passage_search import search_passages
from pipeline.passages.passages import Passages
from pipeline.records import Document, Evidence, Example
from pipeline.storage.document_store import DocumentStore
from pipeline.teachers.prompts import ShownDocument, make_nonce, show_document

MAX_AROUND = 900  # characters of a paragraph that are shown on either side of a quote
MAX_QUOTE = 2_000
ROWS_AROUND = 2  # of a table, on either side of a quoted row
NUM_SEARCHED = 8  # passages that come closest to a question whose answer is that the document does not say
SEED = 0  # of the word in the fences


def fence_evidence(example: Example, store: DocumentStore, *, around: bool = True) -> tuple[str, str]:
    """Return the quotes of an example between the fences of their documents, and the word in the fences.

    Args:
        example: Its documents are shown in their order, then those that only its quotes are from.
        store: The documents.
        around: Whether the words around the quotes are shown, and what a search finds for an answer that denies.
    """
    doc_ids = list(dict.fromkeys([*example.doc_ids, *(span.doc_id for span in example.evidence)]))
    passages = {doc_id: Passages(store[doc_id]) for doc_id in doc_ids if doc_id in store}
    nonce = make_nonce(list(passages.values()), SEED)
    shown = [show_document(number, one) for number, one in enumerate(passages.values(), 1)]
    parts = [fence_document(document, example, nonce, around=around) for document in shown]
    return "\n\n".join(part for part in parts if part), nonce


def fence_document(shown: ShownDocument, example: Example, nonce: str, *, around: bool) -> str:
    """Return what is shown of a document between its fences, '' if nothing is."""
    document = shown.passages.document
    lines = []
    for number, span in enumerate(example.evidence, 1):
        if span.doc_id == document.doc_id:
            lines.append(f"[quote {number}] {shown.text[span.start : span.end][:MAX_QUOTE]}")
            if around:
                lines += [f"(around it) {text}" for text in show_around(shown, span)]
    if around and document.doc_id in example.doc_ids and DENIAL.search(without_citations(example.answer)):
        found = search_passages(shown.text, example.question, NUM_SEARCHED)
        lines += [f"[found by a search] {passage.text}" for passage in found]
    return shown.fence(nonce, "\n".join(lines), "quotes from it") if lines else ""


def show_around(shown: ShownDocument, span: Evidence) -> list[str]:
    """Return what is around a quote: the headings, and its paragraph or the head and the rows of its table."""
    document = shown.passages.document
    path = shown.passages.heading_path_at(span.start)
    headings = " > ".join(mask_injections(heading) for heading in path)
    tables = place_tables(document.text).overlapping(span.start, span.end)
    if any(table.header_span.start <= span.start < find_table_end(table) for table in tables):
        text = show_rows(document, span, shown.text)
    else:
        start = max(shown.text.rfind("\n\n", 0, span.start) + 2, span.start - MAX_AROUND, 0)
        end = shown.text.find("\n\n", span.end)
        text = shown.text[start : min(len(shown.text) if end < 0 else end, span.end + MAX_AROUND)]
    return [part for part in (headings, text if len(text) > len(span.quote) else "") if part.strip()]


def show_rows(document: Document, span: Evidence, text: str) -> str:
    """Return the title and the head of a quote's table, and the rows around the quote."""
    table = next(
        table
        for table in place_tables(document.text).overlapping(span.start, span.end)
        if table.header_span.start <= span.start < find_table_end(table)
    )
    inside = [n for n, (_, row) in enumerate(table.rows) if row.end > span.start and row.start < span.end] or [0]
    rows = table.rows[max(0, inside[0] - ROWS_AROUND) : inside[-1] + ROWS_AROUND + 1]
    lines = [mask_injections(table.title), text[table.header_span.start : table.header_span.end]]
    return "\n".join([*filter(None, lines), *(text[row.start : row.end] for _, row in rows)])
