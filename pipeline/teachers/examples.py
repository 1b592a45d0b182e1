"""Make examples of replies: quotes are replaced by the exact words of their documents, and statements name theirs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.endpoint.errors import NOT_ANSWERED, NOT_BY_SCHEMA, QUOTE, RefusedError
from pipeline.passages.quote_alignment import locate
from pipeline.records import Evidence, Example, Statement, make_example_id
from pipeline.tasks.build import join_licences
from pipeline.teachers.answers import Question, StatedAnswer, compose_answer
from pipeline.teachers.prompts import VERSION, ExampleReply, Quote, ShownDocument
from pipeline.teachers.slots import Slot


def align_quote(quote: Quote, documents: Sequence[ShownDocument]) -> Evidence:
    """Return the words of a document that a model quoted.

    Raises:
        RefusedError: The document does not have them; another sample may quote better.
    """
    if quote.document > len(documents):
        raise RefusedError(QUOTE, f"it is of document {quote.document} of {len(documents)}", again=True, final=True)
    document = documents[quote.document - 1].passages.document
    span = locate(document.text, quote.quote)
    if span is None:
        raise RefusedError(QUOTE, " ".join(quote.quote.split())[:80], again=True, final=True)
    return Evidence(document.doc_id, span.start, span.end, span.text)


def sort_evidence(slot: Slot, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Return evidence without repetitions, in the order of the documents and of their texts."""
    return tuple(sorted(set(evidence), key=lambda span: (slot.doc_ids.index(span.doc_id), span.start, span.end)))


def build_example(slot: Slot, documents: Sequence[ShownDocument], model: str, reply: ExampleReply) -> Example:
    """Return the example of a question and an answer that were written at once.

    Raises:
        RefusedError: A document does not have its quote.
    """
    check_documents(documents, reply.evidence)
    evidence = [align_quote(quote, documents) for quote in reply.evidence]
    blank = build_blank(slot, documents, model, reply.question.strip(), reply.answer.strip())
    return replace(blank, evidence=sort_evidence(slot, evidence))


def build_stated(
    slot: Slot, documents: Sequence[ShownDocument], model: str, question: Question, reply: StatedAnswer
) -> Example:
    """Return the example of a question and of an answer with statements.

    Raises:
        RefusedError: The documents do not answer, a document does not have its quote, or a statement has none.
    """
    check_statements(slot, reply)
    check_documents(documents, reply.evidence)
    aligned = [align_quote(quote, documents) for quote in reply.evidence]
    evidence = sort_evidence(slot, aligned)
    statements = tuple(
        Statement(one.text.strip(), tuple(sorted({evidence.index(aligned[number - 1]) for number in one.quotes})))
        for one in reply.statements
    )
    blank = build_blank(slot, documents, model, question.text, compose_answer(slot.task, reply.statements))
    return replace(blank, evidence=evidence, statements=statements, earlier=question.earlier)


def add_evidence(slot: Slot, example: Example, more: Sequence[Evidence]) -> Example:
    """Return an example with further evidence, its statements on the same quotes as before."""
    evidence = sort_evidence(slot, [*example.evidence, *more])
    moved = [evidence.index(span) for span in example.evidence]
    statements = tuple(
        Statement(one.text, tuple(sorted(moved[number] for number in one.quotes))) for one in example.statements
    )
    return replace(example, evidence=evidence, statements=statements)


def check_statements(slot: Slot, reply: StatedAnswer) -> None:
    """Make sure that an answer has enough quotes, and each statement some of them.

    Raises:
        RefusedError: It has not, or it is empty.
    """
    if not reply.statements or not reply.evidence:
        raise RefusedError(NOT_ANSWERED, "the model found no answer in the documents", final=True)
    for fault in find_faults(slot, reply):
        raise RefusedError(NOT_BY_SCHEMA, fault, again=True, final=True)


def check_documents(documents: Sequence[ShownDocument], quotes: Sequence[Quote]) -> None:
    """Make sure that there is a quote from each document.

    Raises:
        RefusedError: There is not; another sample may have it.
    """
    missing = {document.number for document in documents} - {quote.document for quote in quotes}
    if missing and len(documents) > 1:
        raise RefusedError(QUOTE, f"none is from document {min(missing)}", again=True, final=True)


def find_faults(slot: Slot, reply: StatedAnswer) -> Iterator[str]:
    """Yield what an answer lacks."""
    least, most = slot.task.num_quotes
    if not least <= len(reply.evidence) <= most:
        yield f"{len(reply.evidence)} quotes instead of {least} to {most}"
    for number, statement in enumerate(reply.statements, 1):
        if not statement.quotes and not slot.task.expects_no_answer:
            yield f"statement {number} has no quote"
        if any(not 1 <= one <= len(reply.evidence) for one in statement.quotes):
            yield f"statement {number} names the quotes {statement.quotes} of {len(reply.evidence)}"
    length = len(compose_answer(slot.task, reply.statements))
    if length > slot.task.max_answer_characters:
        yield f"an answer of {length} characters, more than {slot.task.max_answer_characters}"


def build_refused(
    slot: Slot, documents: Sequence[ShownDocument], model: str, reason: str, question: str = ""
) -> Example:
    """Return the example of a slot without a usable reply."""
    blank = build_blank(slot, documents, model, question, "")
    example_id = make_example_id(slot.task.name, f"slot {slot.number}", reason, slot.doc_ids)
    return replace(blank, example_id=example_id, reason=reason)


def build_blank(slot: Slot, documents: Sequence[ShownDocument], model: str, question: str, answer: str) -> Example:
    """Return an example of a slot without evidence."""
    return Example(
        example_id=make_example_id(slot.task.name, question, answer, slot.doc_ids),
        task=slot.task.name,
        question=question,
        answer=answer,
        doc_ids=slot.doc_ids,
        teacher=model,
        prompt_version=f"{VERSION}/{slot.task.version}",
        licence=join_licences([shown.passages.document for shown in documents]),
    )
