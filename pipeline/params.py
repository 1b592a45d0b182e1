"""Read one section of `params.yaml` into a frozen, strict model.

`params.yaml` holds every value once; the models hold types and meanings, and no defaults. A stage sees its own
section alone.
"""

import re
from pathlib import Path
from typing import Any, ClassVar, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import InputError

MAX_PARAMS_BYTES = 1_000_000
WORD_BORDER = re.compile(r"(?<=[a-z])(?=[A-Z])")
NUMBER_WITHOUT_POINT = re.compile(r"^[+-]?\d+[eE][+-]?\d+$")


class Part(BaseModel):
    """A mapping within a section, checked as strictly as the section itself."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Params(BaseModel):
    """A section of `params.yaml`; the subclass `MixParams` reads section `mix`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")
    section: ClassVar[str]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Name the section after the class: `ShortAbilityParams` reads `short_ability`."""
        super().__init_subclass__(**kwargs)
        cls.section = WORD_BORDER.sub("_", cls.__name__.removesuffix("Params")).lower()

    @classmethod
    def locate(cls, params_file: Path) -> Path:
        """Return the file that holds this section; recipes keep theirs in a file of their own."""
        return params_file

    @classmethod
    def load(cls, params_file: Path) -> Self:
        """Read this section.

        Raises:
            InputError: The file or section is missing, or a key is unknown, missing or mistyped.
        """
        file = cls.locate(params_file)
        return cls.parse(file, read_yaml(file))

    @classmethod
    def parse(cls, file: Path, content: dict[str, Any]) -> Self:
        """Check one section of an already read file.

        Raises:
            InputError: The section is missing, or a key is unknown, missing or mistyped.
        """
        if cls.section not in content:
            raise InputError(
                file,
                found=f"no section '{cls.section}'",
                expected=f"a section '{cls.section}' with {', '.join(cls.model_fields)}",
                fix="Add it, or name another file with --params.",
            )
        try:
            return cls.model_validate(content[cls.section])
        except ValidationError as error:
            raise explain_validation_error(file, cls.section, error) from error


def read_yaml(file: Path) -> dict[str, Any]:
    """Read a YAML file whose top is a mapping.

    Raises:
        InputError: It is missing, too large, not YAML, or not a mapping.
    """
    if not file.is_file():
        raise InputError(file, found="no such file", expected="a YAML file", fix="Name it with --params.")
    if file.stat().st_size > MAX_PARAMS_BYTES:
        raise InputError(
            file, found="more than 1 MB", expected="a parameter file", fix="Check that this is the right file."
        )
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(file, found=f"broken YAML ({reason})", expected="valid YAML", fix="Correct it.") from error
    if not isinstance(content, dict):
        raise InputError(
            file,
            found=f"a {type(content).__name__} at the top",
            expected="a mapping of sections",
            fix="Compare it with the params.yaml of the repository.",
        )
    return content


def explain_validation_error(file: Path, section: str, error: ValidationError) -> InputError:
    """Turn the first of pydantic's complaints into one line that names file, section and key."""
    first = error.errors()[0]
    key = ".".join([section, *(str(part) for part in first["loc"])])
    value = first["input"]
    if first["type"] == "extra_forbidden":
        found, expected, advice = (
            "an unknown key",
            "a key that the stage knows",
            "Check its spelling, or remove it.",
        )
    elif first["type"] == "missing":
        found, expected, advice = "no such key", "a value", "Add it."
    else:
        found, expected, advice = repr(value), first["msg"].removeprefix("Input should be "), "Correct the value."
    if isinstance(value, str) and NUMBER_WITHOUT_POINT.match(value):
        advice = f"YAML reads '{value}' as text; write it with a point, like '{value.replace('e', '.0e')}'."
    return InputError(f"{file}: {key}", found=found, expected=expected, fix=advice)
