"""Rows of tokens on disk: the same however many processes make them, made once, and whole or not there."""

import os

import datasets
import numpy as np
import pytest

import train.data.token_cache
from pipeline.errors import InputError
from train.data.token_cache import PARTS_PER_WORKER, TOKENS, count_row_tokens, discard_rows, generate_rows, prepare_rows

FEATURES = datasets.Features({"made_by": datasets.Value("int64"), "input_ids": TOKENS})


def rows(numbers):
    """Yield a row of as many tokens as each number says, which must not be negative."""
    for number in numbers:
        if number < 0:
            raise InputError("numbers", found=str(number), expected="a length", fix="Fix it.")
        yield {"made_by": os.getpid(), "input_ids": np.arange(number, dtype=np.int32)}


def make(cache, numbers, num_parts):
    return generate_rows(rows, FEATURES, str(cache), num_parts, numbers=numbers)


def test_rows_are_the_same_however_many_processes_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr(train.data.token_cache, "count_cores", lambda: 3)
    numbers = list(range(70, 0, -1))
    one = make(tmp_path / "one", numbers, 1)
    many = make(tmp_path / "many", numbers, PARTS_PER_WORKER * 5)
    assert set(one["made_by"]) == {os.getpid()}
    assert len({*many["made_by"]} - {os.getpid()}) == 3
    assert count_row_tokens(one) == count_row_tokens(many) == numbers
    assert one["input_ids"][:] == many["input_ids"][:] == [list(range(number)) for number in numbers]
    assert one.features["input_ids"] == TOKENS


def test_a_fault_of_the_input_is_told_as_such(tmp_path):
    with pytest.raises(InputError, match="numbers: found -1"):
        make(tmp_path, [1, -1], 1)


def test_what_an_interrupted_run_left_is_made_again(tmp_path):
    calls = []

    def made(cache):
        calls.append(cache)
        return make(cache, [len(calls)], 1)

    (tmp_path / "rows-0/train").mkdir(parents=True)
    (tmp_path / "rows-0/train/data-00000-of-00001.arrow").write_bytes(b"half of it")
    assert count_row_tokens(prepare_rows(tmp_path, "train", made)) == [1]
    assert count_row_tokens(prepare_rows(tmp_path, "train", made)) == [2]
    assert [path.name for path in (tmp_path / "rows-0").iterdir()] == ["train"]
    discard_rows(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_machines_that_share_a_disk_keep_out_of_each_others_way(tmp_path, monkeypatch):
    found = {}
    for number in ("0", "1"):
        monkeypatch.setenv("GROUP_RANK", number)
        found[number] = prepare_rows(tmp_path, "train", lambda cache, number=number: make(cache, [int(number)], 1))
    discard_rows(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["rows-0"]
    assert {number: count_row_tokens(rows) for number, rows in found.items()} == {"0": [0], "1": [1]}
