"""What a judge behind a scripted server says; a server runs in a process of its own and finds these by name."""

import json
import re
from typing import Any

from pipeline.benchmarks.scripted import Response, completion
from tests.pipeline.teacher_scripts import schema_name

ANSWER = re.compile(r"<(first|second) [0-9a-f]{16}>\n(.*?)\n</", re.DOTALL)


def judge(request: dict[str, Any], prefer) -> Response:
    if schema_name(request) == "SchemaCheck":
        return completion(json.dumps({"word": "kestrel"}))
    answers = dict(ANSWER.findall(request["messages"][-1]["content"]))
    return completion(json.dumps({"why": "It is so.", "better": prefer(answers)}))


def prefers_right(request: dict[str, Any], number: int) -> Response:
    """Prefer the answer that says 42."""

    def prefer(answers: dict[str, str]) -> str:
        found = [name for name in sorted(answers) if "42" in answers[name]]
        return found[0] if len(found) == 1 else "tie"

    return judge(request, prefer)


def prefers_first(request: dict[str, Any], number: int) -> Response:
    return judge(request, lambda answers: "first")


def prefers_long(request: dict[str, Any], number: int) -> Response:
    return judge(request, lambda answers: max(answers, key=lambda name: len(answers[name])))


def says_nothing(request: dict[str, Any], number: int) -> Response:
    if schema_name(request) == "SchemaCheck":
        return completion(json.dumps({"word": "kestrel"}))
    return completion("I would rather not.")
