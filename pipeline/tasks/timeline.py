"""Ask for the order in time of dated sentences from different parts of a document."""

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.passages.passages import Passages, is_askable, occurs_once
from pipeline.passages.spans import Span
from pipeline.passages.tagged_figures import MONTHS
from pipeline.records import Example
from pipeline.tasks.build import build_example, choose
from pipeline.tasks.task import Task, WorkedExample

NAME, VERSION = "timeline", "timeline-2"
NUM_EVENTS = 3
GAP = "____"
DATE = re.compile(rf"({'|'.join(MONTHS)})\s+(\d{{1,2}}),?\s+((?:1[5-9]|20)\d\d)(?!\d)")
DANGLING = re.compile(r"(?:It|He|She|They|This|That|These|Those|There|Such)\b")  # does not say by itself what happened
EVENT = re.compile(r"\b[Oo]n(?: or about)?\s+$")  # before the date of something that happened
STATE = re.compile(  # before a date that limits or measures something
    r"\b(?:effective|expir\w*|ended|ending|due|payable|matur\w*|dated|be \w+|based)(?: \w+)?\s+on\s+$", re.IGNORECASE
)
PLANNED = re.compile(r"\b(?:will|would|shall|to be)\b")
YEAR = re.compile(r"(?<!\d)(?:1[5-9]|20)\d\d(?!\d)")
WORDINGS = (
    "Put these events in the order of time, and give the date of each: {events}",
    "When did each of these happen, and in which order? {events}",
)


@dataclass(frozen=True)
class Event:
    """A sentence with one date in it."""

    sentence: Span
    date: datetime.date
    words: str  # of the date
    gapped: str  # the sentence with a gap in place of its date


def candidates(documents: Sequence[Passages]) -> Iterator[Example]:
    """Yield questions about three dated sentences each, a third of all such sentences apart."""
    passages = documents[0]
    events = find_events(passages)
    third = len(events) // NUM_EVENTS
    for number in range(third):
        chosen = [events[number + part * third] for part in range(NUM_EVENTS)]
        if len({event.date for event in chosen}) < NUM_EVENTS:
            continue
        listed = " ".join(f"({place}) “{event.gapped}”" for place, event in enumerate(chosen, 1))
        question = choose(WORDINGS, listed).format(events=listed)
        ordered = sorted(enumerate(chosen, 1), key=lambda pair: pair[1].date)
        answer = "; then ".join(f"({place}) on {event.words}" for place, event in ordered)
        evidence = [(passages, event.sentence) for event in chosen]
        yield build_example(documents, NAME, VERSION, question, f"First {answer}.", evidence)


def find_events(passages: Passages) -> list[Event]:
    """Return the sentences that can be quoted and have exactly one date and no other year."""
    events = []
    for sentence in passages.sentences:
        dates = list(DATE.finditer(sentence.text))
        if DANGLING.match(sentence.text):
            continue
        if len(dates) != 1 or len(YEAR.findall(sentence.text)) != 1 or not is_askable(sentence):
            continue
        match = dates[0]
        before = sentence.text[: match.start()]
        if not EVENT.search(before) or STATE.search(before) or PLANNED.search(sentence.text):
            continue
        gapped = " ".join(f"{sentence.text[: match.start()]}{GAP}{sentence.text[match.end() :]}".split())
        try:
            date = datetime.date(int(match[3]), MONTHS.index(match[1]) + 1, int(match[2]))
        except ValueError:
            continue
        if sentence.text in passages.unique_sentences and occurs_once(passages, gapped, GAP):
            events.append(Event(sentence, date, " ".join(match[0].split()), gapped))
    return events


TASK = Task(
    name=NAME,
    version=VERSION,
    categories=("book", "paper", "report", "statement"),
    candidates=candidates,
    num_quotes=(3, 8),
    prompt=(
        "Ask for the order in time of three to six events that this document tells of in different places. The answer"
        " lists them from first to last, each with its date or with the words that place it in time."
    ),
    asks_about="places",
    worked_examples=(
        WorkedExample(
            question="In which order did the flood, the sale of the mill and the founding of the Society come?",
            evidence=(
                (1, "The river rose on March 3, 1871."),
                (1, "A committee, later the Harbour Society, met in June 1868."),
                (1, "Two winters after the flood the mill was sold."),
            ),
            statements=(
                ("First came the founding of what became the Harbour Society, in June 1868.", (2,)),
                ("Then came the flood, on March 3, 1871.", (1,)),
                ("The mill was sold last, two winters after the flood.", (3,)),
            ),
        ),
        WorkedExample(
            question="Put the three releases that the paper describes in the order of time.",
            evidence=(
                (1, "Version 2 followed in May 2019."),
                (1, "The first version was released in 2016."),
                (1, "With version 3, of 2022, tables were added."),
            ),
            statements=(
                ("The first version was released in 2016.", (2,)),
                ("Version 2 followed in May 2019.", (1,)),
                ("Version 3 came in 2022.", (3,)),
            ),
        ),
    ),
)
