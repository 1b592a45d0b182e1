"""Questions about a reference book of invented towns and people: RULER's qa_1 and qa_2 over texts of our own.

RULER takes SQuAD for the first, whose answer is in one paragraph, and HotpotQA for the second, which needs two. Both
have to be downloaded, and models know them by heart. These entries are drawn for each sample, so nothing is known
about them.

Source  RULER (arXiv 2404.06654), appendix B, for the wording and the form of the tasks
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from eval.ruler_tasks.reply_scores import match_any
from eval.ruler_tasks.task import Draft, Source, Task

ONSETS = ("Al", "Bre", "Cor", "Dun", "El", "Fen", "Gar", "Hol", "Is", "Kel", "Lor", "Mar", "Nor", "Os", "Pel", "Ran")
MIDDLES = ("a", "be", "di", "fo", "go", "le", "mi", "ne", "ri", "sa", "to", "ve")
TOWN_ENDS = ("burgh", "dale", "ford", "gate", "haven", "mouth", "stead", "wick")
NAME_ENDS = ("bert", "dran", "la", "len", "mund", "na", "ric", "sa", "than", "vin")
TRADES = ("bells", "cheese", "clocks", "gloves", "lace", "paper", "pottery", "rope", "salt", "saddles", "silk", "wool")
WORKS = ("a bridge", "a calendar", "a dictionary", "a map", "a mill", "a song book", "a telescope", "an almanac")
PROFESSIONS = ("astronomer", "carpenter", "engineer", "judge", "painter", "physician", "printer", "teacher")
WISH = "Answer the question based on the given documents. Only give me the answer and do not output any other words."


@dataclass(frozen=True)
class Town:
    """A town, when it was founded, and what it makes."""

    name: str
    year: int
    trade: str

    def describe(self, draw: Random) -> str:
        """Return its entry."""
        people = draw.randrange(2, 90) * 100
        return (
            f"{self.name} is a town of about {people:,} people. It was founded in {self.year} and is known for its "
            f"{self.trade}."
        )


@dataclass(frozen=True)
class Person:
    """Someone who was born in a town."""

    name: str
    town: Town

    def describe(self, draw: Random) -> str:
        """Return the entry."""
        made, profession = draw.choice(WORKS), draw.choice(PROFESSIONS)
        return f"{self.name} was a {profession} from {self.town.name}, who is remembered for {made}."


def draw_name(ends: Sequence[str], taken: set[str], draw: Random) -> str:
    """Return a name that is not taken yet, the longer the more of the shorter ones are."""
    num_middles = 1
    while True:
        name = draw.choice(ONSETS) + "".join(draw.choices(MIDDLES, k=num_middles)) + draw.choice(ends)
        if name not in taken:
            taken.add(name)
            return name
        num_middles += 1


def draw_entries(num: int, draw: Random) -> tuple[list[Town], list[Person]]:
    """Return so many entries, half of them towns, and people born in them."""
    taken: set[str] = set()
    num_towns = (num + 1) // 2
    towns = [
        Town(draw_name(TOWN_ENDS, taken, draw), draw.randint(900, 1_890), draw.choice(TRADES)) for _ in range(num_towns)
    ]
    names = [f"{draw_name(NAME_ENDS, taken, draw)} {draw.choice(ONSETS)}{draw.choice(NAME_ENDS)}" for _ in towns]
    return towns, [Person(name, draw.choice(towns)) for name in names[: num - num_towns]]


def build_single(source: Source, size: int, draw: Random) -> Draft:
    """Return a question whose answer is in one entry."""
    del source
    towns, people = draw_entries(size, draw)
    question, reference = draw.choice(
        (
            (f"In which year was {towns[0].name} founded?", str(towns[0].year)),
            (f"What is the town of {towns[0].name} known for?", towns[0].trade),
        )
    )
    return write_draft(towns, people, question, reference, draw)


def build_double(source: Source, size: int, draw: Random) -> Draft:
    """Return a question whose answer is in the entry of a town that another entry names."""
    del source
    towns, people = draw_entries(size, draw)
    question = f"In which year was the town founded where {people[0].name} came from?"
    return write_draft(towns, people, question, str(people[0].town.year), draw)


def write_draft(towns: list[Town], people: list[Person], question: str, reference: str, draw: Random) -> Draft:
    """Return the draft with the entries in random order, numbered as RULER numbers documents."""
    described: list[Town | Person] = [*towns, *people]
    entries = [f"{one.name}\n{one.describe(draw)}" for one in described]
    draw.shuffle(entries)
    text = "\n\n".join(f"Document {number}:\n{entry}" for number, entry in enumerate(entries, 1))
    document = f"{WISH}\n\nThe following are given documents.\n\n{text}\n\n{WISH}\n\n"
    return Draft(document, f"Question: {question}", "Answer:", (reference,))


TASKS = (
    Task("qa_1", build_single, match_any, max_reply_tokens=32, min_size=2),
    Task("qa_2", build_double, match_any, max_reply_tokens=32, min_size=2),
)
