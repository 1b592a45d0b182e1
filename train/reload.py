"""Load a plain model in a new process and compare its logits with the expected ones.

    python -m train.reload MODEL EXPECTED

EXPECTED is a safetensors file with `tokens` and their expected `logits`. Prints as JSON the largest difference of a
logit, and the perplexity of the tokens by the expected logits and by the loaded model.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import AutoModelForCausalLM


def compare_in_new_process(model: Path, tokens_BT: Tensor, logits_BTV: Tensor) -> dict[str, float]:
    """Return what a new process measures of the model in a folder: see `compare_logits`.

    Raises:
        RuntimeError: It cannot load the model.
    """
    with TemporaryDirectory() as folder:
        expected = Path(folder) / "expected.safetensors"
        save_file({"tokens": tokens_BT, "logits": logits_BTV.contiguous()}, expected)
        done = subprocess.run(
            [sys.executable, "-m", "train.reload", str(model), str(expected)],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"the written model cannot be loaded again: {done.stderr[-2_000:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def compare_logits(model: Path, expected: Path) -> dict[str, float]:
    """Return the largest difference of a logit, and both perplexities."""
    content = load_file(expected)
    loaded = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32, use_safetensors=True).eval()
    with torch.no_grad():
        logits_BTV = loaded(input_ids=content["tokens"]).logits
    return {
        "logit_difference": float((logits_BTV - content["logits"]).abs().max()),
        "perplexity": compute_perplexity(logits_BTV, content["tokens"]),
        "expected_perplexity": compute_perplexity(content["logits"], content["tokens"]),
    }


def compute_perplexity(logits_BTV: Tensor, tokens_BT: Tensor) -> float:
    """Return the perplexity of tokens by the logits of those before them."""
    return float(cross_entropy(logits_BTV[0, :-1].double(), tokens_BT[0, 1:]).exp())


if __name__ == "__main__":
    sys.stdout.write(json.dumps(compare_logits(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
