"""What counts in the loss of an answer, in every chat template that TRL carries; the table of docs/training.md."""

import re
from pathlib import Path

import pytest
import trl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from pipeline.errors import InputError
from pipeline.records import Turn
from train.data.chat import Prompter, PromptParams
from train.data.token_cache import IGNORED

TEMPLATES = {
    file.stem: file.read_text(encoding="utf-8")
    for file in sorted((Path(trl.__file__).parent / "chat_templates").glob("*.jinja"))
    if not file.stem.endswith("_training")
}
CONTROL = re.compile(
    r"<\|[^|\s<>]+\|>|<｜[^｜]+｜>|<\|turn>|<turn\|>|\[gMASK\]|<sop>|</?[a-z]+(?:_[a-z]+)*>|<\|[A-Z_]+\|>"
)
END = "<|endoftext|>"
CHATML = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
ANSWER = "The fox,\n</think>\nsaid <|im_end|>, is  here. "
TABLE = re.compile(r"(?<=\n)\| chat template \|.*?(?=\n\n)", re.DOTALL)


def make_tokenizer(template, eos_token=END):
    """Return a byte-level tokenizer whose special tokens are those that a template writes."""
    special = sorted({END, *CONTROL.findall(template)})
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=280 + len(special), special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(["The fox sat on the wall."], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, eos_token=eos_token, bos_token=END)
    tokenizer.chat_template = template
    return tokenizer


def make_prompter(template, *, thinking=None, assistant_only=False, **arguments):
    """Return a prompter for a chat template."""
    params = PromptParams(
        prompt="chat", enable_thinking=thinking, template_date="2024-07-26", assistant_only=assistant_only
    )
    return Prompter(make_tokenizer(template, **arguments), params)


def decode_labels(prompter, row):
    """Return the text of the tokens that count in the loss."""
    return prompter.conversations.tokenizer.decode([token for token in row.labels if token != IGNORED])


@pytest.mark.parametrize("thinking", [None, False, True])
@pytest.mark.parametrize("name", TEMPLATES)
def test_the_answer_and_what_ends_it_count_in_the_loss(name, thinking):
    prompter = make_prompter(TEMPLATES[name], thinking=thinking)
    row = prompter.encode("  Who sat?</think>", ANSWER, ())
    learned = decode_labels(prompter, row)
    assert learned.startswith(ANSWER)
    ending = learned.removeprefix(ANSWER)
    assert CONTROL.fullmatch(ending.strip()), ending
    assert prompter.encoder.find_first(ending)
    ids = prompter.conversations.tokenizer.convert_tokens_to_ids([ending.strip()])
    assert row.labels.count(ids[0]) == 1  # a control token at the end; the quoted one is text
    assert learned == prompter.conversations.tokenizer.decode(row.ids[-sum(label != IGNORED for label in row.labels) :])
    assert "Who sat?</think>" in prompter.conversations.tokenizer.decode(row.ids)


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_answer_of_a_conversation_counts_where_that_is_asked_for(name):
    turns = [Turn("user", "Who?"), Turn("assistant", "A fox."), Turn("user", "When?"), Turn("assistant", "In 1923.")]
    prompter = make_prompter(TEMPLATES[name], assistant_only=True)
    learned = decode_labels(prompter, prompter.encode("", "", turns))
    rest = re.fullmatch(r"A fox\.(.+?)\s*In 1923\.(.+?)\s*", learned)
    assert [CONTROL.fullmatch(ending) is not None for ending in rest.groups()] == [True, True], learned
    last = make_prompter(TEMPLATES[name])
    assert decode_labels(last, last.encode("", "", turns)).startswith("In 1923.")
    assert last.encode("", "", turns).ids == prompter.encode("", "", turns).ids


def test_a_template_is_the_same_on_every_day(monkeypatch):
    class Later:
        """A clock of another day."""

        @staticmethod
        def now():
            raise AssertionError("a template read the clock")

    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Later)
    for name in ("llama3_2", "gptoss", "muse_glimmer"):
        prompter = make_prompter(TEMPLATES[name])
        text = prompter.conversations.tokenizer.decode(prompter.encode("Who?", "A fox.", ()).ids)
        assert "26 Jul 2024" in text or "2024-07-26" in text, name


def test_what_a_template_strips_of_a_question_is_stripped():
    stripping = CHATML.replace("m.content", "m.content | trim")
    for template, expected in ((stripping, "user\nWho?<|im_end|>"), (CHATML, "user\n \nWho?  <|im_end|>")):
        prompter = make_prompter(template)
        assert expected in prompter.conversations.tokenizer.decode(prompter.encode(" \nWho?  ", "A.", ()).ids)


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("{{ messages[0].content }}", "does not write each of the turns"),
        ("{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}", "does not write each"),
        ("{% for m in messages %}{{ m.content | length }}{% endfor %}", "does not write each"),
        ("{{ raise_exception('no') }}", "a template that fails (no)"),
    ],
)
def test_a_template_that_hides_or_repeats_turns_is_refused(template, found):
    with pytest.raises(InputError, match=re.escape(found)):
        make_prompter(template)


def test_a_template_that_ends_nothing_gets_the_end_of_text_token():
    prompter = make_prompter("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
    assert decode_labels(prompter, prompter.encode("Who?", "A fox.", ())) == "A fox.<|endoftext|>"
    with pytest.raises(InputError, match="without an end-of-text token"):
        make_prompter("{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}", eos_token=None)


def write_table():
    """Return the table of docs/training.md: one line for the templates that treat an answer the same way."""
    kinds = {}
    for name, template in TEMPLATES.items():
        asked = {thinking: make_prompter(template, thinking=thinking) for thinking in (None, False)}
        ending = asked[None].conversations.ending_of_last.strip()
        before = [asked[thinking].conversations.unprompted for thinking in (None, False)]
        kinds.setdefault((ending, *before), []).append(name)
    lines = ["| chat template | ends an answer | before it, not in the prompt | with `enable_thinking: false` |"]
    lines.append("|---|---|---|---|")
    for kind, names in kinds.items():
        shown = [f"`{text}`".replace("\n", "\\n").replace("|", "\\|") if text else "" for text in kind]
        lines.append(f"| {', '.join(names)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def test_the_table_in_the_documentation_is_what_the_templates_do(root):
    text = (root / "docs/training.md").read_text(encoding="utf-8")
    assert TABLE.search(text)[0] == write_table()
