"""What all tests share."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast

ROOT = Path(__file__).parent.parent
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
SENTENCES = ("The fox sat on the wall and the hound slept.", "Who sat on the wall? The fox did, in the year 1923.")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real and odd documents that stands beside the repository, where there is one."""
    folder = Path(os.environ.get("LONGALPACA_SHARED", ROOT.parent / "shared"))
    if not (folder / "corpus").is_dir():
        pytest.skip(f"{folder} does not exist: no real documents to read")
    return folder


@pytest.fixture(autouse=True)
def one_thread():
    """Run torch on one thread, so that the order of its sums, and so every figure, is always the same."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny_tokenizer():
    """A byte-level BPE of 320 tokens with a chat template; it can write any text."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    names = dict(zip(("unk_token", "bos_token", "eos_token"), SPECIAL_TOKENS, strict=True))
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names, pad_token=SPECIAL_TOKENS[2])
    fast.chat_template = CHAT_TEMPLATE
    return fast


@pytest.fixture(scope="session")
def make_tiny_config() -> Callable[[], LlamaConfig]:
    """Make a Llama of 4 layers with an odd number of heads and grouped keys and values, like SmolLM2's."""
    return lambda: LlamaConfig(
        vocab_size=320,
        hidden_size=36,
        intermediate_size=48,
        num_hidden_layers=4,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=256,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )


@pytest.fixture
def tiny_config(make_tiny_config) -> LlamaConfig:
    """One such config, to be changed at will."""
    return make_tiny_config()


@pytest.fixture
def tiny_model(tmp_path, tiny_config, tiny_tokenizer) -> Path:
    """The folder of a tiny random model with its tokenizer."""
    torch.manual_seed(0)
    folder = tmp_path / "tiny"
    AutoModelForCausalLM.from_config(tiny_config).save_pretrained(folder)
    tiny_tokenizer.save_pretrained(folder)
    return folder
