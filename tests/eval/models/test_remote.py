"""A model behind an endpoint is asked through the teacher's client, and its replies are recorded."""

import json
from pathlib import Path

import pytest

from eval.models.open import open_model
from eval.models.records import ModelParams, Prompt, Sampling
from eval.models.remote import EndpointModel
from pipeline.benchmarks.scripted import MODEL, Response, completion, scripted
from pipeline.errors import InputError
from pipeline.records import Turn
from tests.pipeline.endpoint.test_client import PARAMS as ENDPOINT

MODEL_PARAMS = ModelParams(dtype="float32", quantized=None, template="chat", max_context_tokens=None, max_cache_bytes=1)
SAMPLING = Sampling(max_tokens=20, temperature=0.0, top_p=1.0, seed=5)
PROMPTS = [Prompt("A long text. ", "What is it?"), Prompt("A long text. ", "Why?", answer_start="Because")]


def open_scripted(url: str, store: Path) -> EndpointModel:
    model = open_model(f"{url}#{MODEL}", MODEL_PARAMS, ENDPOINT, store=store)
    assert isinstance(model, EndpointModel)
    return model


def echo(request: dict, number: int) -> Response:
    """Reply with what is asked, after some thinking; a question of why is cut off."""
    asked = request["messages"][-1]["content"]
    assert (request["max_tokens"], request["temperature"], request["seed"]) == (20, 0.0, 5)
    return completion(f"<think>hm</think> {asked}", finish="length" if "Why" in asked else "stop")


def refuse_why(request: dict, number: int) -> Response:
    if "Why" in request["messages"][-1]["content"]:
        return Response(status=400, body=json.dumps({"error": {"message": "no such question"}}).encode())
    return completion("It is a text.")


def write_events(*pieces: str) -> Response:
    events = [{"choices": [{"delta": {"content": piece}}], "model": MODEL} for piece in pieces]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events] + ["data: [DONE]\n\n"]
    return Response(body="".join(lines).encode(), media_type="text/event-stream")


def stream_three(request: dict, number: int) -> Response:
    return write_events("It ", "is ", "a text.")


def fail_at_once(request: dict, number: int) -> Response:
    return Response(status=500, body=b'{"error": {"message": "out of memory"}}')


def fail_in_the_stream(request: dict, number: int) -> Response:
    return Response(body=b'data: {"error": {"message": "out of memory"}}\n\n', media_type="text/event-stream")


def test_replies_come_in_the_order_of_the_prompts_without_the_thinking(tmp_path):
    with scripted(echo) as url:
        one, other = open_scripted(url, tmp_path).respond(PROMPTS, SAMPLING)
    assert (one.text, one.is_complete) == ("A long text. What is it?", True)
    assert (other.text, other.is_complete) == ("A long text. Why? Because", False)
    assert one.num_prompt_tokens == 1_000


def test_recorded_replies_need_no_server(tmp_path):
    with scripted(echo) as url:
        model = open_scripted(url, tmp_path)
        replies = model.respond(PROMPTS, SAMPLING)
    assert model.respond(PROMPTS, SAMPLING) == replies


def test_a_refused_prompt_is_a_reply_with_the_reason(tmp_path):
    with scripted(refuse_why) as url:
        one, other = open_scripted(url, tmp_path).respond(PROMPTS, SAMPLING)
    assert (one.text, one.refused) == ("It is a text.", "")
    assert other.text == ""
    assert "no such question" in other.refused


def test_a_stream_is_passed_on_in_pieces_until_it_is_stopped(tmp_path):
    turns = [Turn("user", "What is it?")]
    with scripted(stream_three) as url:
        model = open_scripted(url, tmp_path)
        assert list(model.stream(turns, SAMPLING)) == ["It ", "is ", "a text."]
        answers = iter([False, False, True])  # asked after each line: the events have blank ones between them
        assert list(model.stream(turns, SAMPLING, is_stopped=lambda: next(answers))) == ["It ", "is "]


@pytest.mark.parametrize("script", [fail_at_once, fail_in_the_stream])
def test_an_error_of_the_server_is_said_in_its_words(tmp_path, script):
    with scripted(script) as url, pytest.raises(InputError, match="out of memory"):
        list(open_scripted(url, tmp_path).stream([Turn("user", "What?")], SAMPLING))


def test_a_server_that_is_not_there_is_an_error_for_the_user(tmp_path):
    model = open_scripted("http://127.0.0.1:9/v1", tmp_path)
    with pytest.raises(InputError, match="no reply"):
        list(model.stream([Turn("user", "What?")], SAMPLING))
