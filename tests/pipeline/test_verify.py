"""Planted faults are refused with the right reason; sound examples are not."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.checks.run import Bounds, list_checks
from pipeline.errors import InputError
from pipeline.judging.judge import JudgeParams
from pipeline.judging.probes import PROBES
from pipeline.passages.document_groups import alone
from pipeline.passages.passages import Passages
from pipeline.records import Evidence, Example, Statement
from pipeline.storage.parquet import read_documents, read_examples, write_examples
from pipeline.teachers.rule_based import make_examples
from pipeline.verify import VerifyParams, run
from tests.pipeline.test_ask import ENDPOINT

LENGTH_OF_REPORT = 275
PARAMS = VerifyParams(
    max_question_characters=1_000,
    max_answer_characters=1_000,
    judge=JudgeParams(when="auto", votes=1, min_mark=3),
    probes=[],
    endpoint=ENDPOINT,
    num_previews=20,
)


def verify(curated: Path, examples: list[Example], when: str = "auto") -> tuple[list[Example], list[Example]]:
    folder = curated.parent
    write_examples(folder / "asked" / "examples-00000.parquet", examples)
    judge = JudgeParams(when=when, votes=1, min_mark=3)
    run(PARAMS.model_copy(update={"judge": judge}), documents=curated, examples=folder / "asked", out=folder / "verify")
    return tuple(list(read_examples(folder / "verify", f"{name}*.parquet")) for name in ("examples", "rejected"))


@pytest.fixture
def sound(curated: Path) -> list[Example]:
    return [e for document in read_documents(curated) for e in make_examples([Passages(document)], alone, 20, seed=1)]


def moved(example: Example, by: int) -> Example:
    first, *others = example.evidence
    return replace(example, evidence=(replace(first, start=first.start + by, end=first.end + by), *others))


def test_sound_examples_pass_and_carry_the_checks_they_passed(curated: Path, sound) -> None:
    accepted, rejected = verify(curated, sound)
    assert len(accepted) == len(sound) >= 12
    assert not rejected
    names = list(list_checks(Bounds(1, 1)))
    not_run = [f"{name}: not run" for name in (*PROBES, "judge")]
    assert all(list(example.checks) == [*names, "question_is_new", *not_run] for example in accepted)


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (lambda e, other: replace(e, evidence=()), "no evidence"),
        (lambda e, other: moved(e, 10), "quote not in its place"),
        (lambda e, other: moved(e, -LENGTH_OF_REPORT), "quote not in its place"),  # Python would count from the end
        (lambda e, other: replace(e, evidence=other.evidence), "evidence from another document"),
        (lambda e, other: replace(e, answer="It was 86.25 in all."), "number not in evidence: 86.25"),
        (lambda e, other: replace(e, answer="That was Ottoline Brask."), "name not in evidence: Ottoline"),
        (lambda e, other: replace(e, answer=" "), "empty answer"),
        (lambda e, other: replace(e, answer="x" * 1_001), "long answer"),
        (lambda e, other: replace(e, question=""), "empty question"),
        (lambda e, other: replace(e, task="figure", question="Who said “no such words here”?"), "ambiguous"),
        (lambda e, other: replace(e, doc_ids=("f" * 64,)), "no such document"),
        (lambda e, other: replace(e, evidence=(Evidence("f" * 64, 0, 1, "x"),)), "evidence from another document"),
    ],
)
def test_a_planted_fault_is_refused_with_its_reason(curated: Path, sound, plant, reason: str) -> None:
    example = next(e for e in sound if e.task == "cell")
    other = next(e for e in sound if e.doc_ids != example.doc_ids)
    accepted, rejected = verify(curated, [plant(example, other), other])
    assert accepted[0].example_id == other.example_id
    assert rejected[0].reason.startswith(reason)


def test_a_question_asked_twice_of_the_same_document_is_refused_once(curated: Path, sound) -> None:
    accepted, rejected = verify(curated, [*sound, sound[0]])
    assert len(accepted) == len(sound)
    assert [example.reason for example in rejected] == [f"question asked twice: like {sound[0].example_id}"]


def test_nothing_that_passes_is_an_error(curated: Path, sound) -> None:
    with pytest.raises(InputError, match=r"refused 1 \(1 no evidence\)"):
        verify(curated, [replace(sound[0], evidence=())])
    assert not (curated.parent / "verify" / "examples-00000.parquet").exists()


def test_the_page_shows_examples_with_their_evidence_in_its_place_and_why_others_were_refused(curated, sound) -> None:
    verify(curated, [*sound, replace(sound[0], example_id="x" * 16, answer="It was 86.25 in all.")])
    page = (curated.parent / "verify" / "preview.html").read_text(encoding="utf-8")
    shown = next(example for example in sound if example.task == "figure").evidence[0].quote
    assert f"<mark>{shown}</mark>" in page
    assert page.count("<article>") >= len({example.task for example in sound}) + 1
    assert "Refused: number not in evidence: 86.25" in page
    assert "Evidence by tenth of its document" in page
    assert "Examples by the number of places that their evidence is in: " in page


def test_the_page_links_statements_to_their_quotes_and_shows_doubts_and_tables(curated, sound) -> None:
    example = next(one for one in sound if one.task == "cell")
    told = replace(example, statements=(Statement(example.answer, (0, 1)),))
    answer = f"{told.answer} That holds for all."
    doubtful = replace(told, example_id="d" * 16, teacher="a model", question="What of 2018?", answer=answer)
    verify(curated, [told, doubtful], when="never")
    page = (curated.parent / "verify" / "preview.html").read_text(encoding="utf-8")
    anchor = f"{example.example_id}-2"
    assert f'<a href="#{anchor}">[2]</a>' in page
    assert f'<blockquote id="{anchor}" class="table">' in page
    assert "In doubt: claim beyond its quotes: “all”" in page
    assert "Refused: in doubt, and nobody judges" in page
