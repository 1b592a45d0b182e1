"""The benchmark of the attention: what it measures, and what it says where it cannot."""

import json

import pytest

from train.bench import main
from train.benchmarks.attention import METHODS, measure_attention, reason_not_measurable
from train.benchmarks.measuring import Case


def make_case(method, **changes):
    sizes = {"num_tokens": 64, "group_size": 16, "num_heads": 4, "num_kv_heads": 2, "head_size": 8}
    how = {"dtype": "float32", "device": "cpu", "num_threads": 1, "num_repeats": 1}
    return Case(method=method, **(sizes | how | changes))


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (make_case("full"), ""),
        (make_case("s2 sdpa", num_tokens=61), ""),
        (make_case("roll and regroup", num_tokens=61), "the tokens are not a multiple of the group"),
        (make_case("s2 flex"), "needs CUDA"),
        (make_case("s2 flash"), "needs CUDA"),
    ],
)
def test_a_case_that_cannot_be_measured_says_why(case, reason):
    assert reason_not_measurable(case) == reason


@pytest.mark.parametrize("method", ["full", "roll and regroup", "s2 sdpa"])
def test_what_is_measured_can_be_differentiated(method):
    figures = measure_attention(make_case(method), what="time")
    assert set(figures) == {"forward_ms", "forward_backward_ms"}
    assert figures["forward_ms"] > 0
    assert measure_attention(make_case(method), what="peak").keys() == {"peak_mb"}


@pytest.mark.long
def test_the_benchmark_writes_every_row_measured_or_not(tmp_path):
    main(["attention", "--lengths", "64", "--heads", "2:1", "--repeats", "1", "--threads", "1", "--out", str(tmp_path)])
    content = json.loads((tmp_path / "attention.json").read_text())
    (table,) = content["tables"]
    rows = [dict(zip(table["header"], row, strict=True)) for row in table["rows"]]
    assert [row["attention"] for row in rows] == list(METHODS)
    assert [bool(row["not measured"]) for row in rows] == [row["forward, ms"] is None for row in rows]
    assert "torch" in content["conditions"]["versions"]


def test_a_gpu_that_is_not_there_is_a_fault_of_the_input(tmp_path, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(["attention", "--device", "cuda", "--out", str(tmp_path)])
    assert exit_.value.code == 2
    assert "Use --device cpu" in capsys.readouterr().err
