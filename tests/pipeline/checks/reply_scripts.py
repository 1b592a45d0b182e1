"""A teacher that gives written replies, and a judge that knows their verdicts; they run in the process of a server."""

import json
import os
import re
from functools import cache
from pathlib import Path

from pipeline.benchmarks.scripted import Response, completion, honest
from pipeline.tasks.task import get_task
from tests.pipeline.teacher_scripts import schema_name

REPLIES = "LONGALPACA_TEST_REPLIES"  # names a file with {"titles": {document: title}, "replies": [...]}
QUESTION = re.compile(r"^Question: (.*)$", re.MULTILINE)
ABOUT = re.compile(r"^<document (\d+) [0-9a-f]{16}>\n\((.*?)(?:; [^\n]*)?\)$", re.MULTILINE)
GIVEN: set[str] = set()


@cache
def load_replies() -> dict:
    return json.loads(Path(os.environ[REPLIES]).read_text(encoding="utf-8"))


def as_written(request, number) -> Response:
    """Give each reply once, when its task is asked for about its documents; then give nothing."""
    if schema_name(request) == "SchemaCheck":
        return honest(request, number)
    prompt = request["messages"][-1]["content"]
    shown = {about: int(number) for number, about in ABOUT.findall(prompt)}
    titles = load_replies()["titles"]
    for reply in load_replies()["replies"]:
        numbers = [
            next((n for about, n in shown.items() if about.startswith(titles[one][:60])), 0)
            for one in reply["documents"]
        ]
        is_asked = get_task(reply["task"]).prompt[:60] in prompt and len(shown) == len(numbers) and all(numbers)
        if is_asked and reply["id"] not in GIVEN:
            GIVEN.add(reply["id"])
            places = dict(zip(reply["documents"], numbers, strict=True))
            evidence = [{"document": places[one["document"]], "quote": one["quote"]} for one in reply["evidence"]]
            content = {"question": reply["question"], "answer": reply["answer"], "evidence": evidence}
            return completion(json.dumps(content))
    return completion("", refusal="There is nothing more to say.")


def by_verdict(request, number) -> Response:
    """Judge as the verdicts say."""
    name = schema_name(request)
    if name == "SchemaCheck":
        return honest(request, number)
    prompt = request["messages"][-1]["content"]
    asked = QUESTION.findall(prompt)[-1]
    verdicts = {reply["question"]: reply["verdict"] for reply in load_replies()["replies"]}
    if verdicts.get(asked) == "sound":
        return honest(request, number)
    content = json.loads(json.loads(honest(request, number).body)["choices"][0]["message"]["content"])
    for statement in content.get("statements", ()):
        statement["verdict"] = "contradicted"
    for doubt in content.get("doubts", ()):
        doubt["is_fault"] = True
    return completion(json.dumps(content))
