"""The example that makes a dataset of a folder of PDFs runs as it stands, against a scripted server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.benchmarks.scripted import MODEL, honest, scripted
from pipeline.sample import SampleParams
from pipeline.sample import run as make_sample


@pytest.mark.slow
def test_a_folder_of_pdfs_becomes_a_dataset(tmp_path: Path, root: Path) -> None:
    make_sample(SampleParams(seed=7), out=tmp_path / "sample")
    (tmp_path / "pdfs" / "deeper").mkdir(parents=True)
    for name in ("papers/*.pdf", "reports/outlook-201[23].pdf"):
        for path in sorted((tmp_path / "sample").glob(name))[:2]:
            path.rename(tmp_path / "pdfs" / "deeper" / path.name)
    with scripted(honest) as url:
        command = [sys.executable, "examples/own_pdfs.py", str(tmp_path / "pdfs"), url, MODEL, str(tmp_path / "own")]
        done = subprocess.run([*command, "--num-long", "6"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    rows = json.loads((tmp_path / "own" / "mix" / "LongAlpaca-12k.json").read_text())
    assert len(rows) == 6 + 2
    assert sum("Below is a report" in row["instruction"] for row in rows) == 6
    assert yaml.safe_load((tmp_path / "own" / "params.yaml").read_text())["ask"]["endpoint"]["model"] == MODEL
