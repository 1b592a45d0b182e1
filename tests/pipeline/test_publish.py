"""Publishing and loading again, over HTTP to a server on the loopback, through the real libraries."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import huggingface_hub
import pytest
import yaml

from pipeline.errors import InputError
from pipeline.importing import ImportingParams
from pipeline.importing import run as import_rows
from pipeline.publish import PublishParams, run
from pipeline.records import Example, Material, MixedExample
from pipeline.storage.parquet import write_mixed
from tests.pipeline.hub_server import Hub

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content:DeprecationWarning")  # of huggingface_hub's use of httpx
TOKEN = "hf_" + "aBcD1234" * 4
PARAMS = PublishParams(
    branch="candidate",
    tag="v1",
    files={"dataset": ["README.md", "*.parquet", "LongAlpaca-*.json"], "model": ["README.md", "config.json"]},
    licences=["CC0-1.0", "Apache-2.0"],
)
CARD = """---
license: cc0-1.0
configs:
- config_name: default
  data_files:
  - {split: train, path: train-*.parquet}
  - {split: test, path: test-*.parquet}
---
# Rows
"""
LOAD = """
import sys
import datasets
from pipeline.storage.parquet import MIXED_SCHEMA
name, built, cache = sys.argv[1:]
there = datasets.load_dataset(name, cache_dir=cache + "/a")
files = {split: f"{built}/{split}-*.parquet" for split in ("train", "test")}
here = datasets.load_dataset("parquet", data_files=files, cache_dir=cache + "/b")
assert set(there) == {"train", "test"}
for split, rows in here.items():
    assert there[split].column_names == MIXED_SCHEMA.names, there[split].column_names
    for column in rows.column_names:
        assert there[split][column][:] == rows[column][:], column
streamed = list(datasets.load_dataset(name, split="train", streaming=True))
assert streamed == here["train"].to_list()
tagged = datasets.load_dataset(name, revision="v1", split="test", cache_dir=cache + "/c")
assert tagged.num_rows == here["test"].num_rows
print("equal")
"""


def row(number: int, **changes: object) -> MixedExample:
    example = Example(
        f"{number:016x}", "cell", f"What is {number}?", f"It is {number}.", ("d",), checks=("a",), licence="CC0-1.0"
    )
    text = f"Document {number} says much. " * 50
    return MixedExample(f"{text}{number}", "It is.", 9, (Material("d", 0, 9, 0),), replace(example, **changes))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    write_mixed(folder / "train-00000.parquet", [row(number) for number in range(20)])
    write_mixed(folder / "test-00000.parquet", [row(100)])
    (folder / "LongAlpaca-12k.json").write_text("[]\n")
    (folder / "README.md").write_text(CARD)
    (folder / "notes.txt").write_text("not for others")
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        yield server


@pytest.fixture
def start(tmp_path: Path, root: Path, hub: Hub) -> Callable[..., "subprocess.Popen[str]"]:
    def start_(*command: str, params: PublishParams = PARAMS) -> "subprocess.Popen[str]":
        (tmp_path / "params.yaml").write_text(yaml.safe_dump({"publish": params.model_dump()}))
        environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
        environment |= {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
        return subprocess.Popen(
            [sys.executable, *command], cwd=root, env=environment, stdout=-1, stderr=subprocess.STDOUT, text=True
        )

    return start_


@pytest.fixture
def publish(hub: Hub, monkeypatch, caplog):
    """Publish within this process: the same libraries, without the seconds that importing them takes."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    huggingface_hub.utils.disable_progress_bars()
    caplog.set_level(logging.DEBUG)

    def publish_(folder: Path, *flags: str, params: PublishParams = PARAMS) -> tuple[int, str]:
        caplog.clear()
        fault = ""
        try:
            run(params, folder=folder, repo="me/rows", yes="--yes" in flags, public="--public" in flags)
        except InputError as error:
            fault = str(error)
        printed = f"{caplog.text}\n{fault}"
        assert TOKEN not in printed
        return 2 if fault else 0, printed

    return publish_


def files_of(folder: Path) -> dict[str, bytes]:
    names = ("README.md", "LongAlpaca-12k.json", "train-00000.parquet", "test-00000.parquet")
    return {name: (folder / name).read_bytes() for name in names}


def is_whole(hub: Hub, folder: Path, revision: str) -> bool:
    files = hub.files("me/rows", revision)
    files.pop(".gitattributes")
    return files == files_of(folder)


def test_without_yes_it_says_what_would_change_and_changes_nothing(hub: Hub, publish, built: Path) -> None:
    code, printed = publish(built)
    assert code == 0, printed
    assert "me/rows does not exist yet" in printed
    assert '1 test rows, 20 train rows; licences {"CC0-1.0": 21}' in printed
    assert "add    train-00000.parquet" in printed
    assert "not on the allow-list: notes.txt" in printed
    assert not hub.repos
    assert not [line for line in hub.log if line.startswith(("POST", "PUT"))]


@pytest.mark.slow
def test_what_is_published_is_loaded_and_streamed_as_it_was_built(
    tmp_path, hub: Hub, publish, start, built: Path
) -> None:
    code, printed = publish(built, "--yes")
    assert code == 0, printed
    assert hub.repos["me/rows"].private
    assert all(is_whole(hub, built, revision) for revision in ("candidate", "main", "v1"))
    assert "notes.txt" not in hub.files("me/rows")
    loaded, _ = start("-W", "error::UserWarning", "-c", LOAD, "me/rows", str(built), str(tmp_path)).communicate(
        timeout=120
    )
    assert loaded.endswith("equal\n"), loaded


def test_publishing_again_changes_nothing(hub: Hub, publish, built: Path) -> None:
    assert publish(built, "--yes")[0] == 0
    code, printed = publish(built, "--yes")
    assert code == 0
    assert "same   train-00000.parquet" in printed
    assert len(hub.repos["me/rows"].commits) == 3  # the first, the branch's and the main one's


def test_a_tag_is_never_moved_and_files_that_are_gone_are_removed(hub: Hub, publish, built: Path) -> None:
    write_mixed(built / "train-00001.parquet", [row(50)])
    assert publish(built, "--yes")[0] == 0
    (built / "train-00001.parquet").unlink()
    code, printed = publish(built, "--yes")
    assert code == 2
    assert "key 'tag': found v1, which me/rows has for other files" in printed
    code, printed = publish(built, "--yes", params=PARAMS.model_copy(update={"tag": "v2"}))
    assert code == 0, printed
    assert "remove train-00001.parquet" in printed
    assert is_whole(hub, built, "v2")
    assert "train-00001.parquet" in hub.files("me/rows", "v1")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"licence": ""}, "unknown licence"),
        ({"licence": "CC-BY-NC-4.0"}, "licence not allowed: CC-BY-NC-4.0"),
        ({"licence": "CC0-1.0 AND CC-BY-NC-4.0"}, "licence not allowed: CC-BY-NC-4.0"),
        ({"reason": "number not in evidence: 7"}, "row that failed a check"),
        ({"checks": ()}, "row that passed no check"),
    ],
)
def test_rows_that_must_not_be_given_away_are_refused(
    hub: Hub, publish, built: Path, changes: dict, words: str
) -> None:
    write_mixed(built / "train-00000.parquet", [row(1), row(2, **changes)])
    code, printed = publish(built, "--yes")
    assert code == 2
    assert f"found 1 {words}" in printed
    assert not hub.log


def test_the_rows_of_further_editions_are_looked_at_as_well(hub: Hub, publish, built: Path) -> None:
    write_mixed(built / "16k-length" / "train-00000.parquet", [row(1), row(2, licence="")])
    write_mixed(built / "16k-length" / "test-00000.parquet", [])
    code, printed = publish(built, "--yes")
    assert code == 2
    assert "found 1 unknown licence" in printed
    write_mixed(built / "16k-length" / "train-00000.parquet", [row(1)])
    code, printed = publish(built, "--yes")
    assert code == 0
    assert "1 16k-length train rows" in printed
    assert "16k-length/train-00000.parquet" in hub.files("me/rows")


@pytest.mark.parametrize("place", ["row", "card"])
def test_secrets_are_refused(hub: Hub, publish, built: Path, place: str) -> None:
    secret = "ghp_" + "wWPw5k4aXcaT4fNP" + "0UcnZwJUVFk6LO0pINUx"
    if place == "row":
        told = replace(row(1), instruction=f"Use {secret} for it.")
        write_mixed(built / "train-00000.parquet", [told])
    else:
        (built / "README.md").write_text(f"{CARD}\nUse {secret}.\n")
    code, printed = publish(built, "--yes")
    assert code == 2
    assert "1 secret GitHub Token" in printed
    assert secret not in printed
    assert not hub.log


def test_a_public_repository_needs_the_word(hub: Hub, publish, built: Path) -> None:
    assert publish(built, "--yes", "--public")[0] == 0
    assert not hub.repos["me/rows"].private
    (built / "README.md").write_text(f"{CARD}\nMore.\n")
    code, printed = publish(built, "--yes", params=PARAMS.model_copy(update={"tag": "v2"}))
    assert code == 2
    assert "expected --public" in printed
    assert b"More" not in hub.files("me/rows")["README.md"]


def test_bytes_that_arrive_otherwise_stop_before_the_main_branch(hub: Hub, publish, built: Path) -> None:
    hub.corrupt = True
    code, printed = publish(built, "--yes")
    assert code == 2
    assert "found other bytes in" in printed
    assert set(hub.files("me/rows", "main")) == {".gitattributes"}
    assert not hub.repos["me/rows"].tags


def test_a_model_is_published_by_its_card(tmp_path: Path, hub: Hub, publish) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "README.md").write_text("# No header\n")
    code, printed = publish(folder, "--yes")
    assert code == 2
    assert "1 unknown licence" in printed
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Model\n")
    assert publish(folder, "--yes")[0] == 0
    assert set(hub.files("me/rows")) == {".gitattributes", "README.md", "config.json"}


def test_an_adapter_is_published_with_what_its_licence_asks_for(tmp_path: Path, hub: Hub, publish, root: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"low rank")
    (tmp_path / "README.md").write_text("---\nlicense: llama3.1\n---\n# Adapter\n")
    (tmp_path / "LICENSE").write_text("Llama 3.1 Community License\n")
    params = PublishParams.load(root / "params.yaml")
    code, printed = publish(tmp_path, "--yes", params=params)
    assert code == 2
    assert "llama3.1 without NOTICE; 1 llama3.1 without USE_POLICY" in printed
    assert "merge.licence" in printed
    (tmp_path / "NOTICE").write_text("Llama 3.1 is licensed\n")
    (tmp_path / "USE_POLICY.md").write_text("No harm\n")
    assert publish(tmp_path, "--yes", params=params)[0] == 0
    assert {"LICENSE", "NOTICE", "USE_POLICY.md", "adapter_model.safetensors"} <= set(hub.files("me/rows"))


def test_an_adapter_without_a_card_says_how_to_get_one(tmp_path: Path, publish) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    code, printed = publish(tmp_path)
    assert code == 2
    assert "merge --low-rank" in printed


def test_a_card_with_a_broken_header_is_one_line(tmp_path: Path, publish) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "README.md").write_text("---\nlicense: [\n---\n# Model\n")
    code, printed = publish(tmp_path)
    assert code == 2
    assert "a broken header" in printed


@pytest.mark.parametrize("how", ["refused", "offline"])
def test_without_a_hub_it_is_one_line(publish, built: Path, monkeypatch, how: str) -> None:
    if how == "offline":
        monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    else:
        monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")
    huggingface_hub.utils.close_session()
    code, printed = publish(built)
    huggingface_hub.utils.close_session()
    assert code == 2
    assert "no way to it" in printed


def test_what_import_wrote_is_published(tmp_path: Path, hub: Hub, publish, word_tokenizer: Path) -> None:
    rows = [{"instruction": f"Question {n}?", "output": "So."} for n in range(4)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    params = ImportingParams(
        source=str(tmp_path / "rows.json"), tokenizer=str(word_tokenizer), licence="Apache-2.0", teacher="unknown",
        test_fraction=0.01, max_tokens=50, seed=1, columns={},
    )  # fmt: skip
    import_rows(params, out=tmp_path / "imported")
    code, printed = publish(tmp_path / "imported", "--yes")
    assert code == 0, printed
    assert "README.md" in hub.files("me/rows")
    assert b"license: apache-2.0" in hub.files("me/rows")["README.md"]


def test_a_folder_of_something_else_is_an_error(tmp_path: Path, publish) -> None:
    code, printed = publish(tmp_path / "nothing")
    assert code == 2
    assert "no such folder" in printed


@pytest.mark.long
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_killed_at_each_request_in_turn_and_run_again_it_completes(
    tmp_path, publish, start, built: Path, hub, done
) -> None:
    assert publish(built, "--yes")[0] == 0
    num_requests = len(hub.log)
    assert num_requests > 10
    for number in range(num_requests):
        hub.repos.clear()
        hub.objects.clear()
        hub.log.clear()
        options = ["--folder", str(built), "--repo", "me/rows", "--params", str(tmp_path / "params.yaml"), "--yes"]
        process = start("-m", "pipeline.publish", *options)
        hub.kill_at(process.pid, number, done=done)
        process.communicate(timeout=120)
        assert process.returncode == -9, number
        hub.before = hub.after = lambda current: None
        for revision in ("main", "v1"):
            repo = hub.repos.get("me/rows")
            if repo and repo.at(revision) and set(hub.files("me/rows", revision)) != {".gitattributes"}:
                assert is_whole(hub, built, revision), (number, revision)
        code, printed = publish(built, "--yes")
        assert code == 0, (number, printed)
        assert all(is_whole(hub, built, revision) for revision in ("candidate", "main", "v1")), number
        assert len(hub.repos["me/rows"].commits) == 3, number
