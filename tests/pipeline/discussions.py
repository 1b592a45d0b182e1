"""Papers that the sample's grammar writes, and reviews of them in the format of OpenReview's API v2."""

import random
import re

from pipeline.passages.peer_reviews import ReviewRules
from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.manuscript import Manuscript, Prose
from pipeline.synthetic.paper import compose_paper
from tests.pipeline.services import note_of

REVIEW_RULES = ReviewRules(
    min_words=20, min_confidence=3, accept_rating=6, agreeing=True, num_passages=2, max_passages=8
)


def compose_reviewed_paper(number: int) -> Manuscript:
    return compose_paper(random_for(2023, "reviewed", number), number, 1, 1)


def quotable_sentences(manuscript: Manuscript) -> list[str]:
    """Sentences that a remark can be about."""
    prose = " ".join(block.text for block in manuscript.blocks if isinstance(block, Prose))
    return [sentence for sentence in re.split(r"(?<=[.]) ", prose) if 10 <= len(sentence.split()) <= 30]


def remark(sentence: str, opinion: str) -> str:
    """What a reviewer says about a sentence: most of its words, and an opinion."""
    words = sentence.rstrip(".").split()
    return f"{opinion} {' '.join(words[1:-1])}."


def write_discussion(number: int, forum: str) -> list[dict]:
    """Three reviews, the authors' answers, a meta-review and a decision."""
    chance = random.Random(number)
    said = chance.sample(quotable_sentences(compose_reviewed_paper(number)), 27)
    accepted = number % 2 == 0
    notes = []
    for index in range(3):
        own = said[index * 8 : index * 8 + 8]
        content = {
            "summary": f"The paper is about this: {' '.join(remark(each, 'it says that') for each in own[:2])}",
            "soundness": "3 good",
            "strengths": "# What I like\n" + " ".join(remark(each, "I find it convincing that") for each in own[2:4]),
            "weaknesses": " ".join(remark(each, "It is not shown why") for each in own[4:6]),
            "questions": " ".join(remark(each, "Can the authors explain how") for each in own[6:8]),
            "flag_for_ethics_review": ["No ethics review needed."],
            "rating": "8: accept, good paper" if accepted else "3: reject, not good enough",
            "confidence": f"{3 + index % 3}: You are confident.",
            "code_of_conduct": "Yes",
        }
        review = note_of(forum, "Official_Review", content, index + 1)
        answer = " ".join(remark(each, "We now explain in the text how") for each in own[6:8])
        answer = f"We thank Reviewer {reviewer_signature(review)}. {answer}"
        reply = note_of(forum, "Official_Comment", {"title": "Response", "comment": answer}, index + 1)
        reply |= {"replyto": review["id"], "cdate": review["cdate"] + 100}
        reply["signatures"] = [f"V.cc/2024/Conference/Submission{number}/Authors"]
        notes += [review, reply]
    why = " ".join(remark(each, "All reviewers agree that it matters that") for each in said[24:27])
    meta = {"metareview": why, "justification_for_why_not_higher_score": why}
    notes.append(note_of(forum, "Meta_Review", meta, 1, signatures=["V.cc/2024/Conference/Submission1/Area_Chair_x1"]))
    decision = {"title": "Paper Decision", "decision": "Accept (poster)" if accepted else "Reject", "comment": ""}
    notes.append(note_of(forum, "Decision", decision, 1, signatures=["V.cc/2024/Conference/Program_Chairs"]))
    return notes


def reviewer_signature(review: dict) -> str:
    return review["signatures"][0].rpartition("Reviewer_")[2]
