"""Keep the licence of a base model with every model that is made of it.

Meta's licences, for example, ask that LICENSE, a NOTICE and the acceptable-use policy go along with the weights.
"""

import shutil
from fnmatch import fnmatchcase
from pathlib import Path

PATTERNS = ("LICENSE*", "LICENCE*", "NOTICE*", "USE_POLICY*", "COPYING*")
NOTICES = {  # by the Hub's name of the licence: what section 1.b of each asks for, in a file called Notice or NOTICE
    "llama2": "Llama 2 is licensed under the LLAMA 2 Community License, Copyright (c) Meta Platforms, Inc. "
    "All Rights Reserved.",
    **{
        f"llama{number}": f"Llama {number} is licensed under the Llama {number} Community License, Copyright © Meta "
        "Platforms, Inc. All Rights Reserved."
        for number in ("3.1", "3.2", "3.3")
    },
    "llama3": "Meta Llama 3 is licensed under the Meta Llama 3 Community License, Copyright © Meta Platforms, Inc. All "
    "Rights Reserved.",
}


def credit_base(licence: str) -> str:
    """Return what a card must say of the base model: section 1.b of Llama 3's licences."""
    return "Built with Llama. " if licence.startswith("llama3") else ""


def copy_licence_files(source: Path, out: Path) -> None:
    """Copy the licence, notice and policy files of a model's folder to another's."""
    for file in sorted(source.iterdir()):
        if file.is_file() and any(fnmatchcase(file.name.upper(), pattern) for pattern in PATTERNS):
            shutil.copyfile(file, out / file.name)


def write_notice(licence: str, out: Path) -> None:
    """Write the NOTICE that a licence asks for, if the folder has none."""
    if licence in NOTICES and not any(file.name.upper().startswith("NOTICE") for file in out.iterdir()):
        (out / "NOTICE").write_text(NOTICES[licence] + "\n", encoding="utf-8")
