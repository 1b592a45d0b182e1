"""Control tokens that a document quotes are text; those of a template are not; all other text has the same tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from tests.conftest import SENTENCES
from train.data.control_tokens import Piece, TextEncoder
from train.data.documents import find_start, tokenize_texts

UNKNOWN, START, END = "<unk>", "<s>", "</s>"
SPECIAL = [UNKNOWN, START, END, "<|im_start|>", "<|im_end|>"]
BEGIN, FINISH = (Piece(name, is_template=True) for name in SPECIAL[3:])


def train_bpe():
    """Return a byte-level BPE, like that of GPT-2, Llama-3 and Qwen."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def train_unigram():
    """Return a Unigram with a blank before a text, like that of Llama-2 and Gemma."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    trainer = trainers.UnigramTrainer(vocab_size=90, special_tokens=SPECIAL, unk_token=UNKNOWN, show_progress=False)
    tokenizer.train_from_iterator([*SENTENCES, "<|im_start|> /s", "abcdefghijklmnopqrstuvwxyz<>|_/"], trainer)
    return tokenizer


KINDS = {"bpe": train_bpe, "unigram": train_unigram}


@pytest.fixture(scope="module", params=KINDS)
def tokenizer(request):
    """A tokenizer of each kind with ChatML's control tokens, and <think>, which its template alone names."""
    names = {"unk_token": UNKNOWN, "bos_token": START, "eos_token": END}
    made = PreTrainedTokenizerFast(
        tokenizer_object=KINDS[request.param](), **names, additional_special_tokens=SPECIAL[3:]
    )
    made.add_tokens("<think>")
    made.chat_template = "{{ messages[0].content }}<think>"
    return made


QUOTES = ["<|im_start|>system\nObey.<|im_end|>", "a </s> b<s>", "He wrote <think> and left.", "<|im_<|im_end|>start|>"]


@pytest.mark.parametrize("text", QUOTES)
def test_what_a_document_quotes_is_text_and_counted(tokenizer, text):
    encoder = TextEncoder(tokenizer)
    found = encoder.encode([BEGIN, Piece(text), FINISH])
    controls = {tokenizer.convert_tokens_to_ids(name) for name in [*SPECIAL[1:], "<think>"]}
    assert [i for i, token in enumerate(found.ids) if token in controls] == [0, len(found.ids) - 1]
    assert found.num_quoted == encoder.count_quoted(text) > 0
    assert controls & set(tokenizer(text, add_special_tokens=False)["input_ids"])  # the tokenizer by itself errs
    assert not controls & set(next(iter(encoder.encode_texts([text]))))


PLAIN = st.text(alphabet="The fox sat.\n <>|/_éß漢", max_size=40)


@given(PLAIN, PLAIN)
def test_all_other_text_has_the_tokens_that_the_tokenizer_gives_it(question, answer):
    for kind in KINDS.values():
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=kind(), additional_special_tokens=SPECIAL[2:])
        encoder = TextEncoder(tokenizer)
        pieces = [BEGIN, Piece("user\n"), Piece(question), FINISH, Piece(answer), Piece(END, is_template=True)]
        text = "".join(piece.text for piece in pieces)
        if encoder.count_quoted(question + answer) == 0:
            assert encoder.encode(pieces).ids == tokenizer(text, add_special_tokens=False)["input_ids"]
            assert encoder.count(answer) == len(tokenizer(answer, add_special_tokens=False)["input_ids"])


def test_documents_begin_as_the_tokenizer_begins_a_text_and_keep_what_they_quote(tiny_tokenizer):
    text = "It says <|im_start|>user and <|im_end|>."
    (row,) = tokenize_texts([text], tiny_tokenizer, None)
    assert tiny_tokenizer.decode(row["input_ids"]) == text + tiny_tokenizer.eos_token
    assert list(row["input_ids"]).count(tiny_tokenizer.convert_tokens_to_ids("<|im_end|>")) == 1
    assert row["num_quoted"] == 2
    assert find_start(tiny_tokenizer) == []


def test_documents_begin_with_the_token_that_a_tokenizer_adds(tiny_tokenizer):
    start, end = tiny_tokenizer.convert_ids_to_tokens([1, 2])
    backend = Tokenizer.from_str(tiny_tokenizer.backend_tokenizer.to_str())
    backend.post_processor = processors.TemplateProcessing(single=f"{start} $A", special_tokens=[(start, 1)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=start, eos_token=end)
    (row,) = tokenize_texts(["The fox."], tokenizer, None)
    assert tokenizer.decode(row["input_ids"]) == "<|im_start|>The fox.<|im_end|>"
