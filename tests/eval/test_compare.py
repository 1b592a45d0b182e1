"""Runs are compared by the records that they share, and only where these are about the same thing."""

import json
import subprocess
from pathlib import Path

import pytest

from eval.compare import main

NUM_TRIALS = 20


def write_run(folder: Path, num_found: int, *, seed: str = "1", protocol: str = "per_doc", shift: float = 0.0) -> Path:
    """Write the measures of a run: pass keys of which some are found, and the losses of four documents."""
    trials = [
        {"model": model, "length": 64, "depth": number / NUM_TRIALS, "key": f"{seed}{number:03}",
         "found": model == "base" or number < num_found}
        for model in ("base", "tuned")
        for number in range(NUM_TRIALS)
    ]  # fmt: skip
    losses = [
        {"model": "tuned", "doc_id": f"{number}", "length": 128, "nll": 2.0 + number + shift * (1 + number % 2)}
        for number in range(4)
    ]
    files = {"passkey/trials.jsonl": trials, "perplexity/documents.jsonl": losses}
    for name, rows in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "passkey" / "metrics.json").write_text("{}")
    (folder / "perplexity" / "metrics.json").write_text(json.dumps({"protocol": protocol}))
    return folder


def compare(capsys, *arguments: object) -> list[list[str]]:
    """Return the cells of each row of the table, without its head."""
    main([str(argument) for argument in arguments])
    lines = capsys.readouterr().out.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_shares_and_losses_stand_side_by_side_with_intervals(tmp_path, capsys):
    one, other = write_run(tmp_path / "one", 10), write_run(tmp_path / "two" / "data", 18, shift=-0.5)
    rows = compare(capsys, one, tmp_path / "two", "--out", tmp_path / "found.json")
    assert [row[:3] for row in rows] == [
        ["perplexity", "128", str(one)], ["perplexity", "128", str(other.parent)],
        ["passkey", "64", str(one)], ["passkey", "64", str(other.parent)],
    ]  # fmt: skip
    assert rows[1][4].startswith("-0.750 [-")
    assert rows[2][3] == "0.500 [0.299, 0.701]"  # Wilson's interval of 10 of 20
    assert rows[3][3].startswith("0.900 [")
    assert rows[3][4].startswith("+0.400 [+")
    assert rows[3][5] == "0.016"  # McNemar of 8 and 0, 0.0078, by Holm's correction over two
    assert [row[7] for row in rows] == ["4", "4", "20", "20"]
    found = json.loads((tmp_path / "found.json").read_text())
    assert found[3]["difference"]["value"] == pytest.approx(0.4)


def test_the_base_model_is_compared_where_it_is_asked_for(tmp_path, capsys):
    one, other = write_run(tmp_path / "one", 10), write_run(tmp_path / "two", 18)
    rows = compare(capsys, one, other, "--model", "base")
    assert [row[4] for row in rows if row[0] == "passkey"] == ["", "+0.000 [-0.161, +0.161]"]


def test_records_that_one_run_lacks_are_left_out_and_counted(tmp_path, capsys):
    one, other = write_run(tmp_path / "one", 10), write_run(tmp_path / "two", 10)
    lines = (other / "passkey" / "trials.jsonl").read_text().splitlines(keepends=True)
    (other / "passkey" / "trials.jsonl").write_text("".join(lines[:-3]))
    row = compare(capsys, one, other)[-1]
    assert (row[7], row[8]) == ("17", "3")


def test_other_trials_and_other_protocols_are_not_compared(tmp_path, capsys):
    one, other = write_run(tmp_path / "one", 10), write_run(tmp_path / "two", 18, seed="2", protocol="sliding")
    rows = compare(capsys, one, other)
    assert rows[1][4] == "not comparable: another protocol"
    assert rows[3][4] == "not comparable: nothing in common"


def test_a_folder_without_measures_is_an_error_for_the_user(tmp_path, capsys):
    one = write_run(tmp_path / "one", 10)
    with pytest.raises(SystemExit) as stopped:
        main([str(one), str(tmp_path)])
    assert stopped.value.code == 2
    assert "no records of any measure" in capsys.readouterr().err


@pytest.mark.slow
def test_a_revision_is_taken_from_the_cache_of_dvc(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_NO_ANALYTICS", "1")
    write_run(tmp_path / "data", 10)
    name = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (
        ["git", "init", "-q"], ["dvc", "init", "-q"], ["dvc", "add", "-q", "data/passkey", "data/perplexity"],
        ["git", "add", "-A"], ["git", *name, "commit", "-qm", "First"],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    write_run(tmp_path / "later", 18)
    rows = compare(capsys, "HEAD", "later")
    assert [row[:3] for row in rows if row[0] == "passkey"] == [["passkey", "64", "HEAD"], ["passkey", "64", "later"]]
    with pytest.raises(SystemExit):
        main(["no-such-revision", "later"])
    assert "no-such-revision" in capsys.readouterr().err
