"""How much of a document one request can hold, by the parameters and by what the server says."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from pipeline.endpoint.endpoint_params import EndpointParams
from pipeline.endpoint.errors import TOO_LONG, RefusedError

log = logging.getLogger(__name__)

OVERHEAD_TOKENS = 1_000  # of the instructions around a document
EXAMPLES_TOKENS = 2_500  # of two worked examples, and of the turns before a question
MIN_BODY_TOKENS = 300
Result = TypeVar("Result")


def max_body_tokens(params: EndpointParams) -> int:
    """Return how many tokens of documents a request can hold."""
    return max(MIN_BODY_TOKENS, params.max_prompt_tokens - count_overhead(params))


def count_overhead(params: EndpointParams) -> int:
    """Return how many tokens are around the documents of a request, at most."""
    return OVERHEAD_TOKENS + (EXAMPLES_TOKENS if params.has_room_for_examples else 0)


async def fit_context(max_tokens: int, attempt: Callable[[int], Awaitable[Result]]) -> Result:
    """Return what an attempt gives with up to `max_tokens` tokens of documents in a request.

    Where the server says that a prompt is too long for it, half as many are tried: of 28,000, 14,000, then 7,000.

    Raises:
        RefusedError: The attempt failed for another reason, or the shortest prompt is too long.
    """
    while True:
        try:
            return await attempt(max_tokens)
        except RefusedError as error:
            if error.reason.kind != TOO_LONG or max_tokens // 2 < MIN_BODY_TOKENS:
                raise
            max_tokens //= 2
            log.info("ask: %s; trying with %d tokens of documents", error, max_tokens)
