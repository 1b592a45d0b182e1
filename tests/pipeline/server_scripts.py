"""Behaviours of servers that people use, a function each; they run in the process of the server."""

import json
import os
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

from pipeline.benchmarks.scripted import Response, completion, honest
from tests.pipeline.teacher_scripts import LOG, after_the_check, proper, prose, schema_name


def error(status, message, code="", **headers):
    body = json.dumps({"error": {"message": message, "code": code}}).encode()
    return Response(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def with_usage(response, **usage):
    body = json.loads(response.body)
    return replace(response, body=json.dumps(body | {"usage": usage}).encode())


def log(request):
    with Path(os.environ[LOG]).open("a") as file:
        file.write(json.dumps([schema_name(request), request["messages"]]) + "\n")


def thinks_aloud(request, number):
    return completion(f"<think>\nWhich {{fields}} are there?\n</think>\n```json\n{json.dumps(proper(request))},\n```")


def thinks_unless_told(request, number):
    if request.get("chat_template_kwargs") == {"enable_thinking": False}:
        return honest(request, number)
    return completion("", finish="length", reasoning="There is so much to think about")


def knows_json_objects_only(request, number):
    if request.get("response_format", {}).get("type") == "json_schema":
        return error(400, "response_format json_schema is not supported")
    return honest(request, number)


def knows_text_only(request, number):
    if "response_format" in request:
        return error(400, "unknown field response_format")
    return completion(f"Here you are:\n{json.dumps(proper(request))}\nAnything else?")


def refuses_limits(request, number):
    if "maxLength" in json.dumps(request):
        return error(400, "Invalid schema: 'maxLength' is not permitted")
    return honest(request, number)


def like_gpt_5(request, number):
    if "max_tokens" in request:
        return error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
    if "temperature" in request:
        return error(400, "Unsupported value: 'temperature' does not support 0.0 with this model.")
    return honest(request, number)


def strict_about_fields(request, number):
    if "chat_template_kwargs" in request:
        return error(400, "Unrecognized request argument supplied: chat_template_kwargs")
    return honest(request, number)


def streams_only(request, number):
    if not request.get("stream"):
        return error(400, "this server needs stream=true")
    text = json.dumps(proper(request))
    events = [{"model": "scripted", "choices": [{"delta": {"content": part}}]} for part in (text[:9], text[9:])]
    events += [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    events += [{"choices": [], "usage": {"prompt_tokens": 1_000, "completion_tokens": 100}}]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    return Response(body=body.encode(), media_type="text/event-stream")


def dates_its_name(request, number):
    return completion(json.dumps(proper(request)), model="scripted-2026-08-06")


def loads_first(request, number):
    return error(503, "Loading model", retry_after="0.2") if number <= 5 else honest(request, number)


def one_at_a_time(request, number):
    log(request)
    return replace(honest(request, number), work_seconds=0.05)


def runs_out(request, number):
    if number > 9:
        return error(429, "You exceeded your current quota, please check your plan", "insufficient_quota")
    return honest(request, number)


def says_no_usage(request, number):
    return with_usage(honest(request, number))


def caches(request, number):
    usage = {"prompt_tokens": 1_000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 900}}
    return with_usage(honest(request, number), **usage)


def cuts_the_prompt(request, number):
    fault = after_the_check(lambda r, n: with_usage(honest(r, n), prompt_tokens=256, completion_tokens=50))
    return fault(request, number)


def cold_prose_warm_json(request, number):
    """Fail at the first sample of a request, and be right at a higher temperature."""
    if schema_name(request) != "SchemaCheck" and not request["temperature"]:
        return prose(request, number)
    return honest(request, number)


def prose_about_reports(request, number):
    if "Days of 3" in request["messages"][-1]["content"]:
        return after_the_check(prose)(request, number)
    return honest(request, number)


def logs(request, number):
    log(request)
    return honest(request, number)


def cuts_off_below_600(request, number):
    log(request)
    if schema_name(request) != "SchemaCheck" and request["max_tokens"] < 600 and "Days of 2" in str(request):
        return completion(json.dumps(proper(request))[:50], finish="length")
    return honest(request, number)


def cannot_read_the_harbour(request, number):
    """Fail at every chunk that has a certain sentence."""
    log(request)
    if schema_name(request) == "Note" and "The harbour wall broke" in str(request["messages"]):
        return prose(request, number)
    return honest(request, number)


def overlooks(request, number):
    """Ask what the document is said not to say; the words are in another chunk, which is read as it should be."""
    log(request)
    prompt = request["messages"][-1]["content"]
    content = proper(request)
    if schema_name(request) == "ExampleReply":
        content |= {"question": "Who broke the harbour wall?", "answer": "The document does not say who did."}
    for question in content.get("questions", []):
        question["question"] = "Who broke the harbour wall?"
    if schema_name(request) == "Note":
        finds = "The harbour wall broke" in prompt and ("come closest" in prompt) == bool(os.environ.get("BY_SEARCH"))
        content = {"is_relevant": finds, "note": "It broke.", "quotes": []}
    return completion(json.dumps(content))


def judges_books_badly(request, number):
    """Refuse each first question of a batch about a book."""
    log(request)
    content = proper(request)
    if schema_name(request) == "QuestionVerdicts" and "Days of 1" in request["messages"][-1]["content"]:
        content["verdicts"][0] |= {"is_clear": False, "fault": "it asks for two things"}
    return completion(json.dumps(content))


def fails_at_questions(request, number):
    """Break down at questions about the second document, and count everything that is asked."""
    log(request)
    if schema_name(request) == "QuestionBatch" and "Days of 2" in request["messages"][-1]["content"]:
        return error(500, "out of memory")
    return honest(request, number)


def invents_at_first(request, number):
    """Quote what no document says, unless it is asked for another sample."""
    log(request)
    content = proper(request)
    if "evidence" in content and not request["temperature"]:
        content["evidence"][0]["quote"] = "The lighthouse of Varnholm burned down in the spring of that year."
    return completion(json.dumps(content))


def names_no_quotes(request, number):
    """Give an answer whose statements rest on nothing."""
    content = proper(request)
    for statement in content.get("statements", []):
        statement["quotes"] = []
    return completion(json.dumps(content))


def finds_no_answer(request, number):
    content = proper(request)
    return completion(json.dumps(content | {"evidence": [], "statements": []} if "statements" in content else content))


def has_a_short_context(request, number):
    """Refuse every prompt of more than 3,000 characters, in the words of vLLM."""
    log(request)
    characters = sum(len(message["content"]) for message in request["messages"])
    if characters > 7_000:
        return error(400, "This model's maximum context length is 2048 tokens. However, you requested 9000 tokens")
    return honest(request, number)


def refuses_long_batches(request, number):
    """Fail at the questions about the first document."""
    if "Days of 1" in str(request["messages"]) and "Days of 2" not in str(request["messages"]):
        return error(500, "out of memory")
    return honest(request, number)


def after_nine(response):
    """Answer eight requests after the question at the start, and then nothing but this."""

    def script(request, number):
        return response if number > 9 else honest(request, number)

    return script


def key_expires(request, number):
    return after_nine(error(401, "Incorrect API key provided", "invalid_api_key"))(request, number)


def credit_ends(request, number):
    return after_nine(error(402, "Insufficient credits"))(request, number)


def day_is_used_up(request, number):
    return after_nine(error(429, "Rate limit exceeded: free-models-per-day"))(request, number)


def asks_for_an_hour(request, number):
    return after_nine(error(429, "slow down", retry_after="3600"))(request, number)


def says_when_in_a_header(request, number):
    """Say when the limit is lifted in OpenAI's header alone, for every other request."""
    if number > 1 and number % 2:
        return error(429, "slow down", x_ratelimit_reset_requests="30ms", x_ratelimit_remaining_requests="0")
    return honest(request, number)


def says_when_as_a_date(request, number):
    if 1 < number <= 3:
        return error(503, "busy", retry_after=formatdate(time.time() + 1, usegmt=True))
    return honest(request, number)


def knows_no_such_path(request, number):
    return error(404, "Not Found")
