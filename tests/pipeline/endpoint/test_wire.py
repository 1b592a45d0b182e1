"""What servers of today send, and what it means: replies, streams, errors, pauses."""

import json
import time
from contextlib import nullcontext
from email.utils import formatdate

import pytest
from pydantic import Field

from pipeline.endpoint.endpoint_params import check_params, is_loopback, read_api_key
from pipeline.endpoint.errors import RefusedError
from pipeline.endpoint.replies import ReplyReader, check_prompt, is_version_of
from pipeline.endpoint.reply_cache import Reply
from pipeline.endpoint.server_errors import choose_action, read_pause
from pipeline.endpoint.structured import StructuredReply, describe_fields, parse_content, without_limits
from pipeline.endpoint.wire import ServerError, parse_completion
from pipeline.errors import InputError
from tests.pipeline.endpoint.test_client import PARAMS


class Inner(StructuredReply):
    document: int = Field(ge=1, description="its number")
    quote: str = Field(min_length=1, max_length=40)


class Sample(StructuredReply):
    answer: str = Field(min_length=1, max_length=60)
    evidence: list[Inner] = Field(min_length=1, max_length=3)

    def list_sentences(self) -> dict[str, str]:
        return {"answer": self.answer}


GOOD = '{"answer": "It is so.", "evidence": [{"document": 1, "quote": "so it is"}]}'


def body(message, finish="stop", **more):
    return {"model": "m", "choices": [{"message": message, "finish_reason": finish}], **more}


@pytest.mark.parametrize("finish", ["stop", "eos_token", "eos", "STOP", "end_turn", "stop_sequence", None])
def test_every_good_end_is_one(finish) -> None:
    assert parse_completion(body({"content": GOOD}, finish)).finish_reason == "stop"


def test_content_may_be_a_list_of_parts_and_thinking_among_them_is_none() -> None:
    parts = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": GOOD[:9]},
        {"type": "text", "text": GOOD[9:]},
    ]
    assert parse_completion(body({"content": parts})).content == GOOD


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_a_reply_in_the_field_of_thoughts_is_found(field) -> None:
    reply = parse_completion(body({"content": None, field: f"Let me see. {GOOD}"}))
    assert ReplyReader("m").parse(reply, Sample).answer == "It is so."


def test_a_stream_is_joined_and_one_that_ends_early_is_refused() -> None:
    events = [
        {"model": "m", "choices": [{"delta": {"role": "assistant", "reasoning_content": "hm"}}]},
        {"choices": [{"delta": {"content": GOOD[:20]}}]},
        {"choices": [{"delta": {"content": GOOD[20:]}, "finish_reason": "stop"}]},
        {
            "choices": [],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}},
        },
    ]
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    reply = parse_completion(": hello\n\n" + "".join(lines) + "data: [DONE]\n\n")
    assert (reply.content, reply.thinking, reply.prompt_tokens, reply.cached_tokens) == (GOOD, "hm", 7, 5)
    with pytest.raises(RefusedError, match="ends before the reply does"):
        parse_completion("".join(lines[:2]))


@pytest.mark.parametrize(
    "sent",
    [
        {"error": {"message": "out of cheese", "code": 503}},
        {"error": "out of cheese"},
        {"object": "error", "message": "out of cheese", "code": 40303},
        {"detail": "out of cheese"},
        {"choices": [{"error": {"message": "out of cheese"}, "finish_reason": "error"}]},
    ],
)
def test_an_error_with_status_200_is_shown_in_its_own_words(sent) -> None:
    with pytest.raises(ServerError, match="out of cheese"):
        parse_completion(sent)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (f"<think>\nIs it {{so}}?\n</think>\n\n{GOOD}", "It is so."),
        (f"It may be so.</think>{GOOD}", "It is so."),
        (f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{GOOD}", "It is so."),
        (f"Here it is:\n```json\n{GOOD}\n```\nI hope it helps.", "It is so."),
        (GOOD.replace("}]}", "},]}"), "It is so."),
        (GOOD + "\n" + GOOD.replace("so.", "not."), "It is so."),
        ('{"thought": "no reply yet"} ' + GOOD, "It is so."),
        (GOOD.replace("It is so.", "It\nis\tso\x00.\u202e"), "It\nis\tso."),
        (GOOD.replace('"document": 1', '"document": "1"'), "It is so."),
        (GOOD.replace("{", '{"sure": true, ', 1), "It is so."),
        (GOOD.replace('"', "'"), "It is so."),
        (GOOD.replace("It is so.", 'A 7\\" pipe.').replace("\\", ""), 'A 7" pipe.'),
    ],
)
def test_an_object_is_found_in_whatever_is_around_it(text, answer) -> None:
    assert parse_content(text, Sample).answer == answer


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("The sea is wide.", "reply not by the schema"),
        (GOOD[:40], "reply cut off"),
        (GOOD[:-2] + ', {"document": 1, "quo', "reply cut off"),
        ("<think>\nI wonder whether", "reply used up by thinking"),
        (GOOD.replace("It is so.", "It is s" + "o" * 53), "reply cut off"),  # the limit is 60
        (GOOD.replace("It is so.", "It is so because the mil"), "reply cut off"),
        (GOOD.replace("so it is", "s" * 40), "reply cut off"),
        (GOOD.replace('"document": 1', '"document": 0'), "reply not by the schema"),
    ],
)
def test_what_is_not_whole_is_never_completed(text, kind) -> None:
    with pytest.raises(RefusedError) as caught:
        parse_content(text, Sample)
    assert caught.value.reason.kind == kind


@pytest.mark.parametrize("end", ["1998", "12 %", "$ 3", "it (so)", "“so.”", "| 3 |", "好。", "he said:"])
def test_an_answer_may_end_as_answers_do(end) -> None:
    assert parse_content(json.dumps(json.loads(GOOD) | {"answer": end}), Sample).answer == end


def test_fields_and_limits_are_told_in_words_and_may_be_left_out_of_the_schema() -> None:
    words = describe_fields(Sample)
    assert words.index('"answer": text of 1 to 60 characters') < words.index('"evidence": a list of 1 to 3')
    assert '"document": a whole number of at least 1 (its number)' in words
    assert not [limit for limit in ("maxLength", "minItems", "minimum") if limit in json.dumps(without_limits(Sample))]


def test_a_model_that_thinks_away_its_tokens_is_told_from_one_that_is_cut_off() -> None:
    cut = Reply("", "length", "m", 10, 5, thinking="so many thoughts", max_tokens=5)
    with pytest.raises(RefusedError, match="used up by thinking: of 5 tokens"):
        ReplyReader("m").parse(cut, Sample)


@pytest.mark.parametrize(
    ("name", "asked", "is_same"),
    [
        ("gpt-4o-2024-08-06", "gpt-4o", True),
        ("gpt-4o-mini", "gpt-4o", False),
        ("gpt-4o-mini-2024-07-18", "gpt-4o", False),
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku-latest", True),
        ("/models/Qwen3-32B-Q4_K_M.gguf", "Qwen/Qwen3-32B", True),
        ("Qwen3-32B-AWQ", "Qwen/Qwen3-32B", True),
        ("Qwen3-3", "Qwen3-32B", False),
        ("another", "scripted", False),
    ],
)
def test_a_dated_name_is_the_same_model(name, asked, is_same) -> None:
    assert is_version_of(name, asked) is is_same


@pytest.mark.parametrize(
    ("status", "message", "code", "action"),
    [
        (429, "slow down", "", "wait"),
        (503, "Loading model", "", "wait"),
        (500, "the model is loading", "", "wait"),
        (200 - 200, "Internal error", "", "retry"),
        (502, "Bad gateway", "", "retry"),
        (401, "no", "", "stop"),
        (402, "Insufficient credits", "", "stop"),
        (429, "You exceeded your current quota, please check your plan", "insufficient_quota", "stop"),
        (429, "Rate limit exceeded: free-models-per-day", "", "stop"),
        (429, "Rate limit reached for requests per minute (RPM): 3 per min", "", "wait"),
        (403, "Input was flagged by moderation", "", "refuse"),
        (403, "Key limit", "", "stop"),
        (400, "This model's maximum context length is 4096 tokens", "", "too long"),
        (400, "the request exceeds the available context size", "exceed_context_size_error", "too long"),
        (400, "The input (5000 tokens) is longer than the model's context length (4096 tokens).", "", "too long"),
        (422, "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens", "", "too long"),
        (400, "prompt is too long: 210000 tokens > 200000 maximum", "", "too long"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed", "", "too long"),
        (400, "Prompt contains 40000 tokens, too large for model with 32768 maximum", "", "too long"),
        (400, "Please shorten it", "context_length_exceeded", "too long"),
        (400, "Unknown field", "", "refuse"),
    ],
)
def test_an_error_says_what_to_do(status, message, code, action) -> None:
    assert choose_action(ServerError(status, message, code)) == action


def test_a_pause_is_read_in_every_form_that_servers_write() -> None:
    assert read_pause({"Retry-After": "20"}) == 20
    assert read_pause({"retry-after-ms": "1500"}) == 1.5
    assert 28 < read_pause({"retry-after": formatdate(time.time() + 30, usegmt=True)}) <= 30
    assert read_pause({"retry-after": formatdate(time.time() - 30, usegmt=True)}) == 0
    assert read_pause({"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-reset-tokens": "250ms"}) == 360
    limits = {
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-requests": "9",
        "x-ratelimit-reset-tokens": "2s",
    }
    assert read_pause(limits) == 2
    assert 8 < read_pause({"X-RateLimit-Reset": str(int((time.time() + 10) * 1000))}) <= 10
    assert [read_pause({"retry-after": value}) for value in ("", "-1", "soon", "inf", "nan")] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("characters", "tokens", "is_cut"),
    [
        (178_633, 4_096, True),
        (30_000, 4_096, True),
        (30_000, 2_048, True),
        (30_000, 7_500, False),
        (9_000, 1_000, False),
        (9, 0, False),
    ],
)
def test_a_server_that_cuts_the_prompt_is_found_by_its_count(characters, tokens, is_cut) -> None:
    reply, messages = Reply("", "stop", "m", tokens, 1), [{"role": "user", "content": "x" * characters}]
    with pytest.raises(RefusedError, match="prompt cut by the server") if is_cut else nullcontext():
        check_prompt(reply, messages)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://host/v1/chat/completions", "Write http://host/v1"),
        ("http://host/v1/chat/completions/", "Write http://host/v1"),
        ("host:8000/v1", "http://"),
        (" http://host/v1\n", "white space"),
        ("“http://host/v1”", "quotation marks"),
        ("", "http://"),
    ],
)
def test_a_slip_in_the_address_is_named(url, words) -> None:
    with pytest.raises(InputError, match=words):
        check_params(PARAMS.model_copy(update={"base_url": url}))


def test_a_slip_in_the_key_is_named_and_a_line_end_forgiven(monkeypatch) -> None:
    monkeypatch.setenv("A_KEY", "sk-1\n")
    assert read_api_key("A_KEY") == "sk-1"
    for wrong in ("“sk-1”", '"sk-1"', "sk 1"):
        monkeypatch.setenv("A_KEY", wrong)
        with pytest.raises(InputError, match="the key alone") as caught:
            read_api_key("A_KEY")
        assert "sk" not in str(caught.value).split("found")[1]


def test_no_room_for_a_prompt_is_named_and_loopback_is_known() -> None:
    with pytest.raises(InputError, match="max_thinking_tokens"):
        check_params(PARAMS.model_copy(update={"base_url": "http://h/v1", "max_thinking_tokens": 30_000}))
    assert [is_loopback(f"http://{host}/v1") for host in ("127.0.0.1:8", "localhost", "[::1]:1", "example.org")] == [
        True, True, True, False,
    ]  # fmt: skip
