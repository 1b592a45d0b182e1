"""Samples fill their length without exceeding it, contain what is asked for, and are the same for the same seed."""

import re
from collections import Counter
from random import Random

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from eval.haystack import Haystack
from eval.ruler_tasks.samples import RULER_TASKS, TASKS, make_sample, make_samples, read_samples, write_samples
from eval.ruler_tasks.task import Sample, Source
from pipeline.rejections import Reason

SENTENCES = tuple(f"The clerk of harbour {number} wrote {number * 7} lines about the rain." for number in range(300))
LETTERS = "abcdefghijklmnopqrstuvwxyz"
WORDS = tuple(sorted({f"{a}{b}word" for a in LETTERS for b in LETTERS[:12]}))
HAYSTACK = Haystack(SENTENCES, WORDS, ("a" * 64,))


@pytest.fixture(scope="module", params=["bytes", "words"])
def count_tokens(request, tiny_tokenizer):
    """Count tokens by one of two tokenizers that split text very differently."""
    if request.param == "bytes":
        return lambda text: len(tiny_tokenizer(text, verbose=False)["input_ids"])
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))  # noqa: S106 - no secret
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return lambda text: len(tokenizer.encode(text).ids)


def make(name: str, count, length: int = 4_000, number: int = 0, seed: int = 1) -> Sample:
    sample = make_sample(TASKS[name], Source(HAYSTACK, length), number, count, seed)
    assert isinstance(sample, Sample), sample
    return sample


def test_rulers_thirteen_tasks_are_there() -> None:
    niah = ("single_1", "single_2", "single_3", "multikey_1", "multikey_2", "multikey_3", "multivalue", "multiquery")
    assert (*(f"niah_{name}" for name in niah), "vt", "cwe", "fwe", "qa_1", "qa_2") == RULER_TASKS
    assert set(TASKS) - set(RULER_TASKS) == {"topics", "lines", "mrcr_2", "mrcr_4", "mrcr_8"}


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("length", [3_000, 9_000])
def test_a_sample_fills_its_length_and_never_exceeds_it(name: str, length: int, count_tokens) -> None:
    sample = make(name, count_tokens, length)
    num_tokens = count_tokens(f"{sample.document}{sample.question} {sample.answer_start}")
    assert num_tokens == sample.num_prompt_tokens
    assert 0.8 * length < num_tokens + sample.max_reply_tokens <= length


@pytest.mark.parametrize("name", TASKS)
def test_what_is_asked_for_is_in_the_document(name: str, count_tokens) -> None:
    sample = make(name, count_tokens)
    inside = sample.references[1:] if name.startswith("mrcr") else sample.references
    assert all(reference in sample.document for reference in inside)
    assert not any(reference in sample.question + sample.answer_start for reference in inside)
    oracle = "".join(sample.references) if name.startswith("mrcr") else " ".join(sample.references)
    assert TASKS[name].score(oracle, sample.references) == 1
    assert TASKS[name].score("I do not know.", sample.references) == 0


@pytest.mark.parametrize("name", TASKS)
def test_equal_seeds_give_equal_samples_and_others_others(name: str, count_tokens) -> None:
    one = make(name, count_tokens, 3_000)
    assert make(name, count_tokens, 3_000) == one
    assert make(name, count_tokens, 3_000, number=1).references != one.references
    assert make(name, count_tokens, 3_000, seed=2).references != one.references


@pytest.mark.parametrize(
    ("name", "num_needles", "num_asked"),
    [("niah_single_3", 1, 1), ("niah_multikey_1", 4, 1), ("niah_multivalue", 4, 4), ("niah_multiquery", 4, 4)],
)
def test_needle_tasks_hide_as_many_as_ruler_does(name: str, num_needles: int, num_asked: int, count_tokens) -> None:
    sample = make(name, count_tokens)
    assert sample.document.count("One of the special magic") == num_needles
    assert len(sample.references) == num_asked
    assert ("are all" in sample.question) is (num_asked > 1)


def test_the_needles_of_multikey_2_are_the_haystack(count_tokens) -> None:
    lines = make("niah_multikey_2", count_tokens).document.splitlines()[1:]
    assert len(lines) > 20
    assert all(line.startswith("One of the special magic numbers for ") for line in lines)


def test_the_variables_of_a_chain_lead_back_to_the_value(count_tokens) -> None:
    sample = make("vt", count_tokens)
    given = dict(re.findall(r"VAR (\w+) = (?:VAR )?(\w+)", sample.document))
    value = re.search(r"value (\d+) in", sample.question)[1]
    for name in sample.references:
        while name in given:
            name = given[name]
        assert name == value
    assert len(sample.references) == 5


@pytest.mark.parametrize("name", ["cwe", "fwe"])
def test_the_common_words_are_the_commonest(name: str, count_tokens) -> None:
    sample = make(name, count_tokens, 9_000)
    text = sample.document.rsplit("appear most often.", 1)[-1] if name == "cwe" else sample.document
    counts = Counter(word for word in text.split() if not re.fullmatch(r"\d+\.|\.\.\.", word))
    most = [word for word, _ in counts.most_common(len(sample.references))]
    assert set(most) == set(sample.references)
    assert counts[sample.references[-1]] > 1


def test_a_question_over_two_entries_names_only_the_first(count_tokens) -> None:
    sample = make("qa_2", count_tokens)
    person = re.search(r"founded where (.+) came from", sample.question)[1]
    town = re.search(rf"{person} was an? \w+ from (\w+),|{person} was a \w+ from (\w+),", sample.document)[1]
    assert town not in sample.question
    assert re.search(rf"{town} is a town .* founded in {sample.references[0]} ", sample.document)


@pytest.mark.parametrize("num", [2, 4, 8])
def test_talks_have_as_many_needles_of_one_kind(num: int, count_tokens) -> None:
    sample = make(f"mrcr_{num}", count_tokens, 5_000)
    _, subject = re.search(r"the \w+ (.+) about (.+): nothing", sample.question).groups()
    asked = re.search(r"the (\w+) (.+) about", sample.question)
    kind = rf"USER: Write an? {asked[2]} about {subject}\."
    replies = re.findall(kind + r"\nASSISTANT: (.+)", sample.document)
    assert len(replies) == num
    ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"]
    assert replies[ordinals.index(asked[1])] == sample.references[1]


def test_the_first_topic_is_asked_for(count_tokens) -> None:
    sample = make("topics", count_tokens)
    topics = re.findall(r"topic of ([a-z ]+)\.\n", sample.document)
    assert len(topics) == len(set(topics)) >= 3
    assert topics[0] == sample.references[0]


def test_a_task_without_room_gives_a_reason() -> None:
    found = list(make_samples(["cwe", "lines"], [150], 1, HAYSTACK, lambda text: len(text.split()), 1))
    assert isinstance(found[0], Reason)
    assert str(found[0]).startswith("cwe has no room in 150 tokens: it takes ")
    assert isinstance(found[1], Sample)


def test_samples_are_the_same_after_a_round_trip(tmp_path, count_tokens) -> None:
    samples = [make(name, count_tokens, 3_000) for name in ("niah_single_2", "mrcr_2")]
    write_samples(tmp_path / "samples.jsonl", samples)
    assert read_samples(tmp_path / "samples.jsonl") == samples


def test_words_and_names_never_run_out() -> None:
    few = Haystack(SENTENCES, ("clerk", "rain", "harbour"), ())
    draft = TASKS["lines"].build(Source(few, 200_000), 500, Random(1))
    assert len(set(re.findall(r"^line (\S+):", draft.document, re.MULTILINE))) == 500
    names = re.findall(r"^Document \d+:\n(.+)$", TASKS["qa_1"].build(Source(few, 1), 9_000, Random(1)).document, re.M)
    assert len(set(names)) == 9_000
