"""Write a conversation as the tokens that a model is to go on from, exactly as its training rows were written."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from pipeline.errors import InputError
from pipeline.records import Turn
from train.data.control_tokens import Piece, TextEncoder
from train.data.templates import Conversations

DAY = date(2026, 1, 1)  # what a template takes for today, so that equal prompts have equal tokens on every day


class PromptWriter:
    """Writes prompts in a template, and encodes them; control tokens that a text quotes stay text."""

    def __init__(self, tokenizer: Any, template: Literal["chat", "llama2", "plain"]) -> None:
        """Take the tokenizer of the model.

        Raises:
            InputError: It has no chat template, and one is asked for.
        """
        if template == "chat" and not tokenizer.chat_template:
            raise InputError(
                "model.template",
                found="chat, for a tokenizer without a chat template",
                expected="a model that has one, or another template",
                fix="Set it to plain for a base model, or to llama2.",
            )
        self.template = template
        self.tokenizer = tokenizer
        self.encoder = TextEncoder(tokenizer)
        self.conversations = (
            Conversations(tokenizer, self.encoder, enable_thinking=False, day=DAY, learn_every_answer=False)
            if template == "chat"
            else None
        )

    def encode(self, turns: Sequence[Turn], answer_start: str = "") -> list[int]:
        """Return the tokens of a conversation, and of the first words of the answer to it."""
        pieces = [*self.write(turns), *([Piece(answer_start)] if answer_start else [])]
        return self.encoder.encode(pieces, add_special_tokens=self.conversations is None).ids

    def write(self, turns: Sequence[Turn]) -> list[Piece]:
        """Return the pieces of a conversation, up to where the answer begins."""
        if self.conversations is not None:
            return self.conversations.write_prompt(turns)
        if self.template == "plain":
            return [Piece("\n\n".join(turn.content for turn in turns))]
        return [piece for turn in turns for piece in self.write_llama2(turn)]

    def write_llama2(self, turn: Turn) -> list[Piece]:
        """Return a turn as Llama 2 and the original have it."""
        if turn.role == "assistant":
            return [Piece(f" {turn.content} "), Piece(self.tokenizer.eos_token, is_template=True)]
        return [Piece("[INST]", is_template=True), Piece(turn.content), Piece("[/INST]", is_template=True)]

    def find_ends(self, configured: int | Sequence[int] | None) -> frozenset[int]:
        """Return the tokens that end a reply: those of the model's config, the tokenizer's, and the template's."""
        listed = [configured] if isinstance(configured, int) else [*(configured or ())]
        found = {*listed, self.tokenizer.eos_token_id}
        if self.conversations is not None:
            ending = [Piece(self.conversations.ending_of_last.strip(), is_template=True)]
            found.update(self.encoder.encode(ending).ids[:1])
        return frozenset(found - {None})
