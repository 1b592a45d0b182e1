"""What a reply is worth: whether it is of the right model, of the whole prompt, whole itself, and by its schema."""

import logging
import re

from pipeline.endpoint.budget import TokenCount
from pipeline.endpoint.errors import CUT_OFF, FILTERED, OTHER_MODEL, PROMPT_CUT, REFUSAL, THINKING, RefusedError
from pipeline.endpoint.reply_cache import Reply
from pipeline.endpoint.request_body import Messages
from pipeline.endpoint.structured import ReplyType, parse_content
from pipeline.endpoint.wire import CUT_ENDS, FILTER_ENDS

log = logging.getLogger(__name__)

CUT_CHARACTERS_PER_TOKEN = 12.5  # no text has so many: a server that counts fewer tokens has cut the prompt
ROUND_CHARACTERS_PER_TOKEN = 6.5  # likewise, if the count is that of a context, like 4,096
CONTEXT_STEP, CONTEXT_SLACK = 1_024, 8
VERSION_SUFFIX = re.compile(
    r"^(?:[-@:._ ](?:\d[\w.]*|latest|preview|instruct|it|chat|i?q\d\w*|fp\d+|bf16|f16|awq|gptq|gguf|int\d|k_[msl]))+$"
)


class ReplyReader:
    """Reads the replies of a model, and remembers the names that servers give it."""

    def __init__(self, model: str) -> None:
        """Take the name that the model is asked for by."""
        self._model = model
        self._aliases: set[str] = set()

    def parse(self, reply: Reply, schema: type[ReplyType]) -> ReplyType:
        """Return the content of a reply by its schema.

        Raises:
            RefusedError: Another model answered, it refused, it was cut off, or the content breaks the schema.
        """
        self.check_text(reply)
        content = reply.content.strip()
        if reply.finish_reason in CUT_ENDS:
            if not content or (content.startswith("<think") and "</think" not in content):
                raise RefusedError(THINKING, f"of {reply.max_tokens} tokens none was left for the reply")
            raise RefusedError(CUT_OFF, f"ended by {reply.finish_reason}", again=True, final=True)
        if reply.finish_reason != "stop":
            raise RefusedError(CUT_OFF, f"ended by {reply.finish_reason}", again=True)
        return parse_content(content or reply.thinking, schema)

    def check_text(self, reply: Reply) -> None:
        """Make sure that a reply is one of the model, whole or cut off.

        Raises:
            RefusedError: Another model answered, it refused, or the server held it back.
        """
        self.check_model(reply.model)
        if reply.finish_reason == "refusal":
            raise RefusedError(REFUSAL, again=True, final=True)
        if reply.finish_reason in FILTER_ENDS:
            raise RefusedError(FILTERED, reply.finish_reason, final=True)

    def check_model(self, name: str) -> None:
        """Make sure that a reply is of the model, whose name may carry a date or a format; that is said once.

        Raises:
            RefusedError: It is of another.
        """
        if name in ("", self._model) or not self._model or name in self._aliases:
            return
        if not is_version_of(name, self._model):
            raise RefusedError(OTHER_MODEL, name)
        self._aliases.add(name)
        log.info("the endpoint calls the model %s %s: accepted as the same", self._model, name)


def is_version_of(name: str, asked: str) -> bool:
    """Say whether a name is that of a model with a path, a date, a version or a format: gpt-4o-2024-08-06 is gpt-4o."""
    one, other = (re.split(r"[/\\]", value.lower())[-1].removesuffix(".gguf") for value in (name, asked))
    other = re.sub(r"[-:]latest$", "", other)
    return one == other or (one.startswith(other) and bool(VERSION_SUFFIX.match(one.removeprefix(other))))


def check_prompt(reply: Reply, messages: Messages) -> None:
    """Make sure that the server read the whole prompt.

    Raises:
        RefusedError: It counts far fewer tokens than the prompt can have.
    """
    if not reply.prompt_tokens:
        return
    characters = sum(len(message["content"]) for message in messages)
    ratio = characters / reply.prompt_tokens
    is_round = (reply.prompt_tokens + CONTEXT_SLACK) % CONTEXT_STEP <= 2 * CONTEXT_SLACK
    if ratio > CUT_CHARACTERS_PER_TOKEN or (ratio > ROUND_CHARACTERS_PER_TOKEN and is_round):
        raise RefusedError(PROMPT_CUT, f"{characters} characters were sent, {reply.prompt_tokens} tokens read")


def count_charged(reply: Reply, most: TokenCount) -> TokenCount:
    """Return what a reply is charged: its usage, or what was reserved if the server does not say."""
    if not reply.prompt_tokens:
        return most
    return TokenCount(reply.prompt_tokens, reply.reply_tokens, min(reply.cached_tokens, reply.prompt_tokens))
