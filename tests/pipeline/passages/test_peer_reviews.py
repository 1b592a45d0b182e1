"""Reviews of papers: how they are read, who stays anonymous, and which become answers."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.ask import run as ask
from pipeline.benchmarks.scripted import scripted
from pipeline.checks.run import Bounds, list_checks
from pipeline.passages.document_groups import DocumentCard, with_reviews
from pipeline.passages.passages import Passages
from pipeline.passages.peer_reviews import Discussion, PassageFinder, favours_acceptance
from pipeline.readers.common.reading import ReadContext, UnreadableError
from pipeline.readers.common.sections import find_sections
from pipeline.readers.formats import openreview
from pipeline.readers.formats.format import detect_format
from pipeline.records import Document
from pipeline.storage.parquet import read_documents, read_examples, write_documents
from pipeline.synthetic.manuscript import Heading, Prose
from pipeline.synthetic.writers.pdf import write_article
from pipeline.tasks.task import Supplied, all_tasks
from tests.pipeline.discussions import (
    REVIEW_RULES,
    compose_reviewed_paper,
    quotable_sentences,
    reviewer_signature,
    write_discussion,
)
from tests.pipeline.endpoint.test_client import PARAMS as SCRIPTED
from tests.pipeline.killing import tree
from tests.pipeline.loopback import serve
from tests.pipeline.services import note_of, openreview_of
from tests.pipeline.test_ask import PARAMS as ASK

FORUM = "forum0002"


def submission(**content):
    given = {"title": "On Looms", "authors": ["Ann Secret"], **content}
    invitations = ["ICLR.cc/2024/Conference/-/Submission"]
    return note_of(FORUM, "Submission", given, 2) | {"id": FORUM, "invitations": invitations}


def page(tmp_path, notes, name="notes"):
    path = tmp_path / name
    path.write_text(json.dumps({"count": len(notes), "notes": notes}))
    return path


def read_page(tmp_path, notes):
    path = page(tmp_path, notes)
    found = detect_format(path)
    assert found.name == "openreview"
    return found.load()(path, ReadContext(lambda *_: None))


def discussed_paper(tmp_path, number, notes=None):
    """A paper and the document of its reviews."""
    manuscript = compose_reviewed_paper(number)
    lines = [
        f"{'#' * block.level} {block.text}" if isinstance(block, Heading) else block.text
        for block in manuscript.blocks
        if isinstance(block, Heading | Prose)
    ]
    about = {"licence": "CC-BY-4.0", "group": f"openreview:{FORUM}", "source": "x"}
    text = "\n\n".join(lines)
    paper = Document("p" * 64, "paper", title="On Looms", text=text, sections=find_sections(text), **about)
    reading = read_page(tmp_path, [submission(), *(notes if notes is not None else write_discussion(number, FORUM))])
    review = Document("r" * 64, "review", text=reading.text, sections=find_sections(reading.text), **about)
    return [Passages(document) for document in (paper, review)]


def test_a_discussion_is_read_review_by_review(tmp_path) -> None:
    text = read_page(tmp_path, [submission(), *write_discussion(2, FORUM)]).text
    headings = [section.path[1] for section in find_sections(text) if len(section.path) == 2]
    assert headings == [
        "Review 1",
        "Author response to review 1",
        "Review 2",
        "Author response to review 2",
        "Review 3",
        "Author response to review 3",
        "Meta-review",
        "Decision",
    ]
    assert text.startswith("# Reviews of On Looms\n\nVenue: ICLR 2024\n\n## Review 1\n\n### Summary\n\n")
    assert "### Confidence\n\n3: You are confident." in text
    assert "**What I like**" in text  # a heading within a review would be taken for one of the page
    assert "Code of conduct" not in text


def test_who_wrote_a_review_is_left_out(tmp_path) -> None:
    notes = write_discussion(2, FORUM)
    notes[0]["signatures"] = ["~Jane_Reviewer1"]
    text = read_page(tmp_path, [submission(), *notes]).text
    assert "Jane" not in text
    assert "Ann Secret" not in text
    assert not any(reviewer_signature(note) in text for note in notes if "Reviewer_" in note["signatures"][0])
    assert "We thank Reviewer 2." in text


def test_what_is_not_for_everyone_or_was_taken_back_is_left_out(tmp_path) -> None:
    secret = note_of(FORUM, "Official_Review", {"summary": "for the chairs"}, 8) | {"readers": ["V.cc/Chairs"]}
    gone = note_of(FORUM, "Official_Review", {"summary": "taken back"}, 9) | {"ddate": 1}
    text = read_page(tmp_path, [submission(), *write_discussion(2, FORUM), secret, gone]).text
    assert "for the chairs" not in text
    assert "taken back" not in text


@pytest.mark.parametrize(
    ("notes", "words"),
    [
        ([submission()], "empty: no public review"),
        ([note_of(FORUM, "Official_Review", {"summary": "s"}, 1)], "broken: no page of notes"),
        ([], "broken: no page of notes"),
    ],
)
def test_a_page_without_reviews_is_refused(tmp_path, notes, words) -> None:
    path = page(tmp_path, notes)
    with pytest.raises(UnreadableError, match=words):
        openreview.read(path, lambda *_: None)


@pytest.mark.parametrize("content", [[], ["a"], 3, "text", {"summary": {"value": {"deep": [[1]]}}}])
def test_notes_of_other_shapes_are_refused_or_read(tmp_path, content) -> None:
    odd = note_of(FORUM, "Official_Review", {}, 1) | {"content": content}
    with contextlib.suppress(UnreadableError):
        assert "## Review 1" in read_page(tmp_path, [submission(), odd]).text


@pytest.mark.parametrize("body", [b'{"notes": [{"invitations": 1, "forum": 2}]}', b'{"notes"  "invitations" "forum"'])
def test_a_page_that_only_looks_like_one_is_refused(tmp_path, body) -> None:
    (tmp_path / "a").write_bytes(body)
    with pytest.raises(UnreadableError, match="broken"):
        openreview.read(tmp_path / "a", lambda *_: None)


def test_other_json_is_text(tmp_path) -> None:
    (tmp_path / "a.json").write_text('{"notes": "of a song"}')
    assert detect_format(tmp_path / "a.json").name == "text"


def test_replies_in_a_circle_end(tmp_path) -> None:
    notes = write_discussion(2, FORUM)
    notes[1]["replyto"], notes[3]["replyto"] = notes[3]["id"], notes[1]["id"]
    assert "## Review 3" in read_page(tmp_path, [submission(), *notes]).text


def test_what_a_remark_speaks_of_is_found_by_its_rare_words(tmp_path) -> None:
    paper, _ = discussed_paper(tmp_path, 2)
    sentence = next(
        each
        for each in quotable_sentences(compose_reviewed_paper(2))
        if each in paper.document.text and paper.document.text.count(each) == 1
    )
    words = sentence.rstrip(".").split()
    found = PassageFinder(paper).find_passages(f"I do not believe that {' '.join(words[2:])}.", 1)
    assert [span.text for span in found] == [sentence]
    assert paper.document.text[found[0].start : found[0].end] == found[0].text


@pytest.mark.parametrize("remark", ["The writing is clear and the topic matters.", "Great work! Accept.", ""])
def test_a_remark_about_nothing_in_the_paper_has_no_passage(tmp_path, remark) -> None:
    paper, _ = discussed_paper(tmp_path, 2)
    assert PassageFinder(paper).find_passages(remark, 5) == []


def test_parts_that_a_remark_names_are_found() -> None:
    text = "## 3.2 Training\n\nWords of the paper.\n\nTable 2: Scores of all methods by year.\n\n## 4 Data\n\nMore."
    spoken = PassageFinder(Passages(Document("p" * 64, "paper", "x", text=text)))
    found = [span.text for span in spoken.find_passages("See Sec. 3.2 and Table 2, but not Table 20 or Section 9.", 5)]
    assert found == ["## 3.2 Training", "Table 2: Scores of all methods by year."]


def test_reviews_that_break_a_rule_are_passed_over(tmp_path) -> None:
    notes = write_discussion(2, FORUM)
    notes[0]["content"]["confidence"] = {"value": 1}
    notes[2]["content"]["rating"] = {"value": 3}  # the paper was accepted
    _, reviews = discussed_paper(tmp_path, 2, notes)
    discussion = Discussion(reviews.document)
    assert [review.heading for review in discussion.best_reviews(REVIEW_RULES)] == ["Review 3"]
    every = REVIEW_RULES.model_copy(update={"min_confidence": 0, "agreeing": False})
    assert [review.heading for review in discussion.best_reviews(every)] == ["Review 3", "Review 2", "Review 1"]


@pytest.mark.parametrize(
    ("rating", "expected"),
    [
        ("6: marginally above the acceptance threshold", True),
        ("5: marginally below the acceptance threshold", False),
        ("8: accept, good paper", True),
        ("3: reject, not good enough", False),
        ("7", True),
        ("4", False),
    ],
)
def test_a_rating_speaks_for_or_against(tmp_path, rating, expected) -> None:
    notes = write_discussion(2, FORUM)
    notes[0]["content"]["rating"] = {"value": rating}
    _, reviews = discussed_paper(tmp_path, 2, notes)
    assert favours_acceptance(Discussion(reviews.document).of_kind("Review")[0], 6) is expected


SUPPLIED = Supplied(review_rules=REVIEW_RULES)
HUMAN = [task for task in all_tasks().values() if task.related is with_reviews]


@pytest.mark.parametrize("task", HUMAN, ids=lambda task: task.name)
def test_what_people_wrote_is_an_answer_with_evidence_in_paper_and_review(tmp_path, task) -> None:
    passages = discussed_paper(tmp_path, 2)
    paper, review = (each.document for each in passages)
    (example,) = task.find_candidates(passages, SUPPLIED)
    assert example.teacher == "human (ICLR 2024)"
    assert example.doc_ids == (paper.doc_id,)
    assert example.licence == "CC-BY-4.0"
    assert "ICLR 2024" in example.question or task.name == "human_rebuttal"
    assert {span.doc_id for span in example.evidence} == {paper.doc_id, review.doc_id}
    documents = {paper.doc_id: paper, review.doc_id: review}
    for check in list_checks(Bounds(1_000, 12_000)).values():
        assert check(example, documents) == []
    for line in example.answer.splitlines():
        assert line in review.text or line in example.question or (line[0].isupper() and len(line) < 30)


def test_there_are_seven_such_tasks() -> None:
    names = ("advice", "decision", "questions", "rebuttal", "review", "strengths", "weaknesses")
    assert [task.name for task in HUMAN] == [f"human_{name}" for name in names]


def test_an_answer_about_nothing_in_the_paper_is_none(tmp_path) -> None:
    vague = dict.fromkeys(
        ("summary", "strengths", "weaknesses", "questions"),
        "I like it very much, it is good work and should be seen by everybody.",
    )
    notes = [note_of(FORUM, "Official_Review", vague, 1)]
    assert list(all_tasks()["human_review"].find_candidates(discussed_paper(tmp_path, 2, notes), SUPPLIED)) == []


def test_without_rules_nobody_is_quoted(tmp_path) -> None:
    for task in HUMAN:
        assert list(task.find_candidates(discussed_paper(tmp_path, 2), Supplied())) == []


def test_a_decision_without_reasons_is_none(tmp_path) -> None:
    notes = [note for note in write_discussion(2, FORUM) if "Meta_Review" not in note["invitations"][0]]
    assert list(all_tasks()["human_decision"].find_candidates(discussed_paper(tmp_path, 2, notes), SUPPLIED)) == []


def test_reviews_belong_to_the_paper_of_their_group() -> None:
    def card(doc_id, category, group):
        return DocumentCard(doc_id, category, "", (), "", "train", group, "", 1)

    cards = [card("a", "paper", "g"), card("b", "review", "g"), card("c", "paper", ""), card("d", "review", "h")]
    assert [[each.doc_id for each in unit] for unit in with_reviews(cards)] == [["a", "b"]]


NUM_PAPERS = 40


@pytest.mark.long
def test_40_papers_with_120_reviews_become_examples_by_one_dvc_repro(tmp_path, root, tiny_tokenizer) -> None:
    from pipeline.find import find, load

    project = tmp_path / "project"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, project / name)
    tiny_tokenizer.save_pretrained(project / "tokenizer")
    params = yaml.safe_load((project / "params.yaml").read_text())
    params["fetch"] |= {"sources": "mine/openreview.yaml", "allow_private": ["127.0.0.1"], "requests_per_second": 500.0}
    params["extract"]["tokenizer"] = params["mix"]["tokenizer"] = str(project / "tokenizer")
    params["curate"]["min_tokens"] = 100
    (project / "params.yaml").write_text(yaml.safe_dump(params))

    def pdf(forum):
        path = tmp_path / f"{forum}.pdf"
        write_article(path, compose_reviewed_paper(int(forum.removeprefix("forum"))))
        return path.read_bytes()

    def dvc(*arguments):
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        command = [sys.executable, "-m", "dvc", *arguments]
        done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]

    with serve() as server:
        options = openreview_of(server, NUM_PAPERS, write_discussion, pdf)
        find(
            "openreview",
            {**load("openreview").find.__kwdefaults__, **options},
            2 * NUM_PAPERS,
            project / "mine" / "openreview.yaml",
        )
        subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
        dvc("repro", "verify")
    fetched = tree(project / "data" / "fetch")
    shutil.rmtree(project / "data" / "fetch")  # the server is gone by now
    dvc("checkout", "fetch")
    assert tree(project / "data" / "fetch") == fetched
    dvc("repro", "--force", "--single-item", "fetch")
    assert tree(project / "data" / "fetch") == fetched

    documents = {document.doc_id: document for document in read_documents(project / "data" / "curate")}
    reviews = [document for document in documents.values() if document.category == "review"]
    assert sum(document.text.count("\n## Review ") for document in reviews) == 3 * NUM_PAPERS
    sides = {}
    for document in documents.values():
        assert sides.setdefault(document.group, document.split) == document.split
    accepted = [
        example
        for example in read_examples(project / "data" / "verify", "examples*.parquet")
        if example.task.startswith("human_")
    ]
    assert len({example.doc_ids for example in accepted}) == NUM_PAPERS
    assert len(accepted) >= 5 * NUM_PAPERS
    for example in accepted:
        assert example.teacher == "human (V 2024)"
        assert {documents[span.doc_id].category for span in example.evidence} == {"paper", "review"}
        texts = {span: documents[span.doc_id].text[span.start : span.end] for span in example.evidence}
        assert all(span.quote == words for span, words in texts.items())


def test_what_people_wrote_is_asked_about_beside_an_endpoint(tmp_path) -> None:
    paper, review = (replace(each.document, split="train") for each in discussed_paper(tmp_path, 2))
    write_documents(tmp_path / "curate" / "documents-00000.parquet", [paper, review])
    (tmp_path / "known.jsonl").touch()
    with scripted() as url:
        endpoint = SCRIPTED.model_copy(update={"base_url": url})
        params = ASK.model_copy(update={"teacher": "endpoint", "endpoint": endpoint, "num_per_document": 24})
        ask(params, documents=tmp_path / "curate", known=tmp_path / "known.jsonl", out=tmp_path / "ask", dry_run=False)
    sound = [example for example in read_examples(tmp_path / "ask", "examples*.parquet") if not example.reason]
    assert {example.teacher for example in sound} == {SCRIPTED.model, "human (ICLR 2024)"}
    assert {example.task for example in sound if example.teacher.startswith("human")} == {task.name for task in HUMAN}
