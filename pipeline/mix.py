"""Mix long and short examples into one dataset, with the documents in the instructions.

Reads   DOCUMENTS/*.parquet          documents, each with its split
        LONG/examples*.parquet       examples about documents
        SHORT/examples*.parquet      short examples, in the order in which they are to be taken
Writes  OUT/LongAlpaca-12k.json      the training set as the original's loader reads it: a list of {instruction, output}
        OUT/train-*.parquet          the same rows with every column of docs/data-format.md
        OUT/test-*.parquet           long examples about documents that no training row shows
        OUT/LongAlpaca-NAME.json, OUT/NAME/train-*.parquet, OUT/NAME/test-*.parquet   each further edition
        OUT/README.md, croissant.json, preview.html   the card, its Croissant, and rows to read
        OUT/report.json              the counts
Source  LongLoRA (arXiv 2309.12307) section 3.3: 9k long, 3k short

First every example that is drawn gets a plan: which characters of its documents are shown, and how many tokens that
makes. Documents are gone through once for that, in their order. Then the rows are written in the shuffled order, one
at a time.
"""

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from pydantic import Field
from tqdm import tqdm

from pipeline.cli import run_stage
from pipeline.curation.licences import is_unknown
from pipeline.dataset.card import MAIN, write_card
from pipeline.dataset.croissant import write_croissant
from pipeline.dataset.distractors import Distractors
from pipeline.dataset.editions import Counts, write_edition
from pipeline.dataset.evidence_window import fit_row
from pipeline.dataset.preview import write_preview
from pipeline.dataset.prompt import OPENINGS, Shown, write_instruction
from pipeline.dataset.sampling import Family, Pools, draw, share_rows
from pipeline.errors import InputError
from pipeline.files import replacing, write_json
from pipeline.params import Params
from pipeline.records import CharRange, Example, MixedExample, Split
from pipeline.rejections import list_rejections
from pipeline.stable_order import order_key
from pipeline.storage.document_store import DocumentStore
from pipeline.storage.parquet import read_examples
from pipeline.tokenization.token_grid import Grid, token_grid
from pipeline.tokenization.tokenizers import load_tokenizer

log = logging.getLogger(__name__)


class MixParams(Params):
    """Section `mix` of params.yaml."""

    num_long: int = Field(ge=0)  # training rows about documents
    num_short: int = Field(ge=0)  # training rows without; 0 for long rows alone
    num_test: int = Field(ge=0)  # test rows, all of them about documents of the test split
    min_tokens: int = Field(ge=0)  # of the documents of a long row together, by extract.tokenizer
    max_tokens: int = Field(ge=1)  # of a row; of a longer document a window around the evidence is shown
    editions: dict[str, int]  # further editions of the same examples: name and most tokens of a row
    families: dict[str, Family]  # how the long rows are shared among tasks; an example belongs to the first match
    distractors: int = Field(ge=0)  # related documents around that of a row, as far as they fit whole; 0 for none
    fill_families: bool  # take from the others what one family lacks; else that is an error
    tokenizer: str  # counts num_tokens; see pipeline.tokenization.tokenizers.load_tokenizer
    seed: int


@dataclass(frozen=True)
class Plan:
    """The windows that an example shows in each edition that it fits."""

    example: Example
    spans: dict[str, tuple[CharRange, ...]]
    num_tokens: dict[str, int]


class Planner:
    """Plans how examples are shown, and counts by reason those that cannot be."""

    def __init__(self, params: MixParams, store: DocumentStore) -> None:
        """Load the tokenizer."""
        self.limits = {MAIN: params.max_tokens, **params.editions}
        self.store = store
        self.left_out: dict[str, Counter[str]] = {edition: Counter() for edition in self.limits}
        self.refused = self.left_out[MAIN]
        self.tokenizer = load_tokenizer(params.tokenizer)
        self._grid = lru_cache(maxsize=16)(self._make_grid)

    def _make_grid(self, doc_id: str) -> Grid:
        return token_grid(self.tokenizer, self.store[doc_id].text)

    def __call__(self, examples: list[Example]) -> dict[str, Plan]:
        """Plan examples in the order of their documents, and return the plans by id."""
        ordered = sorted(examples, key=lambda e: [self.store.order(doc_id) for doc_id in e.doc_ids])
        plans = {}
        for example in tqdm(ordered, desc="mix plans", unit=" rows", disable=None):
            if plan := self.plan(example):
                plans[example.example_id] = plan
        return plans

    def plan(self, example: Example) -> Plan | None:
        """Return how an example is shown, None if it does not fit the main edition."""
        documents = [self.store[doc_id] for doc_id in example.doc_ids]
        shown = [Shown(document, (0, len(document.text)), self._grid(document.doc_id)) for document in documents]
        spans: dict[str, tuple[CharRange, ...]] = {}
        num_tokens: dict[str, int] = {}
        for edition, limit in self.limits.items():
            if fitted := fit_row(self.tokenizer, example, shown, limit):
                spans[edition] = tuple(part.span for part in fitted[0])
                num_tokens[edition] = fitted[1]
            else:
                self.left_out[edition][
                    f"evidence wider than {limit} tokens" if documents else "short that is long"
                ] += 1
        return Plan(example, spans, num_tokens) if MAIN in spans else None


def group_long(
    examples: Iterable[Example], store: DocumentStore, min_tokens: int, refused: Counter[str]
) -> dict[Split, dict[str, list[Example]]]:
    """Group examples by the split of their documents and by kind, and count by reason those that cannot be used."""
    parts: dict[Split, dict[str, list[Example]]] = {"train": defaultdict(list), "test": defaultdict(list)}
    seen: set[str] = set()
    for example in examples:
        fault = "repeated example" if example.example_id in seen else exclusion_reason(example, store, min_tokens)
        seen.add(example.example_id)
        if fault:
            refused[fault] += 1
        else:
            split: Split = "test" if store.splits[example.doc_ids[0]] == "test" else "train"
            parts[split][example_kind(example, store)].append(example)
    return parts


def exclusion_reason(example: Example, store: DocumentStore, min_tokens: int) -> str:
    """Return why an example cannot become a row, '' if it can."""
    if any(doc_id not in store for doc_id in example.doc_ids):
        return "document that was not kept"
    if any(store.categories[doc_id] not in OPENINGS for doc_id in example.doc_ids):
        return "review as material"
    if len({store.splits[doc_id] for doc_id in example.doc_ids}) != 1:
        return "documents on both sides of the split"
    if sum(store.num_tokens[doc_id] for doc_id in example.doc_ids) < min_tokens:
        return f"documents with fewer than {min_tokens} tokens"
    return ""


def example_kind(example: Example, store: DocumentStore) -> str:
    """Return the category of an example's documents and its task, as in 'book/speech'; 'none/short' without any."""
    return f"{store.categories[example.doc_ids[0]] if example.doc_ids else 'none'}/{example.task}"


def draw_long(
    pools: Pools, num_rows: int, key: str, params: MixParams, planner: Planner, *, fill: bool
) -> tuple[dict[str, Plan], dict[str, int]]:
    """Draw the long rows of a split, by family, and return their plans and the quotas.

    Raises:
        InputError: There are too few; it says how many each family lacks and how many of each kind there are.
    """
    quotas = share_rows(num_rows, params.families)
    plans, lacking = draw(pools, quotas, planner, fill=fill)
    if lacking:
        missing = ", ".join(f"{count} of {name}" for name, count in sorted(lacking.items()))
        kinds = (
            ", ".join(f"{count} {kind} ({pools.family_by_kind[kind]})" for kind, count in pools.found.items()) or "none"
        )
        raise InputError(
            f"section 'mix', key '{key}'",
            found=f"{len(plans)} examples; missing {missing}; there are {kinds}; {list_rejections(planner.refused)}",
            expected=f"{num_rows}",
            fix=f"Add documents, ask more of each (section 'ask'), set mix.fill_families, or set mix.{key} to "
            f"{len(plans)} or less.",
        )
    return plans, quotas


def draw_short(folder: Path, num_rows: int, planner: Planner) -> dict[str, Plan]:
    """Take the first short examples, which `short` has put in an order of variety.

    Raises:
        InputError: There are too few.
    """
    plans: dict[str, Plan] = {}
    found = 0
    for example in read_examples(folder, "examples*.parquet"):
        found += 1
        if len(plans) < num_rows and (plan := planner.plan(example)):
            plans[example.example_id] = plan
    if len(plans) < num_rows:
        raise InputError(
            "section 'mix', key 'num_short'",
            found=f"{len(plans)} examples that can be used of {found}",
            expected=f"{num_rows}",
            fix=f"Name a larger short.source, or set mix.num_short to {len(plans)} or less.",
        )
    return plans


def rows_from_plans(plans: Iterable[Plan], store: DocumentStore) -> Iterator[dict[str, MixedExample]]:
    """Yield the dataset row of each plan in every edition that has it."""
    for plan in plans:
        documents = [store[doc_id] for doc_id in plan.example.doc_ids]
        rows = {}
        for edition, spans in plan.spans.items():
            instruction, material = write_instruction(plan.example, list(zip(documents, spans, strict=True)))
            rows[edition] = MixedExample(
                instruction, plan.example.answer, plan.num_tokens[edition], material, plan.example
            )
        yield rows


def run(params: MixParams, *, documents: Path, long: Path, short: Path, out: Path) -> None:
    """Write the dataset: JSON in the original's format, Parquet with provenance, and the card."""
    store = DocumentStore(documents)
    planner = Planner(params, store)
    related = Distractors(store, params.distractors, params.max_tokens, params.seed)
    examples = map(related.add, read_examples(long, "examples*.parquet"))
    parts = group_long(examples, store, params.min_tokens, planner.refused)
    pools = {split: Pools(examples, params.families, params.seed) for split, examples in parts.items()}
    longs, quotas = draw_long(pools["train"], params.num_long, "num_long", params, planner, fill=params.fill_families)
    tests, _ = draw_long(pools["test"], params.num_test, "num_test", params, planner, fill=True)
    shorts = draw_short(short, params.num_short, planner)
    in_order = partial(sorted, key=lambda plan: order_key(params.seed, plan.example.example_id))
    plans = {"train": in_order([*longs.values(), *shorts.values()]), "test": in_order(tests.values())}
    with replacing(out) as beside:
        beside.mkdir()
        counts = {edition: {split: Counts() for split in plans} for edition in planner.limits}
        for split, of_split in plans.items():
            progress = tqdm(of_split, desc=f"mix {split}", unit=" rows", disable=None)
            write_edition(beside, split, rows_from_plans(progress, store), counts, MAIN, store)
        report = build_report(params, planner, counts, quotas, pools["train"])
        report["doubts"] = read_doubts(long)
        write_json(beside / "report.json", report)
        write_preview(beside / "preview.html", beside, store)
        write_card(beside / "README.md", report)
        write_croissant(beside / "croissant.json", beside, report)
    log.info(
        "mix: %d long and %d short training rows and %d test rows in %s, %s",
        len(longs), len(shorts), len(tests), out, list_rejections(planner.refused),
    )  # fmt: skip


def read_doubts(examples: Path) -> dict[str, Any]:
    """Return how many examples were in doubt, and what became of them; empty if nobody counted."""
    file = examples / "doubts.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def public_name(tokenizer: str) -> str:
    """Return the name of a tokenizer for the card: of a local folder, only its last part."""
    return Path(tokenizer).name if Path(tokenizer).is_absolute() else tokenizer


def build_report(
    params: MixParams, planner: Planner, counts: dict[str, dict[str, Counts]], quotas: dict[str, int], pools: Pools
) -> dict[str, Any]:
    """Gather all counts."""
    main = {split: of_split.as_dict() for split, of_split in counts[MAIN].items()}
    families = {name: {"target": quota, "rows": 0} for name, quota in quotas.items()}
    for kind, number in main["train"]["kinds"].items():
        if kind in pools.family_by_kind:
            families.setdefault(pools.family_by_kind[kind], {"target": 0, "rows": 0})["rows"] += number
    unknown = sum(n for split in main.values() for licence, n in split["licences"].items() if is_unknown(licence))
    return {
        **main,
        "editions": {
            edition: {
                "max_tokens": limit,
                "left_out": dict(planner.left_out[edition]),
                **{split: of_split.as_dict() for split, of_split in counts[edition].items()},
            }
            for edition, limit in planner.limits.items()
        },
        "families": families,
        "candidates": pools.found,
        "refused": dict(planner.refused),
        "rows_of_unknown_licence": unknown,
        "parameters": {**params.model_dump(), "tokenizer": public_name(params.tokenizer)},
    }


if __name__ == "__main__":
    run_stage(run)
