"""Every stage runs by its name, alone, and a fault of the user's is one line and exit code 2."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import STAGES, main, run_stage


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(STAGES[name])
    with pytest.raises(SystemExit) as stopped:
        run_stage(module.run, ["--help"])
    printed = capsys.readouterr().out
    assert stopped.value.code == 0
    assert "Writes" in printed
    for option in ("params", *list(inspect.signature(module.run).parameters)[1:]):
        assert f"--{option.replace('_', '-')}" in printed


def test_the_command_lists_the_stages(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    printed = capsys.readouterr().out
    assert all(name in printed for name in STAGES)


def test_an_unknown_stage_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["extrakt"])
    assert stopped.value.code == 2
    assert "extrakt" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-m", "pipeline.verify", "--documents", "none", "--examples", "none"], "none: found no such folder"),
        (["-m", "pipeline.curate", "--documents", "none", "--params", "none.yaml"], "none.yaml: found no such file"),
    ],
)
def test_a_fault_is_one_line_on_stderr_and_exit_2(root: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    command = [sys.executable, *arguments, "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"longalpaca {arguments[1].split('.')[1]}: error: {words}")
    assert not (tmp_path / "out").exists()


def test_a_fault_of_our_own_keeps_its_traceback(tmp_path: Path) -> None:
    from pipeline.sample import SampleParams

    def run(params: SampleParams, *, out: Path) -> None:
        raise ZeroDivisionError

    run.__module__ = "pipeline.sample"
    params = tmp_path / "params.yaml"
    params.write_text("sample: {seed: 1}")
    with pytest.raises(ZeroDivisionError):
        run_stage(run, ["--out", str(tmp_path), "--params", str(params)])
