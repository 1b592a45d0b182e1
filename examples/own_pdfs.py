"""Make a dataset of your own PDFs with a model behind an endpoint: find, read, select, ask, verify, mix.

    python examples/own_pdfs.py ~/reports http://127.0.0.1:8000/v1 Qwen/Qwen3-32B data/own

Reads   FOLDER                       PDFs, at any depth
Writes  OUT/mix/LongAlpaca-12k.json  the rows, and beside it Parquet files with evidence, a card and a preview
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

STAGES = (  # each with the folders below OUT that its options name
    ("fetch", {"sources": "sources.yaml"}),
    ("extract", {"documents": "fetch"}),
    ("curate", {"documents": "extract"}),
    ("ask", {"documents": "curate", "known": "known.jsonl"}),
    ("verify", {"documents": "curate", "examples": "ask"}),
    ("contamination", {"documents": "curate", "examples": "verify"}),
    ("short", {}),
    ("mix", {"documents": "contamination/documents", "long": "contamination/examples", "short": "short"}),
)


def main() -> None:
    """Run the stages one after another; each goes on where it was interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("base_url", help="of an OpenAI-compatible server, as http://127.0.0.1:8000/v1")
    parser.add_argument("model", help="the server's name of the model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--num-long", type=int, default=20, help="rows about documents")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out / "sources.yaml", list_sources(options.folder))
    write(options.out / "params.yaml", change_params(options))
    (options.out / "known.jsonl").touch()  # questions with answers that you have already, one a line
    for stage, inputs in STAGES:
        run(stage, inputs, options.out)


def list_sources(folder: Path) -> list[dict[str, str]]:
    """Return the entries of a sources file; name the licence of your documents if you want to publish the dataset."""
    return [{"glob": f"{folder.resolve()}/**/*.pdf", "category": "report", "licence": "unknown"}]


def change_params(options: argparse.Namespace) -> dict[str, Any]:
    """Return the project's parameters with what this example sets."""
    params: dict[str, Any] = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
    endpoint = {"base_url": options.base_url, "model": options.model}
    params["ask"] |= {"teacher": "endpoint", "endpoint": params["ask"]["endpoint"] | endpoint}
    params["verify"]["endpoint"] |= endpoint
    params["curate"] |= {"min_tokens": 500, "test_fraction": 0.34}
    params["mix"] |= {"num_long": options.num_long, "num_short": options.num_long // 3, "num_test": 1}
    params["mix"] |= {"min_tokens": 500, "editions": {}}
    return params


def write(path: Path, content: Any) -> None:
    """Write a YAML file."""
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def run(stage: str, inputs: dict[str, str], out: Path) -> None:
    """Run a stage; its fault is its own line on stderr, and ends this run."""
    paths = {name: out / path for name, path in inputs.items()} | {"out": out / stage, "params": out / "params.yaml"}
    words = [word for name, path in paths.items() for word in (f"--{name}", str(path))]
    done = subprocess.run([sys.executable, "-m", f"pipeline.{stage}", *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
