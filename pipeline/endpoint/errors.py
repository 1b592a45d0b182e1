"""The exceptions for a request without a usable reply, and what to do about each kind."""

from pipeline.rejections import Reason

NOT_BY_SCHEMA = "reply not by the schema"
CUT_OFF = "reply cut off"
THINKING = "reply used up by thinking"
OTHER_MODEL = "reply of another model"
REFUSAL = "reply refused by the model"
FILTERED = "reply filtered by the server"
PROMPT_CUT = "prompt cut by the server"
TOO_LONG = "prompt too long for the server"
ENDPOINT = "endpoint"
STOPPED = "endpoint stopped"
BUDGET = "budget"
BATCHED = "waiting for a batch"
CHUNK = "chunk not read"
QUOTE = "quote not found"
QUESTION = "question refused"
NOT_ANSWERED = "question not answered"
SET_ASIDE = (BUDGET, QUESTION, NOT_ANSWERED)  # what a sound run refuses too: no fault of a reply

FIXES = {
    NOT_BY_SCHEMA: (
        "Start the server with structured output, try another endpoint.structured_output, or use a larger model."
    ),
    CUT_OFF: "Raise endpoint.max_reply_tokens; finished replies are kept.",
    THINKING: "Switch thinking off in endpoint.extra_body, or raise endpoint.max_thinking_tokens (docs/teachers.md).",
    OTHER_MODEL: "Set endpoint.model to the name that the server replies with.",
    REFUSAL: "Try another model, or leave these documents out.",
    FILTERED: "Leave these documents out, or use a server without a filter.",
    PROMPT_CUT: (
        "Start the server with a longer context (Ollama: OLLAMA_CONTEXT_LENGTH), or lower endpoint.max_context_tokens"
        " to what it has."
    ),
    QUESTION: "Use a larger model, or documents with more in them: this one's questions are not worth an answer.",
    NOT_ANSWERED: "Use a larger model: this one asks what the documents do not answer.",
    TOO_LONG: "Lower endpoint.max_context_tokens to what the server has, or start it with a longer context.",
    ENDPOINT: "Look at the server's log, then run again: only what failed is asked for.",
    STOPPED: "Settle that with the server, then run again: only what failed is asked for.",
    BUDGET: "Raise endpoint.max_tokens or endpoint.max_cost, and run again: only what is missing is asked for.",
    CHUNK: "Run again: only what failed is asked for.",
    QUOTE: "Use a larger model: this one does not quote word for word.",
}


class RefusedError(Exception):
    """A request without a usable reply; the reason goes into the row of its example."""

    def __init__(self, kind: str, detail: str = "", *, again: bool = False, final: bool = False) -> None:
        """Say why, as `Reason` does.

        Args:
            kind: What reports count by.
            detail: This case.
            again: Whether another sample of the same request may be usable.
            final: Whether a later run need not ask again, since the fault is the model's and not the server's.
        """
        self.reason = Reason(kind, detail)
        self.again = again
        self.final = final
        super().__init__(str(self.reason))


class StoppedError(RefusedError):
    """A fault that every further request would meet: a refused key, a used-up quota, a server that is gone."""


def find_fix(kind: str) -> str:
    """Return what to do about reasons of a kind, '' if nothing general can be said."""
    return FIXES.get(kind, "")
