"""Every attack of attacks_web.py, through the real sandbox: one outcome each, within the limits."""

import importlib.util
import unicodedata
from pathlib import Path

import pytest

from pipeline.readers.sandbox import Sandbox
from pipeline.readers.worker import Limits

SPEC = importlib.util.spec_from_file_location("attacks_web", Path(__file__).with_name("attacks_web.py"))
attacks_web = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(attacks_web)

LIMITS = Limits(
    cpu_seconds=20, cpu_seconds_per_page=0.5, wall_seconds=300, memory_bytes=1_500_000_000, max_text_bytes=64_000_000
)
MAKERS = attacks_web.makers()
REFUSED = {
    "bomb_flat.epub": "bomb",
    "bomb_1000_entries.epub": "bomb",
    "entries_60k.epub": "bomb",
    "overlapping.epub": "hostile",
    "traversal.epub": "hostile",
    "absolute.epub": "hostile",
    "backslash.epub": "hostile",
    "drive.epub": "hostile",
    "symlink.epub": "hostile",
    "duplicate.epub": "hostile",
    "encrypted_entry.epub": "encrypted",
    "encrypted_book.epub": "encrypted",
    "lying_size.epub": "empty",
    "lying_crc.epub": "empty",
    "unknown_method.epub": "empty",
    "package_laughs.epub": "broken",
    "cut.epub": "broken",
    "deflate_broken.epub": "empty",
    "container_to_itself.epub": "empty",
    "comment_only.html": "empty",
    "binary.txt": "encoding",
    "empty.txt": "empty",
}
WARNED = {
    "href_file.epub": "outside the book",
    "href_http.epub": "outside the book",
    "href_broken.epub": "outside the book",
    "container_missing.epub": "the only one taken",
    "deep_1m.html": "nested too deeply",
    "hidden_display.html": "1 hidden elements left out",
    "hidden_white.html": "1 hidden elements left out",
    "hidden_tiny.html": "1 hidden elements left out",
    "hidden_off_page.html": "1 hidden elements left out",
    "bidi.html": "characters that no one sees",
    "tags_unseen.html": "characters that no one sees",
    "unseen.txt": "characters that no one sees",
    "latex_white.tex": "2 hidden parts left out",
    "latex_input.tex": "2 files named by",
}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    lock = tmp_path_factory.mktemp("sandbox") / "lock"
    lock.touch()
    with Sandbox(LIMITS, lock) as box:
        yield box


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_an_attack_is_one_outcome_within_the_limits(sandbox, tmp_path, name):
    path = tmp_path / name
    path.write_bytes(attacks_web.made(MAKERS[name]))

    outcome = sandbox.read(path)

    assert outcome.kind == REFUSED.get(name, ""), outcome.reason
    text = outcome.reading.text if outcome.reading else ""
    assert (attacks_web.GOOD in text) != (name in REFUSED)
    assert attacks_web.CANARY not in repr(outcome)
    assert "root:" not in text
    assert len(text.encode()) <= LIMITS.max_text_bytes
    assert unicodedata.is_normalized("NFC", text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Cf") and char not in "\n\t\u00ad" for char in set(text))
    if name in WARNED:
        assert any(WARNED[name] in warning for warning in outcome.reading.warnings)
    assert sorted(tmp_path.iterdir()) == [path]


def test_there_are_enough_attacks_and_every_expectation_is_about_one():
    assert len(MAKERS) >= 35
    assert REFUSED.keys() | WARNED.keys() <= MAKERS.keys()
