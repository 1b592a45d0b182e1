"""Write tables of figures as JSON and Markdown, with the conditions of the measurement."""

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.files import replacing, write_json

READERS = ("lxml", "pyarrow", "pypdf", "pypdfium2", "tokenizers")

Row = tuple[str | int | float | None, ...]


@dataclass(frozen=True)
class Table:
    """A caption, column names, and rows of figures and words."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def conditions(libraries: Sequence[str] = READERS) -> dict[str, str]:
    """Return what figures depend on besides the code: machine, load, versions of libraries."""
    load = os.getloadavg()[0]
    return {
        "processor": f"{os.cpu_count()} cores, {processor()}",
        "system": f"{platform.system()} {platform.release()}, load {load:.1f} at the start",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in libraries)]
        ),
    }


def processor() -> str:
    """Return the name of the processor, if the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def shown(value: str | float | None) -> str:
    """Return a cell of a Markdown table."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def to_markdown_table(table: Table) -> str:
    """Return a table as Markdown, with its caption before it."""
    lines = [list(table.header), ["---"] * len(table.header), *([shown(cell) for cell in row] for row in table.rows)]
    return "\n".join([table.caption, "", *(f"| {' | '.join(line)} |" for line in lines)])


def write_tables(out: Path, name: str, given: dict[str, str], tables: Sequence[Table]) -> str:
    """Write OUT/NAME.json and OUT/NAME.md, and return the latter's text."""
    listed: list[dict[str, Any]] = [asdict(table) for table in tables]
    write_json(out / f"{name}.json", {"conditions": given, "tables": listed})
    head = "\n".join(f"- {key}: {value}" for key, value in given.items())
    text = "\n\n".join([f"# {name}", head, *(to_markdown_table(table) for table in tables)]) + "\n"
    with replacing(out / f"{name}.md") as beside:
        beside.write_text(text, encoding="utf-8")
    return text
