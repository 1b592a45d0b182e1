"""Retrieval from long talks and records: LongChat's topics and lines, and MRCR's several needles of one kind.

Source  LongChat (lmsys.org/blog/2023-06-29-longchat), topics and lines; Michelangelo (arXiv 2409.12640) and OpenAI's
        MRCR for the needles of one kind. The texts are our own, wordings follow theirs.
"""

from collections.abc import Callable
from hashlib import sha256
from random import Random

from eval.ruler_tasks.reply_scores import compare_after_mark, match_all, match_first_number
from eval.ruler_tasks.task import Draft, Source, Task
from eval.ruler_tasks.words import draw_words

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
ASPECTS = ("the history of", "the price of", "the care of", "the use of", "the making of", "the future of")
SUBJECTS = (
    "apple orchards", "bicycles", "bread", "canals", "candles", "chess clubs", "clocks", "compost", "ferries", "glass",
    "honey", "kites", "lighthouses", "maps", "markets", "mountain huts", "night trains", "paper", "public baths",
    "rain barrels", "school gardens", "sheepdogs", "stone walls", "street lamps", "tea", "tides",
    "violins", "windmills",
)  # fmt: skip
FORMS = ("a short story", "a letter", "a speech", "a diary entry", "a news report", "a note")
LINES_OPENING = (
    "Below is a record of lines I want you to remember. Each line begins with 'line <line index>' and contains a "
    "'<REGISTER_CONTENT>' at the end of the line as a numerical value. For each line index, memorize its corresponding "
    "<REGISTER_CONTENT>. At the end of the record, I will ask you to retrieve the corresponding <REGISTER_CONTENT> of "
    "a certain line index. Now the record starts:"
)
TOPICS_OPENING = (
    "Below is a record of our previous conversation on different topics. You are the ASSISTANT, and I am the USER. At "
    "the beginning of each topic, the USER will say 'I would like to discuss the topic of <TOPIC>'. Memorize each "
    "<TOPIC>. At the end of the record, I will ask you to retrieve one of the topics. Now the record starts."
)
TALK_OPENING = "Below is a conversation between a USER and an ASSISTANT who writes what the USER asks for."
SENTENCES_PER_TURN = 3
MARK_LETTERS = 10


def build_lines(source: Source, size: int, draw: Random) -> Draft:
    """Return a record of so many lines, one of which is asked for."""
    names = draw_words(source.haystack.words, size, draw)
    numbers = [draw.randint(1, 50_000) for _ in names]
    lines = [f"line {name}: REGISTER_CONTENT is <{number}>" for name, number in zip(names, numbers, strict=True)]
    asked = draw.randrange(size)
    return Draft(
        f"{LINES_OPENING}\n\n" + "\n".join(lines) + "\n\n",
        f"Now the record is over. Tell me what is the <REGISTER_CONTENT> in line {names[asked]}? I need the number.",
        f"The <REGISTER_CONTENT> in line {names[asked]} is <",
        (str(numbers[asked]),),
    )


def build_topics(source: Source, size: int, draw: Random) -> Draft:
    """Return a conversation with so many turns over different topics, of which the first is asked for.

    Topics last for about as many turns as there are topics.
    """
    num_topics = max(2, min(int(size**0.5), len(SUBJECTS)))
    topics = [f"{draw.choice(ASPECTS)} {subject}" for subject in draw.sample(SUBJECTS, num_topics)]
    sentences = source.haystack.iterate_from(draw.randrange(len(source.haystack.sentences)))
    turns = []
    for number, topic in enumerate(topics):
        turns.append(f"USER: I would like to discuss the topic of {topic}.\nASSISTANT: Sure, what about it?")
        own = len(range(number, size, num_topics))
        turns += [f"USER: {next(sentences)}\nASSISTANT: {next(sentences)}" for _ in range(own)]
    question = "Now the record ends. What is the first topic we discussed? Only give me the topic name."
    answer = "The first topic we discussed is"
    return Draft(f"{TOPICS_OPENING}\n\n" + "\n".join(turns) + "\n\n", question, answer, (topics[0],))


def make_repeated_builder(num_needles: int) -> Callable[[Source, int, Random], Draft]:
    """Return the function that builds talks with so many requests of one kind, one of whose replies is asked for."""

    def build(source: Source, size: int, draw: Random) -> Draft:
        kinds = [(form, subject) for form in FORMS for subject in SUBJECTS]
        kind = draw.choice(kinds)
        others = [draw.choice(kinds) for _ in range(size)]
        wishes = [*(other for other in others if other != kind), *[kind] * num_needles]
        draw.shuffle(wishes)
        sentences = source.haystack.iterate_from(draw.randrange(len(source.haystack.sentences)))
        texts = [f"On {wish[1]}. " + " ".join(next(sentences) for _ in range(SENTENCES_PER_TURN)) for wish in wishes]
        turns = [f"USER: Write {w[0]} about {w[1]}.\nASSISTANT: {text}" for w, text in zip(wishes, texts, strict=True)]
        asked = draw.randrange(num_needles)
        expected = [text for wish, text in zip(wishes, texts, strict=True) if wish == kind][asked]
        mark = sha256(str(draw.random()).encode()).hexdigest()[:MARK_LETTERS]
        thing = kind[0].split(" ", 1)[1]
        question = f"Write {mark} and then, word for word, the {ORDINALS[asked]} {thing} about {kind[1]}: nothing else."
        return Draft(f"{TALK_OPENING}\n\n" + "\n\n".join(turns) + "\n\n", question, "", (mark, expected))

    return build


TASKS = (
    Task("topics", build_topics, match_all, max_reply_tokens=32, min_size=2),
    Task("lines", build_lines, match_first_number, max_reply_tokens=16),
    *(
        Task(f"mrcr_{num}", make_repeated_builder(num), compare_after_mark, max_reply_tokens=256, min_size=0)
        for num in (2, 4, 8)
    ),
)
