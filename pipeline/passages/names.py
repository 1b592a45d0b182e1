"""The names that matter in a document: whole, and either mentioned several times or explained there."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.passages.passages import Passages, is_askable
from pipeline.passages.spans import Span

MIN_MENTIONS = 3  # in a short document, and one more for each so many characters
CHARACTERS_PER_MENTION = 100_000
TITLE = r"(?:Mr|Mrs|Ms|Dr|Prof|St|Sir|Lady|Miss|Captain|Colonel)\.?"
WORD = r"(?:(?:Mr|Mrs|Ms|Dr|Prof|St)\.|[A-Z](?:[\w’]|&(?=[A-Z]))+(?:-\w+)*|[A-Z]\.)"
CONNECTOR = r"(?: (?:of|for|de|van|von|del|di|la)(?: the)?)? "
RUN = re.compile(rf"(?<![\w.’-]){WORD}(?:{CONNECTOR}{WORD})*(?![\w-])")
BEFORE = re.compile(r"(?:[A-Z]\w*[,.]? (?:and|&|of|or) |[A-Z0-9][\w’-]*,? |[-/–\w])$")  # the name begins further left
AFTER = re.compile(r"^(?: (?:and|&|or|on) [A-Z]|,? [A-Z0-9]|[-/–’']\w| \[| et al)")  # or ends further right
ABBREVIATION = re.compile(r"^ \(([A-Z][A-Za-z&]{1,7})\)")
NOT_FIRST = frozenset(re.findall(r"\w+", (
    "A An The This That These Those It Its He She They We You I In On At For From By With And But Or If When "
    "While As Since After Before Our His Her Their My Your Some Any All No Not Both Each Under See Although "
    "However Because During Once Then There Here Such Other Most Many Only Even Now Oh Ah Yes Well Said Dear Poor "
    "Old Let To Of Per Had Has Have Was Were Is Are Did Do Does Would Could Should Will Shall May Might Must Can "
    "Re"
)))  # fmt: skip
DATES = frozenset(re.findall(r"\w+", (
    "January February March April May June July August September October November December Monday Tuesday "
    "Wednesday Thursday Friday Saturday Sunday"
)))  # fmt: skip
LABELS = frozenset(re.findall(r"\w+", (
    "Section Sections Chapter Table Tables Figure Figures Item Items Note Notes Part Appendix Article Title Form "
    "Exhibit Step Case Page Volume Equation Theorem Algorithm Rule Annex Box Schedule"
)))  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A name, the sentence of its first mention, and how often the document has it."""

    words: str
    first: Span
    num_mentions: int


def find_names(passages: Passages) -> list[Name]:
    """Return the names of two words or more that matter, in the order of their first mentions.

    A name matters if the document has it often, or explains its abbreviation: 'Tensor Memory Accelerator (TMA)'. Its
    first mention in the whole text is in a sentence that can be quoted.
    """
    firsts: dict[str, tuple[Span, bool]] = {}
    wholes: Counter[str] = Counter()
    for sentence in passages.sentences:
        for name, is_whole, is_explained in runs_in(" ".join(sentence.text.split())):
            wholes[name] += is_whole
            known = firsts.get(name, (sentence, False))
            firsts[name] = (known[0], known[1] or is_explained)
    text = passages.flat_text
    least = MIN_MENTIONS + len(text) // CHARACTERS_PER_MENTION
    found = []
    for name, (sentence, is_explained) in firsts.items():
        if not is_askable(sentence) or sentence.text not in passages.unique_sentences:
            continue
        num_mentions = text.count(name)
        matters = is_explained or (num_mentions >= least and has_own_word(name, passages.lower_case_words))
        # 'Memory Accelerator' is in the text as often as its longer name, but never whole.
        is_whole = 2 * wholes[name] > num_mentions and not goes_on(name, text, num_mentions)
        if matters and is_whole and is_first_mention(passages, name, sentence):
            found.append(Name(name, sentence, num_mentions))
    return found


def runs_in(sentence: str) -> Iterator[tuple[str, bool, bool]]:
    """Yield the names of two words or more in a sentence: whether each is whole there, and whether it is explained."""
    for match in RUN.finditer(sentence):
        words = match[0].split()
        while words and words[0] in NOT_FIRST:
            words.pop(0)
        name = " ".join(words).removesuffix("’s").removesuffix("'s")
        if re.search(r"[’']s |[’']s?$|-[a-z]", name):
            continue  # what is owned is another name
        if len(name.split()) < 2 or not set(name.split()).isdisjoint(DATES | LABELS) or words[-1][-1] == ".":
            continue
        before = sentence[: match.end() - len(" ".join(words))]
        after = sentence[match.start() + match[0].rindex(words[-1]) + len(words[-1]) :]
        cut = " ".join(match[0].split()[: -len(words)])  # 'The' of 'The Debian Policy' is no part of it
        is_whole = not (BEFORE.search(before) and not cut) and not AFTER.search(after)
        yield name, is_whole, is_explained(name, after)


def is_explained(name: str, after: str) -> bool:
    """Say whether an abbreviation of a name's own initials follows it in parentheses."""
    match = ABBREVIATION.match(after)
    initials = "".join(word[0] for word in re.split(r"[ -]", name) if word[0].isupper())
    return match is not None and match[1].upper() == initials.upper()


def has_own_word(name: str, lower_case_words: frozenset[str]) -> bool:
    """Say whether a word of a name, titles of people aside, is never in lower case: 'Board of Directors' has none."""
    words = [word for word in re.split(r"[ -]", name) if word[0].isupper() and not re.fullmatch(TITLE, word)]
    return any(word.lower() not in lower_case_words for word in words)


def goes_on(name: str, text: str, num_mentions: int) -> bool:
    """Say whether one word follows most mentions of a name: 'Trump Moscow' is half of 'Trump Moscow project'."""
    following = Counter(re.findall(rf"{re.escape(name)} ([a-z]{{5,}})", text))
    return num_mentions >= MIN_MENTIONS and 2 * max(following.values(), default=0) > num_mentions


def is_first_mention(passages: Passages, name: str, sentence: Span) -> bool:
    """Say whether no heading, table or list has a name before the sentence does."""
    pattern = r"\s+".join(map(re.escape, name.split()))
    match = re.search(pattern, passages.document.text)
    return match is not None and sentence.start <= match.start() < sentence.end
