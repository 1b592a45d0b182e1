"""Perplexity at 32,768 tokens of SmolLM2 stays below 3 GB: logits are computed in chunks."""

import subprocess
import sys
from pathlib import Path

import pytest

from train.base import BaseParams
from train.base import run as make_base

MAX_BYTES = 3e9
MEASURE = """
import resource, sys
from pathlib import Path
from eval.perplexity import ContextParams, PerplexityParams, run
base, documents, out = map(Path, sys.argv[1:])
params = PerplexityParams(
    protocol="per_doc", lengths=[32_768], num_documents=1, stride=256, max_windows=1,
    contexts=ContextParams(num_last=8, lengths=[]), num_resamples=10, dtype="bfloat16", seed=1,
)
run(params, base=base, tuned=base, documents=documents, out=out)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.long
def test_32k_tokens_of_smollm2_take_less_than_3_gb(tmp_path: Path, root: Path) -> None:
    make_base(BaseParams.load(root / "params.yaml"), out=tmp_path / "base")
    text = " ".join(f"Clerk {number} counted {number * 7} barrels near the harbour." for number in range(5_000))
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text(text)
    paths = [str(tmp_path / name) for name in ("base", "texts", "out")]
    done = subprocess.run([sys.executable, "-c", MEASURE, *paths], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout.split()[-1]) * 1024 < MAX_BYTES
