"""Compare training methods and attentions on a small model that has to learn new positions.

    longalpaca methods --model data/models/smollm2-135m/base --documents data/curate --out data/methods

Positions are divided by a factor, by default 8, so the model behaves like one of an eighth of its context and has to
learn distances again. Each method continues pre-training by stage `extend` on the same rows in the same order, from
three seeds, at a given learning rate or the best one of pilot runs on another seed. The result is measured with full
attention on windows of held-out documents. Writes OUT/methods.json, OUT/methods.md, and OUT/runs/*.json, from which an
interrupted comparison resumes.

Source: LongLoRA (arXiv 2309.12307), Tables 1, 2 and 7, which compare these methods on Llama-2-7B.
"""

import argparse
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch

from eval.ablation_tables import NUM_PARTS, Losses, Rates, differences_table, document_means, parts_table, results_table
from eval.scoring import load_model, load_tokenizer, score_tokens
from pipeline.cli import exit_on_input_error, log_to_stderr
from pipeline.errors import InputError
from pipeline.files import write_json
from pipeline.storage.parquet import read_documents
from pipeline.tables import Table, conditions, write_tables
from train.extend import ExtendParams
from train.extend import run as extend
from train.recipe import Dtype
from train.rope import ScaledRope
from train.trainer.precision import choose_dtype, with_dtype_here

DTYPE: Dtype = "bfloat16"
PILOT_SEED = 1
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj"]
EMBEDDING_AND_NORMS = ["embed_tokens", "norm", "input_layernorm", "post_attention_layernorm"]
LIBRARIES = ("torch", "transformers", "trl", "peft")
MIN_LENGTH = 8  # its quarters are groups of 2 tokens, the smallest

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Method:
    """What is trained, and with which attention."""

    name: str
    key: str  # on the command line and in file names
    changes: dict[str, Any]
    first: Rates  # the first ones tried; pilot runs search them one after the other, in this order
    same_rates_as: str = ""  # the method whose rates are used, without a search of its own
    num_groups: int = 1  # of a row, for S2-Attn; 1 is full attention


LORA = {"method": "lora", "lora_targets": PROJECTIONS, "fully_trained": []}
LORA_PLUS = {"method": "lora", "lora_targets": PROJECTIONS, "fully_trained": EMBEDDING_AND_NORMS}
FULL = {"method": "full", "lora_targets": [], "fully_trained": []}
METHODS = (
    Method("LoRA", "lora", LORA, {"learning_rate": 4e-3}),
    Method("LoRA+", "lora+", LORA_PLUS, {"learning_rate": 4e-3, "embedding_learning_rate": 4e-4}),
    Method("full fine-tuning", "full-fine-tuning", FULL, {"learning_rate": 4e-4}),
    Method("LoRA+, S2-Attn, G = L/4", "lora+-s2-in-quarters", LORA_PLUS, {}, same_rates_as="LoRA+", num_groups=4),
    Method("LoRA+, S2-Attn, G = L/2", "lora+-s2-in-halves", LORA_PLUS, {}, same_rates_as="LoRA+", num_groups=2),
)


def make_params(method: Method, rates: Rates, num_steps: int, seed: int, options: argparse.Namespace) -> ExtendParams:
    """Return the parameters of stage `extend` for a run."""
    changes: dict[str, Any] = {**method.changes, "embedding_learning_rate": None, **rates}
    return ExtendParams(
        **changes,
        lora_rank=8,
        lora_alpha=16,
        lora_dropout=0.0,
        max_length=options.length,
        group_size=options.length // method.num_groups if method.num_groups > 1 else None,
        rope=ScaledRope(type="linear", factor=options.factor),
        text_dataset=None,
        num_steps=num_steps,
        adam_beta2=0.95,
        optimizer="adamw",
        batch_size=1,
        accumulation_steps=1,
        sequence_parallel=1,
        warmup_steps=0,
        checkpointing="none",
        offload_activations=False,
        mlp_tile=None,
        dtype=DTYPE,
        save_steps=0,
        num_checkpoints=1,
        report_to="none",
        seed=seed,
    )


def train_and_measure(name: str, params: ExtendParams, options: argparse.Namespace) -> dict[str, Any]:
    """Train and measure, or return the stored result of that name.

    Raises:
        InputError: The stored result is of a run with other parameters.
    """
    file = options.out / "runs" / f"{name}.json"
    given = with_dtype_here(params).model_dump(mode="json")
    if not file.is_file():
        with TemporaryDirectory(dir=options.out) as folder:
            out = Path(folder) / "extended"
            extend(params, model=options.model, documents=options.documents, out=out)
            steps = [json.loads(line)["loss"] for line in (out / "log.jsonl").read_text().splitlines()]
            result = {"params": given, "training": steps, "held_out": measure_held_out(out, options)}
        file.parent.mkdir(parents=True, exist_ok=True)
        write_json(file, result)
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    found = content["params"] | {"windows": max(map(len, content["held_out"].values()))}
    expected = given | {"windows": options.windows}
    if other := [key for key in sorted(expected) if found.get(key) != expected[key]]:
        raise InputError(
            file,
            found="a run with " + ", ".join(f"{key} {found.get(key)}" for key in other),
            expected=", ".join(f"{key} {expected[key]}" for key in other),
            fix="Give another folder with --out, or remove the file.",
        )
    return content


def measure_held_out(model: Path, options: argparse.Namespace) -> Losses:
    """Return the losses of each held-out document's windows, with full attention."""
    scored = load_model(model, DTYPE)
    return {
        doc_id: [mean_by_part(score_tokens(scored, ids_BT)[0][0]) for ids_BT in windows]
        for doc_id, windows in cut_windows(options)
    }


def mean_by_part(losses: torch.Tensor) -> list[float]:
    """Return the mean loss of each part of a window, in order; `losses` has one value per token."""
    return [float(part.mean()) for part in losses.tensor_split(NUM_PARTS)]


def cut_windows(options: argparse.Namespace) -> Iterator[tuple[str, list[torch.Tensor]]]:
    """Yield each held-out document that is long enough, with windows of equal length spread evenly over it."""
    tokenizer = load_tokenizer(options.model)
    for document in read_documents(options.documents):
        if document.split != "test" or document.error:
            continue
        ids = torch.tensor(tokenizer(document.text, add_special_tokens=False, verbose=False)["input_ids"])
        if len(ids) >= options.windows * options.length:
            starts = np.linspace(0, len(ids) - options.length, options.windows).astype(int)
            yield document.doc_id, [ids[None, start : start + options.length] for start in starts]


def choose_rates(method: Method, options: argparse.Namespace) -> Rates:
    """Return a method's learning rates: those of the command line, or the best of pilot runs.

    A method with `same_rates_as` uses those of that method.
    """
    owner = next((other for other in METHODS if other.name == method.same_rates_as), method)
    return dict(options.rates).get(owner.key) or search_rates(owner, options)


def search_rates(method: Method, options: argparse.Namespace) -> Rates:
    """Return the rates at which the second half of a pilot run had the lowest training loss.

    Each rate is doubled and halved, with the others fixed, until the best lies between two worse ones.
    """
    rates = method.first
    for key in method.first:
        rates = search_rate(method, rates, key, options)
    return rates


def search_rate(method: Method, rates: Rates, key: str, options: argparse.Namespace) -> Rates:
    """Return `rates` with the best value of one of them."""

    def scaled(power: int) -> Rates:
        return {**rates, key: rates[key] * 2.0**power}

    return scaled(find_minimum(lambda power: run_pilot(method, scaled(power), options)))


def run_pilot(method: Method, rates: Rates, options: argparse.Namespace) -> float:
    """Return the mean training loss over the second half of a pilot run."""
    params = make_params(method, rates, options.pilot_steps, PILOT_SEED, options)
    said = "-".join(f"{rate:.1e}" for rate in rates.values())
    steps = train_and_measure(f"pilot-{method.key}-{said}", params, options)["training"]
    mean = float(np.mean(steps[len(steps) // 2 :]))
    log.info("%s, a pilot run at %s: %.4f", method.name, said, mean)
    return mean


def find_minimum(loss: Callable[[int], float]) -> int:
    """Return an integer at which `loss` is lower than at both neighbours, found by descending from 0."""
    losses = {power: loss(power) for power in (-1, 0, 1)}
    while (best := min(losses, key=losses.__getitem__)) in (min(losses), max(losses)):
        step = 1 if best == max(losses) else -1
        losses[best + step] = loss(best + step)
    return best


def compare(options: argparse.Namespace) -> tuple[Table, ...]:
    """Train with every method from every seed; return the tables.

    Seeds are the outer loop, so that an interrupted comparison has the same seeds for all methods.

    Raises:
        InputError: No held-out document is long enough, or OUT holds a run with other parameters.
    """
    if next(cut_windows(options), None) is None:
        raise InputError(
            options.documents,
            found="no held-out document that is long enough for the windows",
            expected=f"documents of split test with {options.windows * options.length} tokens and more",
            fix="Give shorter --length, fewer --windows or other documents.",
        )
    methods = [method for method in METHODS if method.key in options.methods]
    rates = {method.name: choose_rates(method, options) for method in methods}
    runs: dict[str, list[Losses]] = {method.name: [] for method in methods}
    for seed in options.seeds:
        for method in methods:
            params = make_params(method, rates[method.name], options.steps, seed, options)
            runs[method.name].append(train_and_measure(f"{method.key}-{seed}", params, options)["held_out"])
            log.info(
                "%s, seed %d: %.4f", method.name, seed, float(np.mean(list(document_means(runs[method.name][-1:]))))
            )
    return results_table(runs, rates, measure_untrained(options)), differences_table(runs), parts_table(runs)


def measure_untrained(options: argparse.Namespace) -> dict[str, Losses]:
    """Return the losses of the untrained model, with its own and with interpolated positions."""
    still = METHODS[0]
    params = make_params(still, {"learning_rate": 0.0}, 1, PILOT_SEED, options)
    interpolated = train_and_measure("untrained", params, options)["held_out"]
    return {"as it is": measure_held_out(options.model, options), f"positions / {options.factor:g}": interpolated}


def main(argv: Sequence[str] | None = None) -> None:
    """Run `longalpaca methods`."""
    options = parser().parse_args(argv)
    log_to_stderr()
    options.out.mkdir(parents=True, exist_ok=True)
    with exit_on_input_error("methods"):
        tables = compare(options)
    given = conditions(LIBRARIES) | {
        "tokens a step": options.length,
        "positions divided by": options.factor,
        "steps": options.steps,
        "seeds": options.seeds,
        "pilot steps": options.pilot_steps,
        "rates without pilot runs": dict(options.rates),
        "windows": options.windows,
        "computed in": choose_dtype(DTYPE),
    }
    log.info("%s", write_tables(options.out, "methods", given, tables))


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    own = argparse.ArgumentParser(
        prog="longalpaca methods", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    own.add_argument("--model", type=Path, required=True, metavar="PATH")
    own.add_argument("--documents", type=Path, required=True, metavar="PATH")
    own.add_argument("--length", type=parse_length, default=1_024, help="tokens in a row, one row a step")
    own.add_argument("--factor", type=parse_factor, default=8.0, help="divides positions")
    own.add_argument("--steps", type=int, default=100)
    own.add_argument("--pilot-steps", type=int, default=25)
    own.add_argument(
        "--rates",
        type=parse_rates,
        nargs="+",
        default=[],
        metavar="METHOD=RATE[,RATE OF THE EMBEDDING]",
        help="instead of the best of pilot runs",
    )
    names = [method.key for method in METHODS]
    own.add_argument("--methods", choices=names, nargs="+", default=names, metavar="NAME")
    own.add_argument("--windows", type=int, default=3, help="of each held-out document")
    own.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13])
    own.add_argument("--out", type=Path, required=True, metavar="DIR")
    return own


def parse_length(word: str) -> int:
    """Return a length of which a quarter is a group of S2-Attn."""
    if int(word) < MIN_LENGTH:
        raise argparse.ArgumentTypeError(f"found {word}; expected at least {MIN_LENGTH} tokens")
    return int(word)


def parse_factor(word: str) -> float:
    """Return a factor by which positions can be divided."""
    if not float(word) >= 1:
        raise argparse.ArgumentTypeError(f"found {word}; expected at least 1")
    return float(word)


def parse_rates(word: str) -> tuple[str, Rates]:
    """Read the rates of a method from a word of the command line."""
    name, _, numbers = word.partition("=")
    owners = {method.key: method for method in METHODS if method.first}
    if name not in owners:
        raise argparse.ArgumentTypeError(f"{word}: found no method {name!r} with rates of its own: {', '.join(owners)}")
    keys = list(owners[name].first)
    try:
        return name, dict(zip(keys, map(float, numbers.split(",")), strict=True))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word}: expected {name}=, and numbers for {', '.join(keys)}") from None


if __name__ == "__main__":
    main()
