"""Reviews of made-up papers say what the papers say, and agree with the decision."""

import re
from pathlib import Path

import pytest

from pipeline.passages.peer_reviews import Discussion
from pipeline.readers.common.reading import ReadContext
from pipeline.readers.common.sections import find_sections
from pipeline.readers.formats.openreview import read
from pipeline.records import Document
from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.manuscript import Manuscript, Prose, Table
from pipeline.synthetic.paper import compose_paper
from pipeline.synthetic.reviews import compose_discussion, find_in_paper, strengths, weaknesses, write_discussion

FIGURE = re.compile(r"\d+\.\d")
QUOTED = re.compile(r"“([^”]+)”")


@pytest.fixture(scope="module", params=range(4))
def paper(request) -> Manuscript:
    return compose_paper(random_for(2023, "paper", request.param), request.param, 1, 2)


def words_of_paper(paper: Manuscript) -> str:
    prose = [block.text for block in paper.blocks if isinstance(block, Prose)]
    rows = [row for block in paper.blocks if isinstance(block, Table) for row in block.rows]
    cells = [cell.text for row in rows for cell in row.cells]
    return " ".join([*prose, *cells, *(row.label for row in rows)])


def contents(discussion: dict) -> list[str]:
    return [str(field["value"]) for note in discussion["notes"][1:] for field in note["content"].values()]


def test_every_figure_and_every_quote_is_of_the_paper(paper) -> None:
    words = words_of_paper(paper)
    discussion = compose_discussion(random_for(1, "reviews", 0), paper, 1, is_accepted=True)
    texts = contents(discussion)
    assert all(figure in words for text in texts for figure in FIGURE.findall(text))
    assert all(quote in words for text in texts for quote in QUOTED.findall(text))
    assert sum(len(FIGURE.findall(text)) for text in texts) > 20


def test_the_weakest_and_the_strongest_are_named(paper) -> None:
    found = find_in_paper(paper)
    gains = {row.label: float(row.cells[-1].text) for row in next_table(paper, "Table 3").rows}
    losses = {row.label: -float(row.cells[-1].text) for row in next_table(paper, "Table 4").rows[1:]}
    assert gains[found.best[0]] == max(gains.values())
    assert gains[found.worst[0]] == min(gains.values())
    assert losses[found.most_needed[0]] == max(losses.values())
    assert losses[found.least_needed[0]] == min(losses.values())
    assert found.best[0] in strengths(found)[0]
    assert found.least_needed[0] in weaknesses(found)[0]


def next_table(paper: Manuscript, name: str) -> Table:
    return next(block for block in paper.blocks if isinstance(block, Table) and block.caption.startswith(f"{name}."))


@pytest.mark.parametrize("is_accepted", [True, False])
def test_reviewers_agree_with_the_decision_when_read_by_the_reader(tmp_path: Path, paper, is_accepted: bool) -> None:
    write_discussion(
        tmp_path / "page.json", compose_discussion(random_for(1, "reviews", 0), paper, 1, is_accepted=is_accepted)
    )
    reading = read(tmp_path / "page.json", ReadContext(lambda *_: None))
    document = Document("r" * 64, "review", "page.json", text=reading.text, sections=find_sections(reading.text))
    discussion = Discussion(document)
    reviews = discussion.of_kind("Review")
    assert discussion.venue == "SAMPLE 2024"
    assert discussion.is_accepted() is is_accepted
    assert len(reviews) == 3
    assert all(len(discussion.responses_to(review)) == 1 for review in reviews)
    assert all({"summary", "strengths", "weaknesses", "questions"} <= {name for name, _ in r.fields} for r in reviews)


def test_the_same_seed_gives_the_same_page(paper) -> None:
    pages = [compose_discussion(random_for(5, "reviews", 0), paper, 1, is_accepted=True) for _ in range(2)]
    assert pages[0] == pages[1]
