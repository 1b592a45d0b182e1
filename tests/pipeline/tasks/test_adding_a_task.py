"""A task is added by its file alone."""

import sys
from pathlib import Path

import pytest

import pipeline.tasks
from pipeline.passages.document_groups import with_reviews
from pipeline.storage.parquet import read_examples
from pipeline.tasks.task import all_tasks
from pipeline.verify import run as verify
from tests.pipeline.test_ask import asking
from tests.pipeline.test_verify import PARAMS as VERIFY

NEW_TASK = '''
"""Ask for the last word of a sentence."""

from pipeline.passages.passages import is_askable
from pipeline.tasks.build import build_example
from pipeline.tasks.task import Task


def candidates(documents):
    for sentence in documents[0].sentences:
        if is_askable(sentence) and sentence.text in documents[0].unique_sentences:
            words = " ".join(sentence.text.split()[:-1])
            answer = sentence.text.split()[-1]
            question = f"How does the sentence “{words}” end?"
            yield build_example(documents, "last_word", "last_word-1", question, answer, [(documents[0], sentence)])


last_word = Task("last_word", "last_word-1", ("book", "paper"), candidates=candidates)
'''


@pytest.fixture(params=["TASK = last_word", "TASKS = (last_word,)"])
def folder_with_a_task(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of tasks beside the package's own, as if the file were in it."""
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "last_word.py").write_text(f"{NEW_TASK}\n{request.param}\n")
    monkeypatch.setattr(pipeline.tasks, "__path__", [*pipeline.tasks.__path__, str(tmp_path / "tasks")])
    monkeypatch.delitem(sys.modules, "pipeline.tasks.last_word", raising=False)
    all_tasks.cache_clear()
    yield
    sys.modules.pop("pipeline.tasks.last_word", None)
    all_tasks.cache_clear()


def run_here(work, shards, *, folder, executor, num_workers) -> None:
    """Make the shards in this process, which is the one that has the new folder on its path."""
    for index in range(len(shards)):
        work(index)


@pytest.mark.usefixtures("folder_with_a_task")
def test_a_new_file_is_a_task_that_is_asked_and_verified(curated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.ask.run_shards", run_here)
    out = curated.parent
    asking(curated, out / "ask", num_per_document=50)
    verify(VERIFY, documents=curated, examples=out / "ask", out=out / "verify")
    accepted = [e for e in read_examples(out / "verify", "examples*.parquet") if e.task == "last_word"]
    assert {example.answer for example in accepted} >= {"door.", "today."}


def test_a_module_may_declare_several_tasks() -> None:
    names = [name for name, task in all_tasks().items() if task.related is with_reviews]
    assert len(names) == 7
    assert "last_word" not in all_tasks()
