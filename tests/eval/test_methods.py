"""The comparison of methods: what it averages and pairs, what it goes on from, and that it runs."""

import json

import pytest
import torch

from eval.methods import (
    COMPARISONS,
    DTYPE,
    METHODS,
    by_document,
    by_part,
    differences,
    lowest,
    main,
    mean_of_parts,
    params_of,
    parser,
    rates_of,
    results,
    slug,
)
from pipeline.records import Document, write_documents
from train.precision import computed_in

SENTENCE = "The fox sat on the wall and the hound slept. "
PATHS = ["--model", "model", "--documents", "documents", "--out", "out"]


def test_a_document_counts_once_however_many_windows_and_seeds_it_has():
    first, second = {"a": [[1.0], [3.0]], "b": [[5.0], [5.0]]}, {"a": [[2.0], [4.0]], "b": [[7.0], [7.0]]}
    assert by_document([first]) == [2.0, 5.0]
    assert by_document([first, second]) == [2.5, 6.0]


def test_methods_are_paired_by_document_and_only_those_that_ran():
    runs = {"LoRA+": [{"a": [[1.0]], "b": [[2.0]]}], "LoRA": [{"a": [[2.0]], "b": [[4.0]]}]}
    (row,) = differences(runs).rows
    assert row[:2] == ("LoRA+ - LoRA", pytest.approx(-1.5))
    assert row[2] <= -1.5 <= row[3]
    assert row[4] == "-1.5000"


def test_the_spread_of_seeds_is_none_for_one():
    runs = {"LoRA": [{"a": [[2.0]]}, {"a": [[4.0]]}], "LoRA+": [{"a": [[1.0]]}]}
    rows = {
        row[0]: row
        for row in results(
            runs, {"LoRA": {"learning_rate": 1e-3}, "LoRA+": {"learning_rate": 1e-4}}, {"as it is": {"a": [[3.0]]}}
        ).rows
    }
    assert rows["LoRA"][3:] == (3.0, pytest.approx(20.0855, abs=1e-3), pytest.approx(2**0.5))
    assert rows["LoRA+"][5] is None
    assert rows["untrained, as it is"][3] == 3.0


def test_parts_of_windows_are_averaged_over_documents_and_seeds():
    runs = {"LoRA": [{"a": [[1.0, 5.0], [3.0, 7.0]], "b": [[4.0, 2.0]]}, {"a": [[2.0, 6.0]], "b": [[8.0, 4.0]]}]}
    assert by_part(runs).rows == (("LoRA", 4.0, 4.5),)


def test_a_window_is_told_apart_from_its_beginning_on():
    assert mean_of_parts(torch.arange(8.0)) == [0.5, 2.5, 4.5, 6.5]


def test_a_given_rate_takes_the_place_of_pilot_runs():
    options = parser().parse_args([*PATHS, "--rate", "2e-3", "--embedding-rate", "8e-4"])
    rates = {method.name: rates_of(method, options) for method in METHODS}
    assert rates["LoRA"] == rates["full fine-tuning"] == {"learning_rate": 2e-3}
    assert rates["LoRA+"] == {"learning_rate": 2e-3, "embedding_learning_rate": 8e-4}
    assert rates["LoRA+, S2 in quarters"] == rates["LoRA+, S2 in halves"] == rates["LoRA+"]


def test_rows_are_cut_into_the_groups_of_a_method():
    options = parser().parse_args([*PATHS, "--length", "1024", "--rate", "1e-3"])
    sizes = {method.name: params_of(method, rates_of(method, options), 1, 1, options).group_size for method in METHODS}
    assert sizes["LoRA+"] is None
    assert (sizes["LoRA+, S2 in quarters"], sizes["LoRA+, S2 in halves"]) == (256, 512)


@pytest.mark.parametrize(("words", "factor"), [((), 8.0), (("--factor", "2"), 2.0)])
def test_positions_are_divided_by_8_or_what_is_told(words, factor):
    options = parser().parse_args([*PATHS, *words])
    assert params_of(METHODS[0], {"learning_rate": 1e-3}, 1, 1, options).rope.factor == factor


@pytest.mark.parametrize("best", [-5, -1, 0, 3])
def test_rates_are_searched_until_both_neighbours_are_worse(best):
    tried = []
    assert lowest(lambda power: tried.append(power) or float(abs(power - best))) == best
    assert {best - 1, best, best + 1} <= set(tried)


def test_every_method_has_a_name_for_files():
    assert len({slug(method) for method in METHODS}) == len(METHODS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.* is deprecated:FutureWarning")
def test_a_comparison_is_written_and_not_trained_twice(tmp_path, tiny_model):
    rows = [Document(f"{n}", "book", f"{n}.txt", text=SENTENCE * 60, split="train") for n in range(2)]
    rows += [Document(f"{n}", "book", f"{n}.txt", text=SENTENCE * 60, split="test") for n in range(2, 4)]
    write_documents(tmp_path / "documents/0.parquet", rows)
    sizes = ["--length", "64", "--steps", "2", "--pilot-steps", "2", "--windows", "2", "--seeds", "1"]
    words = ["--model", str(tiny_model), "--documents", str(tmp_path / "documents"), "--out", str(tmp_path / "out")]
    main([*words, *sizes])
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out/runs").iterdir()}
    assert len([file for file in before if not file.name.startswith("pilot")]) == len(METHODS) + 1
    main([*words, *sizes])
    assert before == {file: file.stat().st_mtime_ns for file in (tmp_path / "out/runs").iterdir()}
    content = json.loads((tmp_path / "out/methods.json").read_text())
    assert {json.loads(file.read_text())["params"]["dtype"] for file in before} == {computed_in(DTYPE)}
    assert content["conditions"]["computed in"] == computed_in(DTYPE)
    first, second, third = content["tables"]
    assert [row[0] for row in first["rows"]][2:] == [method.name for method in METHODS]
    assert len(second["rows"]) == len(COMPARISONS)
    assert [row[0] for row in third["rows"]] == [method.name for method in METHODS]
