"""The comparison of methods: what it averages and pairs, what it goes on from, and that it runs."""

import json

import pytest
import torch

from eval.ablation import (
    DTYPE,
    METHODS,
    choose_rates,
    find_minimum,
    main,
    make_params,
    mean_by_part,
    parser,
    train_and_measure,
)
from eval.ablation_tables import COMPARISONS, differences_table, document_means, parts_table, results_table
from pipeline.errors import InputError
from pipeline.records import Document
from pipeline.storage.parquet import write_documents
from train.trainer.precision import choose_dtype, with_dtype_here

SENTENCE = "The fox sat on the wall and the hound slept. "
PATHS = ["--model", "model", "--documents", "documents", "--out", "out"]


def test_a_document_counts_once_however_many_windows_and_seeds_it_has():
    first, second = {"a": [[1.0], [3.0]], "b": [[5.0], [5.0]]}, {"a": [[2.0], [4.0]], "b": [[7.0], [7.0]]}
    assert document_means([first]) == [2.0, 5.0]
    assert document_means([first, second]) == [2.5, 6.0]


def test_methods_are_paired_by_document_and_only_those_that_ran():
    runs = {"LoRA+": [{"a": [[1.0]], "b": [[2.0]]}], "LoRA": [{"a": [[2.0]], "b": [[4.0]]}]}
    (row,) = differences_table(runs).rows
    assert row[:2] == ("LoRA+ - LoRA", pytest.approx(-1.5))
    assert row[2] <= -1.5 <= row[3]
    assert row[4:6] == (2, 0.5)
    assert row[-3:] == (None, None, "-1.5000")
    seeds = [{"a": [[1.0]], "b": [[2.0]]}, {"a": [[3.0]], "b": [[4.0]]}]
    (row,) = differences_table({"LoRA+": seeds, "LoRA": [seeds[0], seeds[0]]}).rows
    assert row[-3:] == (pytest.approx(2**0.5), 0.0, "+0.0000, +2.0000")


def test_the_spread_of_seeds_is_none_for_one():
    runs = {"LoRA": [{"a": [[2.0]]}, {"a": [[4.0]]}], "LoRA+": [{"a": [[1.0]]}]}
    rows = {
        row[0]: row
        for row in results_table(
            runs, {"LoRA": {"learning_rate": 1e-3}, "LoRA+": {"learning_rate": 1e-4}}, {"as it is": {"a": [[3.0]]}}
        ).rows
    }
    assert rows["LoRA"][3:] == (3.0, pytest.approx(20.0855, abs=1e-3), pytest.approx(2**0.5))
    assert rows["LoRA+"][5] is None
    assert rows["untrained, as it is"][3] == 3.0


def test_parts_of_windows_are_averaged_over_documents_and_seeds():
    runs = {"LoRA": [{"a": [[1.0, 5.0], [3.0, 7.0]], "b": [[4.0, 2.0]]}, {"a": [[2.0, 6.0]], "b": [[8.0, 4.0]]}]}
    assert parts_table(runs).rows == (("LoRA", 4.0, 4.5),)


def test_a_window_is_told_apart_from_its_beginning_on():
    assert mean_by_part(torch.arange(8.0)) == [0.5, 2.5, 4.5, 6.5]


def test_given_rates_take_the_place_of_pilot_runs():
    words = ["--rates", "lora=8e-3", "lora+=2e-3,8e-4", "full-fine-tuning=4e-4"]
    options = parser().parse_args([*PATHS, *words])
    rates = {method.name: choose_rates(method, options) for method in METHODS}
    assert (rates["LoRA"], rates["full fine-tuning"]) == ({"learning_rate": 8e-3}, {"learning_rate": 4e-4})
    assert rates["LoRA+"] == {"learning_rate": 2e-3, "embedding_learning_rate": 8e-4}
    assert rates["LoRA+, S2-Attn, G = L/4"] == rates["LoRA+, S2-Attn, G = L/2"] == rates["LoRA+"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("lora+=2e-3", "expected lora+=, and numbers for learning_rate, embedding_learning_rate"),
        ("lora=2e-3,1e-3", "expected lora=, and numbers for learning_rate"),
        ("lora=fast", "expected lora=, and numbers for learning_rate"),
        ("dora=1e-3", "found no method 'dora'"),
        ("lora+-s2-in-halves=1e-3,1e-3", "found no method 'lora+-s2-in-halves' with rates of its own"),
    ],
)
def test_rates_that_no_method_has_are_one_line(capsys, word, said):
    with pytest.raises(SystemExit) as exit_:
        parser().parse_args([*PATHS, "--rates", word])
    assert exit_.value.code == 2
    assert said in capsys.readouterr().err


def test_a_run_of_other_parameters_is_not_taken_for_this_one(tmp_path):
    options = parser().parse_args([*PATHS[:4], "--out", str(tmp_path)])
    params = make_params(METHODS[0], {"learning_rate": 1e-3}, 10, 11, options)
    stored = {"params": with_dtype_here(params).model_dump(mode="json"), "held_out": {"a": [[1.0]] * 3}}
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/lora-11.json").write_text(json.dumps(stored))
    assert train_and_measure("lora-11", params, options) == stored
    longer = params.model_copy(update={"num_steps": 20})
    with pytest.raises(InputError, match=r"lora-11\.json: found a run with num_steps 10; expected num_steps 20\. Give"):
        train_and_measure("lora-11", longer, options)
    options.windows = 2
    with pytest.raises(InputError, match="found a run with windows 3; expected windows 2"):
        train_and_measure("lora-11", params, options)


def test_documents_that_are_too_short_are_told_before_any_training(tmp_path, tiny_model, capsys):
    write_documents(tmp_path / "documents/0.parquet", [Document("1", "book", "1.txt", text=SENTENCE, split="test")])
    words = ["--model", str(tiny_model), "--documents", str(tmp_path / "documents"), "--out", str(tmp_path / "out")]
    with pytest.raises(SystemExit) as exit_:
        main([*words, "--length", "64"])
    assert exit_.value.code == 2
    assert "found no held-out document" in capsys.readouterr().err
    assert not (tmp_path / "out/runs").exists()


def test_rows_are_cut_into_the_groups_of_a_method():
    options = parser().parse_args([*PATHS, "--length", "1024"])
    rates = {"learning_rate": 1e-3}
    sizes = {method.name: make_params(method, rates, 1, 1, options).group_size for method in METHODS}
    assert sizes["LoRA+"] is None
    assert (sizes["LoRA+, S2-Attn, G = L/4"], sizes["LoRA+, S2-Attn, G = L/2"]) == (256, 512)


@pytest.mark.parametrize(("words", "factor"), [((), 8.0), (("--factor", "2"), 2.0)])
def test_positions_are_divided_by_8_or_what_is_told(words, factor):
    options = parser().parse_args([*PATHS, *words])
    assert make_params(METHODS[0], {"learning_rate": 1e-3}, 1, 1, options).rope.factor == factor


@pytest.mark.parametrize("best", [-5, -1, 0, 3])
def test_rates_are_searched_until_both_neighbours_are_worse(best):
    tried = []
    assert find_minimum(lambda power: tried.append(power) or float(abs(power - best))) == best
    assert {best - 1, best, best + 1} <= set(tried)


def test_every_method_has_a_name_for_files():
    assert len({method.key for method in METHODS}) == len(METHODS)


@pytest.mark.long
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
    assert {json.loads(file.read_text())["params"]["dtype"] for file in before} == {choose_dtype(DTYPE)}
    assert content["conditions"]["computed in"] == choose_dtype(DTYPE)
    first, second, third = content["tables"]
    assert [row[0] for row in first["rows"]][2:] == [method.name for method in METHODS]
    assert len(second["rows"]) == len(COMPARISONS)
    assert [row[0] for row in third["rows"]] == [method.name for method in METHODS]
