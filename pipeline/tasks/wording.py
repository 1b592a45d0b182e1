"""What the tasks share: building an example, and choosing among wordings without chance."""

from collections.abc import Sequence
from hashlib import sha256

from pipeline.passages import Span
from pipeline.records import Document, Evidence, Example, example_id_of

TEACHER = "extractive"


def build_example(
    document: Document, task: str, version: str, question: str, answer: str, evidence: Sequence[Span]
) -> Example:
    """Return an example about one document, its evidence in the order of the text."""
    spans = sorted(evidence, key=lambda span: span.start)
    return Example(
        example_id=example_id_of(task, question, answer, (document.doc_id,)),
        task=task,
        question=question,
        answer=answer,
        doc_ids=(document.doc_id,),
        evidence=tuple(Evidence(document.doc_id, span.start, span.end, span.text) for span in spans),
        teacher=TEACHER,
        prompt_version=version,
        licence=document.licence,
    )


def choose(wordings: Sequence[str], key: str) -> str:
    """Return one of several wordings, the same one for the same key."""
    return wordings[int.from_bytes(sha256(key.encode()).digest()[:4]) % len(wordings)]
