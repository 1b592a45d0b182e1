"""Compose a novel: a lost thing is looked for, chapter by chapter, among people who each keep a secret."""

import random
from dataclasses import dataclass

from pipeline.synthetic.facts import join_facts, know, know_sentences, plant
from pipeline.synthetic.grammar import Grammar, parse_rules, tidy
from pipeline.synthetic.manuscript import Block, Fact, Heading, Manuscript, Prose
from pipeline.synthetic.names import Names, Person
from pipeline.synthetic.narration import SCENES, TALK
from pipeline.synthetic.plot import ANSWERS, FACTS, MORE_ANSWERS, PLOT
from pipeline.synthetic.plot_summary import BEATS, PARTS, REASONS
from pipeline.synthetic.settings import COMMON, SETTINGS

NUM_CAST = 7
TITLES = (
    "The Winter at {}",
    "A Reckoning in {}",
    "What {} Kept",
    "The {} Inquiry",
)
SMALL_WORDS = frozenset(["a", "an", "the", "of", "at", "in", "on", "to", "and", "for", "from", "with", "by", "off"])


@dataclass(frozen=True)
class Stage:
    """Where a novel plays, and with whom; the first of the cast makes the inquiries."""

    town: str
    cast: list[Person]
    object: str


def compose_book(rng: random.Random, index: int, num_chapters: int, scenes_per_chapter: int) -> Manuscript:
    """Write the novel with this index, which decides where it plays."""
    names = Names(rng)
    grammar = Grammar(rng, COMMON, SETTINGS[index % len(SETTINGS)], SCENES, TALK, PLOT, ANSWERS, MORE_ANSWERS)
    grammar.rules["other_place"] = grammar.rules["place"]
    stage = Stage(names.place(), names.people(NUM_CAST), grammar.draw("object"))
    planted = plant_all(grammar, stage)
    beats = parse_rules(PLOT)["beat"]
    blocks: list[Block] = []
    beats_told: list[str] = []
    for chapter in range(num_chapters):
        blocks.append(Heading(f"Chapter {chapter + 1}: {chapter_title(grammar, stage)}"))
        told = [text for text, _ in planted[chapter::num_chapters]]
        acts = beats[chapter * len(beats) // num_chapters : (chapter + 1) * len(beats) // num_chapters]
        written = write_chapter(grammar, stage, acts, told, scenes_per_chapter)
        beats_told += [block.text for block in written[: len(acts)] if isinstance(block, Prose)]
        blocks += written
    facts = (*(fact for _, fact in planted), *know_plot(stage, beats_told), *know_people(stage, planted))
    title = TITLES[index % len(TITLES)].format(stage.town)
    author = names.person().name
    year = 1871 + rng.randrange(30)
    return Manuscript("book", title, (author,), str(year), tuple(blocks), facts, title)


def plant_all(grammar: Grammar, stage: Stage) -> list[tuple[str, Fact]]:
    """Tell every kind of fact once, of the cast in turn."""
    lines = grammar.rng.sample(FACTS.strip().splitlines(), len(FACTS.strip().splitlines()))
    people = [stage.cast[k % NUM_CAST].name for k in range(len(lines))]
    return [plant(grammar, line, P=person, town=stage.town) for line, person in zip(lines, people, strict=True)]


def know_plot(stage: Stage, beats_told: list[str]) -> list[Fact]:
    """Return summaries of the story and of its parts, and why people act, each with the beats that say so."""
    words = name_roles(stage)
    summaries = [
        know_sentences(
            "summary",
            question.format_map(words),
            [BEATS[beat].format_map(words) for beat in beats],
            [beats_told[beat] for beat in beats],
        )
        for question, beats in PARTS
    ]
    reasons = [
        know("why", question.format_map(words), answer.format_map(words), [beats_told[beat] for beat in beats])
        for question, answer, beats in REASONS
    ]
    return [*summaries, *reasons]


def know_people(stage: Stage, planted: list[tuple[str, Fact]]) -> list[Fact]:
    """Return a question for each of the cast that joins what is told of them in different chapters."""
    facts = [fact for _, fact in planted]
    return [
        join_facts(f"Three questions about {person.name}, answered in different places:", facts[k::NUM_CAST])
        for k, person in enumerate(stage.cast)
    ]


def name_roles(stage: Stage) -> dict[str, str]:
    """Return who the people of the plot are, the town, and what is lost."""
    roles = dict(zip("ACDEF", (person.first for person in stage.cast), strict=False))
    return roles | {"town": stage.town, "object": stage.object}


def chapter_title(grammar: Grammar, stage: Stage) -> str:
    """Return a title in capitals, but for the small words within it."""
    words = grammar.say("title", town=stage.town).split()
    return " ".join(word if k and word in SMALL_WORDS else word[0].upper() + word[1:] for k, word in enumerate(words))


def write_chapter(grammar: Grammar, stage: Stage, acts: list[str], told: list[str], num_scenes: int) -> list[Block]:
    """Write a chapter: what the plot wants of it, then scenes, into which the facts are spread."""
    hero = pronouns("A", stage.cast[0]) | name_roles(stage)
    blocks: list[Block] = [Prose(tidy(grammar.expand(act, hero))) for act in acts]
    for scene in range(num_scenes):
        blocks += write_scene(grammar, stage, told[scene::num_scenes])
    return blocks


def write_scene(grammar: Grammar, stage: Stage, told: list[str]) -> list[Block]:
    """Write one meeting of two people."""
    first, second = pair(grammar.rng, stage.cast)
    known = pronouns("A", first) | pronouns("B", second) | scenery(grammar, stage)
    shape = grammar.rng.choice(SHAPES)
    blocks: list[Block] = []
    for part in shape:
        if part == "talk":
            lines = grammar.say("exchange", **known).split(" // ")
            blocks += [Prose(tidy(line)) for line in lines]
        elif part == "told":
            blocks += [Prose(f"{text} {grammar.say('thought', **known)}", whole=True) for text in told]
        else:
            blocks.append(Prose(in_pronouns(grammar.paragraph(*part.split(), **known), first.first, known["he"])))
    return blocks


def scenery(grammar: Grammar, stage: Stage) -> dict[str, str]:
    """Return what stays the same throughout a scene."""
    name = stage.object if grammar.rng.random() < 0.4 else stage.object.split()[-1]
    rules = ("place", "other_place", "weather", "thing", "folk", "vessel", "furniture")
    return {"town": stage.town, "object": name} | {rule: grammar.expand(grammar.draw(rule), {}) for rule in rules}


def in_pronouns(paragraph: str, name: str, pronoun: str) -> str:
    """Call a person by a pronoun at the start of a sentence, where the one before started with the name."""
    sentences = paragraph.split(". ")
    for index in range(len(sentences) - 1, 0, -1):
        if sentences[index].startswith(f"{name} ") and sentences[index - 1].startswith(f"{name} "):
            sentences[index] = pronoun.capitalize() + sentences[index].removeprefix(name)
    return ". ".join(sentences)


SHAPES = (
    (
        "opening describe describe",
        "talk",
        "action action thought",
        "talk",
        "told",
        "action describe",
        "thought closing",
    ),
    ("opening thought", "describe action describe", "talk", "told", "action action", "talk", "action thought thought"),
    ("describe describe action", "thought thought", "talk", "action action thought", "told", "talk", "closing"),
    ("opening describe action", "told", "talk", "thought action", "describe action action", "talk", "thought closing"),
)


def pair(rng: random.Random, cast: list[Person]) -> tuple[Person, Person]:
    """Return whom the scene follows, mostly the first of the cast, and whom that one meets."""
    first = cast[0] if rng.random() < 0.7 else rng.choice(cast[1:])
    return first, rng.choice([person for person in cast if person is not first])


def pronouns(letter: str, person: Person) -> dict[str, str]:
    """Return the slots for a person; those of the one who is met start with a b."""
    prefix = "" if letter == "A" else letter.lower()
    words = ("she", "her", "her", "herself") if person.is_woman else ("he", "him", "his", "himself")
    slots = dict(zip((f"{prefix}he", f"{prefix}him", f"{prefix}his", f"{prefix}himself"), words, strict=True))
    return {letter: person.first, **slots}
