"""Write the sample corpus: small documents in real file formats, with known facts.

Reads   nothing
Writes  OUT/{books,papers,reports,statements}/*   EPUB, text, PDF, HTML and inline XBRL
        OUT/reviews/*                             the papers' peer reviews, as OpenReview's API gives them
        OUT/sources.yaml                          the list of them, as `fetch` reads it
        OUT/facts.jsonl                           what each document is known to say, and in which words
Source  the genres are those of LongLoRA's training data (arXiv 2309.12307, section 3.3); every word is our own
"""

import json
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from tqdm import tqdm

from pipeline.cli import run_stage
from pipeline.files import hash_file, replacing
from pipeline.params import Params
from pipeline.synthetic.book import compose_book
from pipeline.synthetic.filing import compose_filing
from pipeline.synthetic.grammar import random_for
from pipeline.synthetic.manuscript import Fact, Manuscript
from pipeline.synthetic.names import slug
from pipeline.synthetic.outlook import REPORT_YEARS, compose_outlook
from pipeline.synthetic.outlook_series import make_world
from pipeline.synthetic.paper import compose_paper
from pipeline.synthetic.reviews import compose_discussion, write_discussion
from pipeline.synthetic.writers.epub import write_epub, write_text
from pipeline.synthetic.writers.html import write_html
from pipeline.synthetic.writers.inline_xbrl import write_filing
from pipeline.synthetic.writers.pdf import write_article, write_report

log = logging.getLogger(__name__)

LICENCE = "CC0-1.0"
MEDIA_TYPES = {
    ".epub": "application/epub+zip",
    ".txt": "text/plain",
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".json": "application/json",
    ".xhtml": "application/xhtml+xml",
}
BOOKS = ((16, 5), (13, 5), (12, 5), (9, 4))  # chapters, scenes a chapter
PAPERS = ((3, 135), (2, 30), (2, 25), (1, 40))  # times the shortest prose, cases in the appendix
FILINGS = (9, 6, 7, 4)  # times the shortest prose
NUM_EPUBS = 2  # of the books; the others are plain text
NUM_TAGGED = 2  # of the filings; the others are PDF

Write = Callable[[Path, Manuscript], None]


class SampleParams(Params):
    """Section `sample` of params.yaml."""

    seed: int  # another seed gives other names, figures and sentences


@dataclass(frozen=True)
class Edition:
    """A manuscript in one format, and where in the corpus it goes."""

    path: Path
    manuscript: Manuscript
    write: Write
    group: str = ""  # a paper and its reviews have the same


def editions(seed: int) -> Iterator[Edition]:
    """Compose all documents, each from its own random numbers."""
    yield from books(seed)
    yield from papers(seed)
    yield from reports(seed)
    yield from statements(seed)


def books(seed: int) -> Iterator[Edition]:
    """Compose the novels."""
    for index, (num_chapters, scenes) in enumerate(BOOKS):
        book = compose_book(random_for(seed, "book", index), index, num_chapters, scenes)
        ending, write = (".epub", write_epub) if index < NUM_EPUBS else (".txt", write_text)
        yield Edition(Path("books", slug(book.title) + ending), book, write)


def papers(seed: int) -> Iterator[Edition]:
    """Compose the papers."""
    for index, (length, num_cases) in enumerate(PAPERS):
        paper = compose_paper(random_for(seed, "paper", index), index, length, num_cases)
        name = slug(paper.title.partition(":")[0])
        yield Edition(Path("papers", f"{name}.pdf"), paper, write_article, group=f"sample:{name}")
        yield review_edition(paper, name, index, random_for(seed, "reviews", index))


def review_edition(paper: Manuscript, name: str, index: int, rng: random.Random) -> Edition:
    """Compose the peer reviews of a paper; every other paper is accepted."""
    discussion = compose_discussion(rng, paper, index + 1, is_accepted=index % 2 == 0)
    reviews = Manuscript("review", f"Reviews of {paper.title}", (), paper.date, (), ())
    return Edition(
        Path("reviews", f"{name}.json"),
        reviews,
        lambda path, _: write_discussion(path, discussion),
        group=f"sample:{name}",
    )


def reports(seed: int) -> Iterator[Edition]:
    """Compose the outlooks, which share one set of figures; each comes in two formats."""
    world = make_world(seed)
    for year in REPORT_YEARS:
        report = compose_outlook(world, random_for(seed, "outlook", year), year)
        yield Edition(Path("reports", f"outlook-{year}.pdf"), report, write_report)
        yield Edition(Path("reports", f"outlook-{year}.html"), report, write_html)


def statements(seed: int) -> Iterator[Edition]:
    """Compose the annual reports of companies."""
    for index, length in enumerate(FILINGS):
        is_tagged = index < NUM_TAGGED
        filing = compose_filing(random_for(seed, "filing", index), index, length, is_tagged=is_tagged)
        ending, write = (".xhtml", write_filing) if is_tagged else (".pdf", write_report)
        yield Edition(Path("statements", slug(filing.authors[0]) + ending), filing, write)


def source_entry(edition: Edition, sha256: str) -> dict[str, Any]:
    """Return the entry of a document in the sources file."""
    manuscript = edition.manuscript
    entry = {
        "path": edition.path.as_posix(),
        "category": manuscript.category,
        "licence": LICENCE,
        "title": manuscript.title,
        "authors": list(manuscript.authors),
        "date": manuscript.date,
        "language": "en",
        "media_type": MEDIA_TYPES[edition.path.suffix],
        "group": edition.group,
        "sha256": sha256,
    }
    return {key: value for key, value in entry.items() if value}


def fact_line(edition: Edition, fact: Fact) -> str:
    """Return a fact as a line of JSON, without empty keys."""
    known = {key: value for key, value in asdict(fact).items() if value}
    line = {"path": edition.path.as_posix(), "category": edition.manuscript.category, **known}
    return json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n"


def run(params: SampleParams, *, out: Path) -> None:
    """Write the corpus to OUT, atomically."""
    sources = []
    lines = []
    num_bytes = 0
    with replacing(out) as beside:
        for edition in tqdm(editions(params.seed), "documents", unit="file", disable=None):
            path = beside / edition.path
            path.parent.mkdir(parents=True, exist_ok=True)
            edition.write(path, edition.manuscript)
            num_bytes += path.stat().st_size
            sources.append(source_entry(edition, hash_file(path)))
            lines += [fact_line(edition, fact) for fact in edition.manuscript.facts]
        listed = yaml.safe_dump(sources, allow_unicode=True, sort_keys=False)
        (beside / "sources.yaml").write_text(listed, encoding="utf-8")
        (beside / "facts.jsonl").write_text("".join(lines), encoding="utf-8")
    counts = Counter(source["category"] for source in sources)
    per_category = ", ".join(f"{counts[category]} {category} files" for category in sorted(counts))
    log.info("sample: wrote %s, %d facts, %d bytes to %s", per_category, len(lines), num_bytes, out)


if __name__ == "__main__":
    run_stage(run)
