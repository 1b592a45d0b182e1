"""Follow a chain through a document: each place names the next, and the last one holds the answer.

Source  KeyChain (arXiv 2510.19363) inserts keys that name the next key into a long text; here the chain is the
        document's own: a table names a section, a section refers to another
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pipeline.passages.agreed_figures import parse_cell
from pipeline.passages.markdown_tables import MarkdownTable, TableRow
from pipeline.passages.passages import Passages, is_askable
from pipeline.passages.references import MAX_SECTIONS, Link, find_links, follow_links
from pipeline.passages.spans import Span
from pipeline.records import Example, Section
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task

NAME, VERSION = "chain", "chain-1"
MIN_ROWS = 4
MIN_SECTIONS = 3  # of a chain of references
SECTION_OF_ROW = (
    "In {table}, find the row with the {extreme} figure under “{column}”. The document has a section on it:"
    " which row is it, and what does the first sentence of that section say?",
    "Which row of {table} has the {extreme} figure under “{column}”? Go to the section of that name and quote its first"
    " sentence.",
)
REFERENCES = (
    "Start at the section “{start}”. It refers to one other section, that one to another, and so on. Follow the"
    " references {num} times: which headings do you come to, and where does it end?",
    "The section “{start}” refers to one other section of the document, and that one in turn to another. Follow"
    " {num} references and name the heading of each section that you reach.",
)


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield chains from a table to a section, and from section to section."""
    passages = documents[0]
    sections = sections_by_title(passages)
    for table in passages.named_tables:
        for column in dict.fromkeys(heading for row in table.figures for heading, _ in row.cells):
            yield from ask_from_row(documents, table, column, sections)
    yield from ask_from_references(documents)


def sections_by_title(passages: Passages) -> dict[str, Section]:
    """Return the sections by their headings without numbers, in lower case; headings that occur twice are left out."""
    titles = [(strip_number(section.path[-1]).casefold(), section) for section in passages.document.sections]
    times = Counter(title for title, _ in titles)
    return {title: section for title, section in titles if times[title] == 1}


def strip_number(heading: str) -> str:
    """Return a heading without its number: '2.4 Norvania' gives 'Norvania'."""
    return re.sub(r"^(?:\d+(?:\.\d+)*\.?|[A-Z]\.\d+)\s+", "", heading)


def ask_from_row(
    documents: Sequence[Passages], table: MarkdownTable, column: str, sections: dict[str, Section]
) -> Iterator[Example]:
    """Ask for the first sentence of the section that the extreme row of a column names."""
    passages = documents[0]
    rows = [(row, parse_cell(dict(row.cells)[column])) for row in table.figures if column in dict(row.cells)]
    values = [(value, row) for row, value in rows if value is not None]
    if len(values) < MIN_ROWS or len(values) < len([c for c, _ in table.rows if len(c) > 1 and any(c[1:])]):
        return  # another row could have the extreme figure
    for extreme, (value, row) in (
        ("highest", max(values, key=lambda pair: pair[0])),
        ("lowest", min(values, key=lambda pair: pair[0])),
    ):
        section = sections.get(row.label.casefold())
        is_single = sum(other == value for other, _ in values) == 1
        if section and is_single and not section.start <= table.header_span.start < section.end:
            first = first_sentence(passages, section)
            if first:
                yield build_row_chain(documents, table, (column, extreme), row, (section, first))


def first_sentence(passages: Passages, section: Section) -> Span | None:
    """Return the first sentence of a section, None if it cannot be quoted."""
    sentence = next((s for s in passages.sentences if section.start <= s.start < section.end), None)
    return sentence if sentence and is_askable(sentence) else None


def build_row_chain(
    documents: Sequence[Passages],
    table: MarkdownTable,
    column: tuple[str, str],
    row: TableRow,
    end: tuple[Section, Span],
) -> Example:
    """Return the question that leads from a table to a sentence."""
    passages, (section, sentence) = documents[0], end
    question = choose(SECTION_OF_ROW, f"{table.name}|{column}").format(
        table=table.name, column=column[0], extreme=column[1]
    )
    value = dict(row.cells)[column[0]]
    answer = f"It is “{row.label}”, with {value}. Its section begins: {' '.join(sentence.text.split())}"
    spans = [table.header_span, row.span, passages.heading_line(section), sentence]
    return build_example(documents, NAME, VERSION, question, answer, [(passages, span) for span in spans])


def ask_from_references(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield a question for each section from which single references lead to two others or more, one for each end."""
    links = find_links(documents[0])
    paths = sorted((follow_links(start, links) for start in links), key=len, reverse=True)
    ends = set()
    for path in paths:
        if len(path) >= MIN_SECTIONS and (path[-2], path[-1]) not in ends:
            ends.add((path[-2], path[-1]))
            yield build_reference_chain(documents, path, links)


def build_reference_chain(
    documents: Sequence[Passages], path: Sequence[Section], links: dict[Section, Link]
) -> Example:
    """Return the question that leads from section to section."""
    passages = documents[0]
    titles = [section.path[-1] for section in path]
    num = len(path) - 1
    question = choose(REFERENCES, titles[0]).format(start=titles[0], num=("two", "three", "four")[num - 2])
    way = "; then ".join(f"“{title}”" for title in titles[1:])
    answer = f"First {way}. It ends at “{titles[-1]}”."
    spans = [links[section].sentence for section in path[:-1]] + [passages.heading_line(section) for section in path]
    return build_example(documents, NAME, VERSION, question, answer, [(passages, span) for span in spans])


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    num_quotes=(MIN_SECTIONS, 2 * MAX_SECTIONS),
    quotes_may_repeat=True,  # a table names what has a section of its own
)
