"""Decide what a server's error means for the run: wait, try again, refuse one request, or stop."""

import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Literal

from pipeline.endpoint.wire import ServerError

Action = Literal["wait", "retry", "too long", "refuse", "stop"]

WAITING = (425, 429, 503, 529)
RETRIED = (0, 408, 409, 500, 502, 504, 520, 521, 522, 523, 524)
STOPPING = (401, 402, 404)
STOPPING_CODES = re.compile(
    r"insufficient_quota|billing|invalid_api_key|account_deactivated|model_not_found|insufficient_balance",
    re.IGNORECASE,
)
USED_UP = re.compile(
    r"\bper[- ]day\b|\bdaily\b|\b[RT]PD\b|quota exceeded|exceeded your (?:current )?quota|"
    r"(?:insufficient|out of|no more|not enough|add) (?:credits?|balance|funds|quota)|credit balance|spending limit",
    re.IGNORECASE,
)
TOO_LONG = re.compile(
    r"context[ _](?:length|size|window)|maximum context|max_model_len|too many (?:input )?tokens|prompt is too long|"
    r"exceed[s_]*(?: the)? (?:available |model'?s )?context|longer than the model|input length|n_ctx|"
    r"input token count|max_(?:new|input|total)_tokens`? must be|too large for model|"
    r"reduce (?:your|the) (?:prompt|length)",
    re.IGNORECASE,
)
LOADING = re.compile(r"\bloading\b|\bwarming up\b|not (?:yet )?ready|currently loading|is starting", re.IGNORECASE)
MODERATED = re.compile(r"moderation|flagged|safety|content policy|harmful", re.IGNORECASE)
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
RESETS = ("x-ratelimit-reset-requests", "x-ratelimit-reset-tokens", "x-ratelimit-reset", "ratelimit-reset")
EPOCH_SECONDS = 1e9  # a number above this is a time, not a duration; above a thousand times this, in milliseconds


def choose_action(error: ServerError) -> Action:
    """Return what an error asks for."""
    if STOPPING_CODES.search(error.code) or error.status in STOPPING:
        return "stop"
    if error.status in (0, 403, 429) and USED_UP.search(error.message):
        return "stop"
    if error.status == 403:
        return "refuse" if MODERATED.search(error.message) else "stop"
    if error.status in WAITING or (error.status in (0, 500, 502) and LOADING.search(error.message)):
        return "wait"
    if TOO_LONG.search(f"{error.message} {error.code}"):
        return "too long"
    return "retry" if error.status in RETRIED else "refuse"


def read_pause(headers: Mapping[str, str]) -> float:
    """Return the seconds that a server asks to wait, 0 if it does not say.

    `Retry-After` counts first; without it, the latest of the headers that say when a limit is lifted.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    if "retry-after-ms" in found:
        return parse_pause(found["retry-after-ms"] + "ms")
    if found.get("retry-after"):
        return parse_pause(found["retry-after"])
    lifted = [
        parse_pause(found[name])
        for name in RESETS
        if name in found and found.get(name.replace("reset", "remaining"), "0") in ("0", "0.0")
    ]
    return max(lifted, default=0.0)


def parse_pause(value: str) -> float:
    """Return the seconds until a time or of a duration: '20', '6m0s', '1500ms', an HTTP date, or seconds since 1970."""
    try:
        number = float(value)
    except ValueError:
        if value and not DURATION.sub("", value):
            return sum(float(amount) * UNITS[unit] for amount, unit in DURATION.findall(value))
        try:
            number = parsedate_to_datetime(value).timestamp()
        except ValueError:
            return 0.0
    if number > EPOCH_SECONDS:
        number = (number / 1_000 if number > 1_000 * EPOCH_SECONDS else number) - time.time()
    return max(0.0, number) if number < float("inf") else 0.0
