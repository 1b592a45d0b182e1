"""Every attack on the reader of PDF is one outcome within the limits, and what can be read of it is read."""

import re

import pytest

from pipeline.readers.sandbox import Sandbox
from pipeline.readers.worker import Limits
from tests.pipeline.readers.attacks_pdf import ATTACKS, WORDS

LIMITS = Limits(
    cpu_seconds=3, cpu_seconds_per_page=0.5, wall_seconds=120, memory_bytes=1_500_000_000, max_text_bytes=10_000_000
)
KINDS = {"broken", "crash", "empty", "encrypted", "hostile", "memory", "reader", "timeout", "too large"}
REFUSED = {  # there is nothing to read, or not to whom it is given
    "encrypted-user-aes": "encrypted",
    "encrypted-user-rc4": "encrypted",
    "many-kids": "too large",
    "no-bytes": "empty",
    "tree-fan": "too large",
    "unknown-encryption": "encrypted",
}
UNSURE = {  # what is left may be read or not; of bombs, the engine's own limits decide
    *(f"cut-{percent}" for percent in range(10, 100, 10)),
    *("flate-bomb", "flate-twice", "lzw-bomb", "run-length-bomb", "operators-tj", "operators-q"),
    *("xref-stream-loop", "map-of-billions", "map-of-one-to-many", "unended-stream"),
    *("header-alone", "zero-bytes", "noise"),
    *("scattered-words", "one-spot", "grid"),  # they have other words
}
SLOW = {"flate-bomb", "flate-twice", "form-fan", "form-pair", "form-self", "map-of-one-to-many", "scattered-words"}
SLOW |= {"operators-tj", "operators-q"}
UNWANTED = re.compile(r"[\ud800-\udfff\x00-\x08\x0b\x0c\x0e-\x1f]")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One worker for all: what harms it would harm those that come after."""
    lock = tmp_path_factory.mktemp("sandbox") / "lock"
    lock.touch()
    with Sandbox(LIMITS, lock) as box:
        yield box


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in ATTACKS]
)
def test_an_attack_is_one_outcome(name, sandbox, tmp_path):
    path = tmp_path / "attack.pdf"
    path.write_bytes(ATTACKS[name]())

    outcome = sandbox.read(path)

    if name in REFUSED:
        assert outcome.kind == REFUSED[name]
    elif name not in UNSURE:
        assert outcome.reading is not None, outcome
        assert WORDS in outcome.reading.text
    if outcome.reading is None:
        assert outcome.kind in KINDS
        assert outcome.reason.isprintable()
    else:
        for value in (outcome.reading.text, outcome.reading.title, *outcome.reading.authors):
            assert not UNWANTED.search(value)


def test_after_all_of_them_the_worker_reads_on(sandbox, tmp_path):
    (tmp_path / "a.txt").write_text("some text")

    assert sandbox.read(tmp_path / "a.txt").reading.text == "some text"


def test_there_are_attacks_enough_and_each_is_built_as_it_is_named():
    assert len(ATTACKS) >= 50
    assert set(REFUSED) | UNSURE | SLOW <= set(ATTACKS)
