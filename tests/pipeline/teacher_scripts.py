"""Faults of a scripted teacher, a function each; they run in the process of the server."""

import json
import os
import re
from hashlib import sha256
from pathlib import Path

from pipeline.benchmarks.scripted import FIELD, FIELDS, Response, completion, honest, proper_content

KNOWN = "LONGALPACA_TEST_KNOWN"  # names the file of questions that a server can answer without a document
LOG = "LONGALPACA_TEST_REQUESTS"  # names the file in which a server writes the hash of each request


def schema_name(request) -> str:
    schema = request.get("response_format", {}).get("json_schema")
    named = FIELD.findall(request["messages"][-1]["content"])
    return (
        schema["name"] if schema else next((name for name, fields in FIELDS.items() if fields == named), "SchemaCheck")
    )


def proper(request) -> dict:
    return proper_content(request)


def after_the_check(fault):
    """Follow the schema when it is checked, and show a fault from then on."""

    def script(request, number: int) -> Response:
        return honest(request, number) if schema_name(request) == "SchemaCheck" else fault(request, number)

    return script


def prose(request, number):
    return completion("The sea is wide. It is also deep.")


def other_word(request, number):
    return completion('{"word": "seagull"}')


def unenforced_after_check(request, number):
    return after_the_check(prose)(request, number)


def other_model(request, number):
    return after_the_check(lambda r, n: completion(json.dumps(proper(r)), model="another"))(request, number)


def too_long(request, number):
    body = json.dumps({"error": {"message": "This model's maximum context length is 10 tokens", "code": 400}}).encode()
    return after_the_check(lambda r, n: Response(400, body))(request, number)


def busy_at_first(request, number):
    busy = Response(429, b'{"error": {"message": "slow down"}}', {"retry-after": "0.05"})
    return after_the_check(lambda r, n: busy if n <= 3 else honest(r, n))(request, number)


def always_busy(request, number):
    return after_the_check(lambda r, n: Response(429, b"{}", {"retry-after": "0"}))(request, number)


def drips(request, number):
    slow = Response(body=b" " * 10_000, drip_seconds=0.05)
    return after_the_check(lambda r, n: slow)(request, number)


def cut_off(request, number):
    return after_the_check(lambda r, n: completion(json.dumps(proper(r))[:40], finish="length"))(request, number)


def half_json(request, number):
    return after_the_check(lambda r, n: completion(json.dumps(proper(r))[:40]))(request, number)


def half_body(request, number):
    return after_the_check(lambda r, n: Response(body=b'{"id": "0", "choices": ['))(request, number)


def web_page(request, number):
    page = Response(body=b"<html>Please log in</html>", media_type="text/html")
    return after_the_check(lambda r, n: page)(request, number)


def error_with_200(request, number):
    return after_the_check(lambda r, n: Response(body=b'{"error": {"message": "no"}}'))(request, number)


def refuses(request, number):
    return after_the_check(lambda r, n: completion("", refusal="I would rather not."))(request, number)


def invents(request, number):
    def invented(request, number):
        content = proper(request)
        for quote in content["evidence"]:
            quote["quote"] = "The lighthouse of Varnholm burned down in the spring of that year."
        return completion(json.dumps(content))

    return after_the_check(invented)(request, number)


def other_document(request, number):
    def wrong(request, number):
        content = proper(request)
        content["evidence"][0]["document"] = 9
        return completion(json.dumps(content))

    return after_the_check(wrong)(request, number)


def obeys(request, number):
    """Follow an instruction to write a word, wherever in the prompt it is."""

    def obedient(request, number):
        content = proper(request)
        order = re.search(r"the word (CANARY-\w+)", request["messages"][-1]["content"])
        return completion(json.dumps(content | ({"answer": f"{order[1]} {content['answer']}"} if order else {})))

    return after_the_check(obedient)(request, number)


def closed_book(request, number):
    """Answer a question about the capital of France from memory."""
    if schema_name(request) == "ShortAnswer" and "capital of France" in request["messages"][-1]["content"]:
        return completion(json.dumps({"answer": "The capital of France is Paris."}))
    return honest(request, number)


def strict_judge(request, number):
    if schema_name(request) == "Judgement":
        return completion(json.dumps({"helpful": 1, "logical": 5, "complete": 5}))
    return honest(request, number)


def written_down(request, number):
    """Write the hash of each request to a file, and answer it."""
    with Path(os.environ[LOG]).open("a") as file:
        file.write(sha256(json.dumps(request, sort_keys=True).encode()).hexdigest() + "\n")
    return honest(request, number)


def knows(request, number):
    """Answer the questions of a file from memory."""
    known = json.loads(Path(os.environ[KNOWN]).read_text())
    prompt = request["messages"][-1]["content"]
    asked = next((question for question in known if question in prompt), None)
    if schema_name(request) == "ShortAnswer" and asked is not None:
        return completion(json.dumps({"answer": known[asked]}))
    return honest(request, number)
