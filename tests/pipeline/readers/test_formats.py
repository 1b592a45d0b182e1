"""Formats are found by themselves, asked in a fixed order, and one file adds another."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from pipeline.readers.formats.format import all_formats, suffix_media_types
from pipeline.readers.sandbox import Sandbox
from pipeline.readers.worker import Limits

ROOT = Path(__file__).parents[3]
LIMITS = Limits(
    cpu_seconds=10, cpu_seconds_per_page=1, wall_seconds=60, memory_bytes=1_500_000_000, max_text_bytes=1_000_000
)
SUBTITLES = '''
"""Subtitles: lines of text between numbers and times."""

from pipeline.readers.common.reading import Reading
from pipeline.readers.formats.format import Format


def read(path, context):
    lines = [line for line in path.read_text().splitlines() if line and not line[0].isdigit()]
    return Reading(text=" ".join(lines), reader="subtitles")


FORMAT = Format(
    name="subtitles",
    media_type="application/x-subrip",
    suffixes={".srt": "application/x-subrip"},
    priority=500,
    recognises=lambda sample: b" --> " in sample.head,
    load=lambda: read,
)
'''


def test_formats_are_asked_in_one_order() -> None:
    names = ["pdf", "epub", "latex archive", "openreview", "edgar submission", "latex", "html", "text"]
    assert list(all_formats()) == names
    assert max(Counter(each.priority for each in all_formats().values()).values()) == 1


def test_no_two_formats_claim_a_suffix() -> None:
    assert len(suffix_media_types()) == sum(len(each.suffixes) for each in all_formats().values())
    assert suffix_media_types()[".xhtml"] == "application/xhtml+xml"


def test_the_table_of_suffixes_imports_no_parser() -> None:
    program = (
        "import sys; from pipeline.readers.formats.format import suffix_media_types; suffix_media_types();"
        "assert not {'lxml', 'pypdf', 'pypdfium2', 'charset_normalizer', 'pyarrow'} & set(sys.modules), sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


@pytest.mark.skipif(sys.platform != "linux", reason="reads in the real sandbox")
def test_a_reader_is_added_by_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pipeline/readers/formats/subtitles.py").write_text(SUBTITLES)
    (tmp_path / "a.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nGood morning,\n\n2\n00:00:03 --> 00:00:04\nOslo.\n"
    )
    (tmp_path / "lock").touch()
    monkeypatch.chdir(tmp_path)  # `python -m` looks here first, and so the worker runs the copy
    monkeypatch.syspath_prepend(tmp_path)

    with Sandbox(LIMITS, tmp_path / "lock") as box:
        outcome = box.read(tmp_path / "a.srt")

    assert outcome.reading is not None, outcome.reason
    assert outcome.reading.text == "Good morning, Oslo."
    assert outcome.media_type == "application/x-subrip"
