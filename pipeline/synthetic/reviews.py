"""Compose the peer reviews of a made-up paper: three reviews, a response, a meta-review and a decision.

Every claim and figure in a review is one of the paper: its tables say where the method gains most and least, which part
contributes least, and its limitations are quoted. So strengths and weaknesses are known, and can be looked for.
Source  the notes of OpenReview's API v2, https://docs.openreview.net/reference/api-v2/entities/note
"""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.synthetic.manuscript import Heading, Manuscript, Prose, Row, Table

VENUE = "SAMPLE.cc/2024/Conference"  # no venue of people; `teacher` of what comes from it names it
NUM_REVIEWS = 3
FIRST_DATE = 1_700_000_000_000  # milliseconds; the order of notes is all that counts
POINTS_PER_REVIEW = 2
SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z])")
RATINGS = {True: ("8: accept, good paper", "6: marginally above"), False: ("3: reject, not good enough", "4: below")}


@dataclass(frozen=True)
class Findings:
    """What the tables and sections of a paper say that a reviewer can hold for or against it."""

    method: str
    baseline: str
    claim: str  # the sentence of the abstract with the mean gain
    num_conditions: int
    best: tuple[str, str]  # condition and gain
    worst: tuple[str, str]
    most_needed: tuple[str, str]  # variant and loss
    least_needed: tuple[str, str]
    limits: tuple[str, ...]  # sentences of the limitations


def find_in_paper(paper: Manuscript) -> Findings:
    """Read what can be said for and against a paper off its blocks."""
    tables = {block.caption.partition(".")[0]: block for block in paper.blocks if isinstance(block, Table)}
    scores, ablation = tables["Table 3"], tables["Table 4"]
    gains = sorted(scores.rows, key=last_figure)
    losses = sorted(ablation.rows[1:], key=last_figure)
    abstract = next(block.text for block in paper.blocks if isinstance(block, Prose))
    return Findings(
        method=scores.header[2],
        baseline=scores.header[1],
        claim=next(sentence for sentence in SENTENCE.split(abstract) if " points on average over " in sentence),
        num_conditions=len(scores.rows),
        best=(gains[-1].label, size(gains[-1])),
        worst=(gains[0].label, size(gains[0])),
        most_needed=(losses[0].label, size(losses[0])),
        least_needed=(losses[-1].label, size(losses[-1])),
        limits=tuple(sentences_below(paper, "8 Limitations")),
    )


def last_figure(row: Row) -> float:
    """Return the figure in the last column of a row."""
    return float(row.cells[-1].text)


def size(row: Row) -> str:
    """Return the figure in the last column of a row without its sign."""
    return row.cells[-1].text.lstrip("+-")


def sentences_below(paper: Manuscript, heading: str) -> Iterator[str]:
    """Yield the sentences of the section with a heading."""
    is_inside = False
    for block in paper.blocks:
        if isinstance(block, Heading):
            is_inside = block.text == heading
        elif is_inside and isinstance(block, Prose):
            yield from SENTENCE.split(block.text)


def strengths(found: Findings) -> list[str]:
    """Return what speaks for a paper, a paragraph each."""
    return [
        f"Table 3 compares {found.method} with {found.baseline}, the strongest baseline, under {found.num_conditions} "
        f"conditions, and {found.method} is ahead in every one of them. The largest gain is {found.best[1]} points, "
        f"under the condition “{found.best[0]}”, so the method helps where one would hope that it does.",
        f"Table 4 removes the parts of {found.method} one by one. The variant “{found.most_needed[0]}” loses "
        f"{found.most_needed[1]} points, which shows convincingly what the method rests on.",
        f"The claim of the abstract is a figure that can be checked against Table 3: “{found.claim}” I could follow "
        "how it was computed, which is rarer than it should be.",
    ]


def weaknesses(found: Findings) -> list[str]:
    """Return what speaks against a paper, a paragraph each."""
    return [
        f"The variant “{found.least_needed[0]}” in Table 4 loses only {found.least_needed[1]} points. The paper does "
        "not show that this part is needed at all; a simpler method might do as well.",
        f"The smallest gain in Table 3 is {found.worst[1]} points, under the condition “{found.worst[0]}”. The table "
        "gives no interval for it, so a reader cannot tell it from chance.",
        f"Section 8 names a limitation that no experiment addresses: “{found.limits[0]}” An experiment on it would "
        "have said more about the method than another table of scores.",
    ]


def questions(found: Findings) -> list[str]:
    """Return what a reviewer asks the authors."""
    return [
        f"How much do the scores of Table 3 vary over seeds, above all under the condition “{found.worst[0]}”?",
        f"Would {found.method} still gain over {found.baseline} without the part that the variant "
        f"“{found.least_needed[0]}” of Table 4 removes?",
        f"Section 8 says: “{found.limits[-1]}” What would it take to find out?",
    ]


def compose_discussion(rng: random.Random, paper: Manuscript, number: int, *, is_accepted: bool) -> dict[str, Any]:
    """Write the notes about a paper, as a page of OpenReview's API holds them.

    Args:
        rng: Decides which reviewer names what.
        paper: What is reviewed.
        number: Of the submission at the venue.
        is_accepted: The decision, with which every reviewer agrees.
    """
    found = find_in_paper(paper)
    forum = f"sample{number:04d}"
    notes = [make_note(forum, number, "Submission", 0, {"title": paper.title}) | {"id": forum}]
    for reviewer in range(1, NUM_REVIEWS + 1):
        content = write_review(rng, found, rating=RATINGS[is_accepted][reviewer % 2], confidence=2 + reviewer)
        review = make_note(forum, number, "Official_Review", reviewer, content)
        response = make_note(forum, number, "Rebuttal", reviewer, {"rebuttal": write_response(found)})
        authors = {"replyto": review["id"], "signatures": [f"{VENUE}/Submission{number}/Authors"]}
        notes += [review, response | authors]
    kept = strengths(found)[0] if is_accepted else weaknesses(found)[0]
    reasons = f"The reviewers agree. {kept} {weaknesses(found)[1]}"
    meta = {"metareview": reasons, "justification_for_why_not_higher_score": write_advice(found)}
    notes.append(make_note(forum, number, "Meta_Review", 8, meta))
    decision = {"decision": "Accept (poster)" if is_accepted else "Reject", "comment": reasons}
    notes.append(make_note(forum, number, "Decision", 9, decision))
    return {"notes": notes}


def write_review(rng: random.Random, found: Findings, *, rating: str, confidence: int) -> dict[str, str]:
    """Write one review; reviewers differ in the points that they make and in their order."""
    return {
        "summary": f"The paper proposes {found.method} and compares it with {found.baseline} and weaker baselines. "
        f"{found.claim} Table 4 shows what its parts contribute, and Section 8 says where the method stops to help.",
        "strengths": " ".join(rng.sample(strengths(found), POINTS_PER_REVIEW)),
        "weaknesses": " ".join(rng.sample(weaknesses(found), POINTS_PER_REVIEW)),
        "questions": " ".join(rng.sample(questions(found), POINTS_PER_REVIEW)),
        "rating": rating,
        "confidence": f"{confidence}: you are {'fairly ' if confidence < 5 else ''}confident in your assessment",
    }


def write_advice(found: Findings) -> str:
    """Write what would have earned the paper a higher score."""
    return (
        "A higher score would have taken three things. First, intervals in Table 3, so that the "
        f"{found.worst[1]} points under the condition “{found.worst[0]}” mean something. Second, either a reason for "
        f"the part that the variant “{found.least_needed[0]}” of Table 4 removes, or a method without it. Third, an "
        "experiment on what Section 8 only admits."
    )


def write_response(found: Findings) -> str:
    """Write what the authors say to a review."""
    return (
        f"Thank you. The gain under the condition “{found.worst[0]}” is the smallest of Table 3, and we do not claim "
        f"more for it than its {found.worst[1]} points; the abstract gives the mean over all {found.num_conditions} "
        f"conditions. The variant “{found.least_needed[0]}” loses {found.least_needed[1]} points in Table 4, which is "
        "little and yet not nothing. What Section 8 leaves open we leave open here too."
    )


def make_note(forum: str, number: int, kind: str, index: int, content: dict[str, str]) -> dict[str, Any]:
    """Return a note of the API that everyone may read; the reviewers' signatures differ."""
    return {
        "id": f"{forum}-{kind.lower()}-{index}",
        "forum": forum,
        "replyto": forum,
        "cdate": FIRST_DATE + index,
        "license": "CC0 1.0",
        "readers": ["everyone"],
        "signatures": [f"{VENUE}/Submission{number}/Reviewer_{'abcdefghij'[index]}{number}"],
        "invitations": [f"{VENUE}/Submission{number}/-/{kind}"],
        "content": {name: {"value": value} for name, value in content.items()},
    }


def write_discussion(path: Path, discussion: dict[str, Any]) -> None:
    """Write a page of notes."""
    path.write_text(json.dumps(discussion, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
