"""Mix long and short examples into one shuffled dataset, the documents written into the instructions.

Reads   DOCUMENTS/*.parquet          documents, each with its split
        LONG/examples*.parquet       examples about documents
        SHORT/examples*.parquet      short examples
Writes  OUT/LongAlpaca-12k.json      the training set as the original's loader reads it: a list of {instruction, output}
        OUT/train-00000.parquet      the same rows with every column of docs/data-format.md
        OUT/test-00000.parquet       long examples about documents that no training row shows
        OUT/README.md                the card, written from the counts
        OUT/report.json              the counts
Source  LongLoRA (arXiv 2309.12307) section 3.3: 9k long, 3k short; the wrappers are those of its repository
"""

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from itertools import zip_longest
from pathlib import Path

from tqdm import tqdm

from pipeline.card import count_rows, write_card
from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.fit import cut_to_fit
from pipeline.params import Params
from pipeline.records import (
    Category,
    DocumentStore,
    Example,
    Material,
    MixedExample,
    Split,
    read_examples,
    read_mixed,
    write_mixed,
)
from pipeline.refusals import list_refusals
from pipeline.tokens import count_tokens, load_tokenizer

log = logging.getLogger(__name__)

OPENINGS: dict[Category, str] = {
    "book": "Below is some content in the book. Memorize the content and answer my question after the book.\n"
    "The book begins. ",
    "paper": "Below is a paper. Memorize the material and answer my question after the paper. ",
    "report": "Below is a report. Memorize the content and answer my question after the report.\n",
    "statement": "Below is a financial statement. Memorize the content and answer my question after the statement.\n",
}
CLOSING = "\nNow the material ends. "


class MixParams(Params):
    """Section `mix` of params.yaml."""

    num_long: int  # training rows about documents
    num_short: int  # training rows without
    num_test: int  # test rows, all of them about documents of the test split
    max_tokens: int  # of instruction and output; a longer document is cut around the evidence
    tokenizer: str  # counts num_tokens; see pipeline.tokens.load_tokenizer
    seed: int


def part_long(
    examples: Iterable[Example], store: DocumentStore, max_tokens: int, count: Callable[[str], int]
) -> tuple[dict[Split, list[Example]], Counter[str]]:
    """Part examples by the split of their documents, and count those that cannot be used by reason."""
    parts: dict[Split, list[Example]] = {"train": [], "test": []}
    refused: Counter[str] = Counter()
    for example in examples:
        splits = {store.splits[doc_id] for doc_id in example.doc_ids}
        if len(splits) != 1:
            refused["documents on both sides of the split"] += 1
        elif least_tokens(example, store, count) > max_tokens:
            refused["evidence that alone exceeds max_tokens"] += 1
        else:
            parts["test" if "test" in splits else "train"].append(example)
    return parts, refused


def least_tokens(example: Example, store: DocumentStore, count: Callable[[str], int]) -> int:
    """Return how many tokens an example has with each of its documents cut to the stretch that holds its evidence."""
    stretches = []
    for doc_id in example.doc_ids:
        spans = [span for span in example.evidence if span.doc_id == doc_id]
        if spans:
            start, end = min(span.start for span in spans), max(span.end for span in spans)
            stretches.append(store[doc_id].text[start:end])
    opening = OPENINGS[store.categories[example.doc_ids[0]]]
    return count("".join([opening, *stretches, CLOSING, example.question])) + count(example.answer)


def draw(examples: Iterable[Example], num_examples: int, seed: int, store: DocumentStore) -> list[Example]:
    """Draw up to `num_examples`, as evenly over categories and tasks as these allow, by a hash of their ids."""
    by_kind: dict[str, list[Example]] = {}
    for example in sorted(examples, key=partial(lot, seed)):
        by_kind.setdefault(kind_of(example, store), []).append(example)
    rounds = zip_longest(*(by_kind[kind] for kind in sorted(by_kind)))
    return [example for turn in rounds for example in turn if example is not None][:num_examples]


def kind_of(example: Example, store: DocumentStore) -> str:
    """Return the category of an example's documents and its task, as in 'book/speech'; 'short' without documents."""
    return f"{store.categories[example.doc_ids[0]]}/{example.task}" if example.doc_ids else example.task


def lot(seed: int, example: Example) -> bytes:
    """Return the place of an example in a shuffled order that neither input order nor other examples change."""
    return sha256(f"{seed}:{example.example_id}".encode()).digest()


def require(found: Sequence[Example], wanted: int, key: str, store: DocumentStore) -> None:
    """Check that there are as many examples as the mix asks for.

    Raises:
        InputError: There are too few; it says how many of each kind there are.
    """
    if len(found) < wanted:
        kinds = Counter(kind_of(example, store) for example in found)
        listed = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
        raise InputError(
            f"section 'mix', key '{key}'",
            found=f"{len(found)} examples ({listed or 'none'})",
            wanted=f"{wanted}",
            remedy=f"Add documents, ask more of each (ask.num_per_document), or set mix.{key} to {len(found)} or less.",
        )


def write_instruction(example: Example, store: DocumentStore) -> tuple[str, tuple[Material, ...]]:
    """Return the instruction of an example with its documents in it, and where in it they stand."""
    if not example.doc_ids:
        return example.question, ()
    documents = [store[doc_id] for doc_id in example.doc_ids]
    instruction = OPENINGS[documents[0].category]
    material = []
    for number, document in enumerate(documents):
        instruction += "\n\n" if number else ""
        material.append(Material(document.doc_id, 0, len(document.text), len(instruction)))
        instruction += document.text
    return f"{instruction}{CLOSING}{example.question}", tuple(material)


def write_rows(
    examples: Iterable[Example], store: DocumentStore, max_tokens: int, count: Callable[[str], int]
) -> Iterator[MixedExample]:
    """Yield the dataset row of each example, its documents cut to fit.

    Raises:
        InputError: An example does not fit although its evidence does: `max_tokens` is too small for any.
    """
    for example in examples:
        instruction, material = write_instruction(example, store)
        row = cut_to_fit(MixedExample(instruction, example.answer, 0, material, example), max_tokens, count)
        if row is None:
            raise InputError(
                "section 'mix', key 'max_tokens'",
                found=f"{max_tokens}, which does not hold example {example.example_id}",
                wanted="room for a wrapper, a question, its evidence and the answer",
                remedy="Raise it.",
            )
        yield row


def write_original_json(path: Path, rows: Iterable[MixedExample]) -> None:
    """Write rows as the original's loader reads them: one JSON list of objects, an object a line."""
    with path.open("w", encoding="utf-8") as file:
        separator = "["
        for row in rows:
            content = {"instruction": row.instruction, "output": row.output}
            file.write(f"{separator}\n{json.dumps(content, ensure_ascii=False)}")
            separator = ","
        file.write("\n]\n")


def run(params: MixParams, *, documents: Path, long: Path, short: Path, out: Path) -> None:
    """Write the dataset: JSON as the original's, Parquet with provenance, and the card."""
    store = DocumentStore(documents)
    count = partial(count_tokens, load_tokenizer(params.tokenizer))
    parts, refused = part_long(read_examples(long, "examples*.parquet"), store, params.max_tokens, count)
    shorts = draw(read_examples(short, "examples*.parquet"), params.num_short, params.seed, store)
    longs = draw(parts["train"], params.num_long, params.seed, store)
    tests = draw(parts["test"], params.num_test, params.seed, store)
    for found, wanted, key in (
        (longs, params.num_long, "num_long"),
        (shorts, params.num_short, "num_short"),
        (tests, params.num_test, "num_test"),
    ):
        require(found, wanted, key, store)
    train = sorted([*longs, *shorts], key=partial(lot, params.seed))
    with replacing(out) as beside:
        beside.mkdir()
        for name, examples in (("train", train), ("test", tests)):
            progress = tqdm(examples, desc=f"mix {name}", unit=" rows", disable=None)
            write_mixed(beside / f"{name}-00000.parquet", write_rows(progress, store, params.max_tokens, count))
        write_original_json(beside / "LongAlpaca-12k.json", read_mixed(beside, "train*.parquet"))
        counts = count_rows(beside, store)
        counts["refused"] = dict(refused)
        write_json(beside / "report.json", counts)
        write_card(beside / "README.md", counts)
    log.info(
        "mix: %d long and %d short training rows and %d test rows in %s, %s",
        len(longs), len(shorts), len(tests), out, list_refusals(refused),
    )  # fmt: skip


if __name__ == "__main__":
    run_stage(run)
