"""A model's chat template as text around turns, so that no template can change, cut or hide what a turn says.

Templates strip, split and rewrite what they are given: many cut an answer at '</think>'. So a template is rendered with
a placeholder for each turn, and the turns are put in afterwards. Where a placeholder is lost, the template is refused.

What counts in the loss is the answer and what ends it: the control token that the template writes after it; if it
writes none, the one that a following turn begins with (GLM-4.5 stops at <|user|>); otherwise the end-of-text token.
"""

import json
import re
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from typing import Any

from jinja2 import TemplateError
from transformers import PreTrainedTokenizerBase

from pipeline.errors import InputError
from pipeline.records import Turn
from train.data.control_tokens import Piece, TextEncoder

PLACEHOLDER = "TURN{:04d}TEXT"
PLACEHOLDERS = re.compile(r"TURN(\d{4})TEXT")
CLOCK = re.compile(r"""strftime_now\(\s*(["'])(.*?)\1\s*\)""")
BLANKS = " \n"


class Conversations:
    """Writes conversations in the chat template of a tokenizer."""

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        encoder: TextEncoder,
        *,
        enable_thinking: bool | None,
        day: date,
        learn_every_answer: bool,
    ) -> None:
        """Take what a template may ask for.

        Args:
            tokenizer: With the chat template.
            encoder: Of the same tokenizer.
            enable_thinking: What the template gets under this name; None for nothing.
            day: What the template takes for today, so that equal rows have equal tokens on every day.
            learn_every_answer: Whether every answer counts in the loss, or the last one alone.
        """
        self.tokenizer, self.encoder = tokenizer, encoder
        self.template = stop_clock(tokenizer.get_chat_template(), day)
        self.learn_every_answer = learn_every_answer
        self.options = {} if enable_thinking is None else {"enable_thinking": enable_thinking}
        self._frames: dict[tuple[str, ...], list[str]] = {}

    def write(self, turns: Sequence[Turn]) -> list[Piece]:
        """Return the pieces of a conversation that ends with an answer, up to what ends that answer.

        Raises:
            InputError: The template cannot write such turns.
        """
        roles = tuple(turn.role for turn in turns)
        frames, pieces = self.frames(roles), []
        for number, (frame, turn) in enumerate(zip(frames, turns, strict=False)):
            is_answer = turn.role == "assistant" and (self.learn_every_answer or number == len(turns) - 1)
            text = turn.content if turn.role == "assistant" else self.strip_as_template(turn.content)
            after = frames[number + 1]
            ending = self.find_ending(after)
            if number == len(turns) - 1:
                after = ending = self.ending_of_last
            if is_answer and not ending:
                raise template_error("no control token after an answer that another turn follows")
            pieces += [Piece(frame, is_template=True)] if number == 0 else []
            pieces.append(Piece(text, is_labelled=is_answer))
            num_ending = len(ending) if is_answer else 0
            pieces.append(Piece(after[:num_ending], is_template=True, is_labelled=True))
            pieces.append(Piece(after[num_ending:], is_template=True))
        return [piece for piece in pieces if piece.text]

    def write_prompt(self, turns: Sequence[Turn]) -> list[Piece]:
        """Return the pieces of a conversation that an answer is to follow, up to where the answer begins.

        Raises:
            InputError: The template cannot write such turns.
        """
        roles = [turn.role for turn in turns]
        texts = [PLACEHOLDER.format(number) for number in range(len(turns))]
        frames = PLACEHOLDERS.split(self.render(roles, texts, is_prompt=True))[::2]
        pieces = [Piece(frames[0], is_template=True)]
        for frame, turn in zip(frames[1:], turns, strict=True):
            text = turn.content if turn.role == "assistant" else self.strip_as_template(turn.content)
            pieces += [Piece(text), Piece(frame, is_template=True)]
        return [piece for piece in pieces if piece.text]

    def frames(self, roles: tuple[str, ...]) -> list[str]:
        """Return the text before, between and after turns of some roles."""
        if roles not in self._frames:
            texts = [PLACEHOLDER.format(number) for number in range(len(roles))]
            parts = PLACEHOLDERS.split(self.render(roles, texts))
            if parts[1::2] != [f"{number:04d}" for number in range(len(roles))]:
                raise template_error(f"a template that does not write each of the turns {', '.join(roles)} once")
            self._frames[roles] = parts[::2]
        return self._frames[roles]

    def render(self, roles: Sequence[str], texts: Sequence[str], *, is_prompt: bool = False) -> str:
        """Return what the template writes; the contents are strings, or parts if it cannot take strings."""
        try:
            written = self.apply(roles, texts, is_prompt=is_prompt)
            if PLACEHOLDERS.findall(written) == PLACEHOLDERS.findall("".join(texts)):
                return written
            failed: Exception = ValueError("it does not write each turn once")
        except (TemplateError, TypeError) as error:
            failed = error
        parts = [[{"type": "text", "text": text}] for text in texts]
        try:
            return self.apply(roles, parts, is_prompt=is_prompt)
        except (TemplateError, TypeError):
            raise template_error(f"a template that fails ({' '.join(str(failed).split())[:200]})") from failed

    def apply(self, roles: Sequence[str], contents: Sequence[Any], *, is_prompt: bool) -> str:
        """Render the template."""
        written: str = self.tokenizer.apply_chat_template(
            [{"role": role, "content": content} for role, content in zip(roles, contents, strict=True)],
            tokenize=False,
            add_generation_prompt=is_prompt,
            chat_template=self.template,
            **self.options,
        )
        return written

    def find_ending(self, after: str) -> str:
        """Return what ends an answer, from the text that follows it; '' if that does not begin with a control token."""
        match = self.encoder.find_first(after)
        if match is None or after[: match.start()].strip():
            return ""
        return after[: match.end()]

    @cached_property
    def ending_of_last(self) -> str:
        """What ends the last answer: a control token, and the blanks that the template writes after it."""
        after = self.frames(("user", "assistant"))[-1]
        ending = self.find_ending(after)
        if ending:
            rest = after[len(ending) :]
            return ending if rest.strip() else ending + rest
        marker = after.rstrip()
        if not marker:
            following = self.find_ending(self.frames(("user", "assistant", "user"))[2])
            if following:
                return following
        if not self.tokenizer.eos_token:
            raise template_error("no control token after an answer, and a tokenizer without an end-of-text token")
        return f"{marker}{self.tokenizer.eos_token}"

    @cached_property
    def strips(self) -> tuple[bool, bool]:
        """Whether the template strips blanks before and after what a user says."""
        text = PLACEHOLDER.format(0)
        written = self.render(["user"], [f"{BLANKS}{text}{BLANKS}"])
        return f"{BLANKS}{text}" not in written, f"{text}{BLANKS}" not in written

    def strip_as_template(self, text: str) -> str:
        """Return what a user says, without the blanks that the template strips."""
        before, after = self.strips
        text = text.lstrip() if before else text
        return text.rstrip() if after else text

    @cached_property
    def unprompted(self) -> str:
        """What the template writes before an answer, but not in the prompt that a model gets when it answers."""
        frame = self.frames(("user", "assistant"))[1]
        prompt = self.render(["user"], [PLACEHOLDER.format(0)], is_prompt=True).split(PLACEHOLDER.format(0))[-1]
        return "" if frame.rstrip() == prompt.rstrip() else frame.removeprefix(prompt) or frame


def stop_clock(template: str, day: date) -> str:
    """Return a template that writes this day where it asks for today's, so that a row's tokens never change."""
    return CLOCK.sub(lambda match: json.dumps(day.strftime(match[2])), template)


def template_error(found: str) -> InputError:
    """Return the error for a chat template that rows cannot be written in."""
    return InputError(
        "sft.prompt",
        found=found,
        expected="a chat template that writes each turn whole, and ends each answer",
        fix="Correct the model's chat_template, or set it to llama2.",
    )
