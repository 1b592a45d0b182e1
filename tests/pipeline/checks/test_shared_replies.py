"""Written replies about real documents go through `ask` and `verify`: good ones are kept, subtly bad ones are not."""

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.ask import run as ask
from pipeline.benchmarks.scripted import scripted
from pipeline.errors import InputError
from pipeline.judging.judge import JudgeParams
from pipeline.records import Example
from pipeline.storage.parquet import read_documents, read_examples, write_documents
from pipeline.verify import VerifyParams
from pipeline.verify import run as verify
from tests.pipeline.checks import reply_scripts
from tests.pipeline.checks.test_replies import check_reply
from tests.pipeline.endpoint.test_client import PARAMS as SCRIPTED
from tests.pipeline.test_ask import PARAMS as ASK
from tests.pipeline.test_questions import run_stages

pytestmark = pytest.mark.slow

OWN = Path(__file__).parent / "shared_replies.jsonl"
MORE = Path(__file__).parent / "more_replies.jsonl"  # about the documents of the others
LIMITS = {"max_context_tokens": 1_000_000, "max_reply_tokens": 2_000, "max_samples": 1, "max_attempts": 1}
NO_JUDGE = "in doubt, and nobody judges"
NUM_PER_DOCUMENT = 56  # slots: the tasks of a document take turns


def read_replies(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


@pytest.fixture(scope="module")
def library(root: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """The documents of all replies, by the path that the replies give."""
    folder = tmp_path_factory.mktemp("shared")
    replies = [*read_replies(shared / "teacher" / "replies.jsonl"), *read_replies(OWN)]
    paths = sorted({path for reply in replies for path in reply["documents"]})
    sources = [
        {"path": f"{shared}/corpus/{path}", "category": path.split("/")[0][:-1], "licence": "unknown"} for path in paths
    ]
    (folder / "sources.yaml").write_text(yaml.safe_dump(sources))
    run_stages(root, folder, folder / "sources.yaml", folder / "none", "fetch", "extract", "curate", num_workers=2)
    return {"/".join(one.source.split("/")[-2:]): one for one in read_documents(folder / "curate")}


def ask_for(replies: list[dict], library, folder: Path) -> list[Example]:
    """Return the examples that a teacher makes who replies as written."""
    named = {path: replace(library[path], split="train") for reply in replies for path in reply["documents"]}
    write_documents(folder / "curate" / "documents-00000.parquet", list(named.values()))
    titles = {path: document.title for path, document in named.items()}
    (folder / "replies.json").write_text(json.dumps({"titles": titles, "replies": replies}))
    (folder / "known.jsonl").touch()
    os.environ[reply_scripts.REPLIES] = str(folder / "replies.json")
    with scripted(reply_scripts.as_written) as url:
        endpoint = SCRIPTED.model_copy(update=LIMITS | {"base_url": url})
        changed = {"teacher": "endpoint", "endpoint": endpoint, "num_per_document": NUM_PER_DOCUMENT}
        params = ASK.model_copy(update=changed | {"max_failed_fraction": 1.0})
        ask(params, documents=folder / "curate", known=folder / "known.jsonl", out=folder / "ask", dry_run=False)
    return [one for one in read_examples(folder / "ask", "examples*.parquet") if one.question]


def verify_all(folder: Path, when: str) -> dict[str, Example]:
    """Return the examples by their questions after `verify`."""
    with scripted(reply_scripts.by_verdict) as url:
        params = VerifyParams(
            max_question_characters=1_000,
            max_answer_characters=12_000,
            judge=JudgeParams(when=when, votes=1, min_mark=3),
            probes=[],
            endpoint=SCRIPTED.model_copy(update=LIMITS | {"base_url": url}),
            num_previews=50,
        )
        verify(params, documents=folder / "curate", examples=folder / "ask", out=folder / when)
    rows = [*read_examples(folder / when, "examples*.parquet"), *read_examples(folder / when, "rejected*.parquet")]
    return {row.question: row for row in rows if row.question}


def judge_outcome(example: Example | None) -> str:
    if example is None:
        return "refused"  # by `ask`: it was cut off, or a quote was not found
    if not example.reason:
        return "sound"
    return "in doubt" if example.reason.startswith(NO_JUDGE) else "refused"


def run_replies(replies: list[dict], library, folder: Path) -> tuple[Counter, list[str]]:
    """Count the outcomes by verdict, without a judge, and list what a judge got wrong in the end."""
    singles = [reply for reply in replies if len(reply["documents"]) == 1]
    groups = [singles, *([reply] for reply in replies if len(reply["documents"]) > 1)]
    outcomes, wrong = Counter(), []
    for number, group in enumerate(groups):
        inside = folder / str(number)
        inside.mkdir()
        ask_for(group, library, inside)
        alone = verify_or_nothing(inside, "never")
        judged = verify_or_nothing(inside, "auto")
        for reply in group:
            outcomes[reply["verdict"], judge_outcome(alone.get(reply["question"]))] += 1
            final = judge_outcome(judged.get(reply["question"]))
            if final != {"sound": "sound", "unsound": "refused"}[reply["verdict"]]:
                wrong.append(f"{reply['id']}: {final}")
    return outcomes, wrong


def verify_or_nothing(folder: Path, when: str) -> dict[str, Example]:
    """Return the verified examples; none where every one is refused, which ends the stage."""
    try:
        return verify_all(folder, when)
    except InputError as error:
        if "no example that passed" not in str(error):
            raise
        return {}


def test_the_shared_replies_are_told_apart(shared: Path, library, tmp_path: Path) -> None:
    outcomes, wrong = run_replies(read_replies(shared / "teacher" / "replies.jsonl"), library, tmp_path)
    assert outcomes["sound", "refused"] == 0, outcomes
    assert outcomes["sound", "sound"] >= 12, outcomes
    assert outcomes["unsound", "sound"] <= 2, outcomes
    assert not wrong


def test_other_replies_about_the_shared_documents_are_told_apart(library, tmp_path: Path) -> None:
    outcomes, wrong = run_replies(read_replies(OWN), library, tmp_path)
    assert outcomes["sound", "refused"] == 0, outcomes
    assert outcomes["sound", "sound"] >= 8, outcomes
    assert outcomes["unsound", "sound"] == 0, outcomes
    assert not wrong


def test_more_replies_about_the_shared_documents_are_told_apart_by_the_checks(library) -> None:
    outcomes = Counter()
    for reply in read_replies(MORE):
        example = check_reply(reply, library)
        outcome = "refused" if example.reason else "in doubt" if example.doubts else "sound"
        outcomes[reply["verdict"], outcome] += 1
    assert outcomes["sound", "refused"] == 0, outcomes
    assert outcomes["sound", "sound"] >= 20, outcomes
    assert outcomes["unsound", "sound"] == 0, outcomes
