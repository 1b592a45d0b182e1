"""Tokenize text in which documents may quote control tokens, such as <|im_start|> or </s>.

A tokenizer cannot tell a control token that a chat template wrote from one that a document quotes: it turns both into
the control token, and the document then ends a turn. Here the tokenizer's control tokens are renamed to strings that no
document has. The template's text uses the new names, and a document's '<|im_start|>' is ordinary text.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerBase

from pipeline.errors import InputError

OPENING, CLOSING = "\ufdd0", "\ufdd1"  # Unicode's noncharacters, which no text may hold; an alias is '\ufdd07\ufdd1'
REPLACEMENT = "\ufffd"


@dataclass(frozen=True)
class Piece:
    """A part of a row's text."""

    text: str
    is_template: bool = False  # its control tokens are control tokens; those of any other text are text
    is_labelled: bool = False  # its tokens count in the loss


@dataclass(frozen=True)
class Encoded:
    """The tokens of a row."""

    ids: list[int]
    is_labelled: list[bool]
    num_quoted: int  # control tokens that were encoded as text


class TextEncoder:
    """Encodes text with a model's tokenizer; control tokens are such only where a template wrote them."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Rename the control tokens of a copy of the tokenizer.

        Raises:
            InputError: The tokenizer is not one of the tokenizers library.
        """
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise InputError(
                tokenizer.name_or_path,
                found=f"{type(tokenizer).__name__}, which has no tokenizer.json",
                expected="a tokenizer of the tokenizers library",
                fix="Convert it: load it with use_fast=True, and save it.",
            )
        names = find_control_tokens(tokenizer)
        self.aliases = {name: f"{OPENING}{number}{CLOSING}" for number, name in enumerate(names)}
        self.pattern = re.compile("|".join(map(re.escape, names)) or r"(?!)")
        self.backend = rename_tokens(backend, self.aliases)

    def encode(self, pieces: Sequence[Piece], *, add_special_tokens: bool = False) -> Encoded:
        """Return the tokens of pieces of text, joined before they are tokenized.

        A token across the border of two pieces counts in the loss if one of them does.
        """
        written = [self.protect(piece) for piece in pieces]
        found = self.backend.encode("".join(written), add_special_tokens=add_special_tokens)
        spans, end = [], 0
        for piece, text in zip(pieces, written, strict=True):
            spans += [(end, end + len(text))] if piece.is_labelled else []
            end += len(text)
        is_labelled = mark_spans(found.offsets, spans)
        num_quoted = sum(self.count_quoted(piece.text) for piece in pieces if not piece.is_template)
        return Encoded(found.ids, is_labelled, num_quoted)

    def encode_texts(self, texts: Sequence[str]) -> Iterable[list[int]]:
        """Yield the tokens of each text, without special tokens."""
        written = [self.protect(Piece(text)) for text in texts]
        return (found.ids for found in self.backend.encode_batch_fast(written, add_special_tokens=False))

    def count(self, text: str) -> int:
        """Count the tokens of a text."""
        return len(self.backend.encode(self.protect(Piece(text)), add_special_tokens=False))

    def count_quoted(self, text: str) -> int:
        """Count the control tokens that a text quotes."""
        return len(self.pattern.findall(text))

    def find_first(self, text: str) -> re.Match[str] | None:
        """Find the first control token in a template's text."""
        return self.pattern.search(text)

    def protect(self, piece: Piece) -> str:
        """Return a piece's text as the renamed tokenizer takes it."""
        if piece.is_template:
            return self.pattern.sub(lambda match: self.aliases[match[0]], piece.text)
        return piece.text.replace(OPENING, REPLACEMENT)


def find_control_tokens(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the control tokens, the longest first: special ones, and others that the chat template writes.

    Qwen3's <think> is none of the special tokens, but its template writes it.
    """
    template = json.dumps(tokenizer.chat_template or "", ensure_ascii=False)
    names = {
        token.content
        for token in tokenizer.added_tokens_decoder.values()
        if token.special or (not token.content.isspace() and token.content in template)
    }
    return sorted(names | {tokenizer.eos_token or ""} - {""}, key=lambda name: (-len(name), name))


def rename_tokens(backend: Tokenizer, names: dict[str, str]) -> Tokenizer:
    """Return a copy of a tokenizer in which some tokens have other names and the same numbers."""
    content: dict[str, Any] = json.loads(backend.to_str())
    content["truncation"] = content["padding"] = None
    for token in content["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model = content["model"]
    if isinstance(model["vocab"], dict):
        model["vocab"] = {names.get(name, name): number for name, number in model["vocab"].items()}
    else:
        model["vocab"] = [[names.get(name, name), score] for name, score in model["vocab"]]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    return Tokenizer.from_str(json.dumps(content))


def mark_spans(offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]) -> list[bool]:
    """Tell of each token whether it shares a character with a span; both are in the order of the text."""
    marks, number = [], 0
    for start, end in offsets:
        while number < len(spans) and spans[number][1] <= start:
            number += 1
        marks.append(number < len(spans) and start < end and spans[number][0] < end)
    return marks
