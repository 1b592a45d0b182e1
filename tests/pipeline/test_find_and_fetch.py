"""What each finder lists is fetched from its service, with kills and without, to the same bytes."""

import random
import shutil

import pytest

from pipeline.downloads.manifest import read_entries
from pipeline.downloads.sources_file import read_sources
from pipeline.find import find, load
from tests.pipeline.killing import kill_at, start, tree
from tests.pipeline.loopback import serve
from tests.pipeline.services import SERVICES

pytestmark = pytest.mark.slow

NUM_ENTRIES = 300
NUM_KILLS = 20


@pytest.mark.parametrize("kind", SERVICES)
def test_what_a_finder_lists_is_fetched_once_each_whatever_kills_it(tmp_path, root, monkeypatch, kind):
    monkeypatch.setenv("GOVINFO_API_KEY", "k" * 40)
    (tmp_path / "whole").mkdir()
    (tmp_path / "killed").mkdir()
    with serve() as server:
        options = {**(load(kind).find.__kwdefaults__ or {}), **SERVICES[kind](server, NUM_ENTRIES)}
        find(kind, options, NUM_ENTRIES, tmp_path / "whole" / "sources.yaml")
        shutil.copy2(tmp_path / "whole" / "sources.yaml", tmp_path / "killed" / "sources.yaml")
        listed = [source.url for source in read_sources(tmp_path / "whole" / "sources.yaml")]
        assert len(listed) == (12 if kind == "imf" else NUM_ENTRIES)
        assert start(root, tmp_path / "whole").wait() == 0
        last = len(listed) * 3 // 4
        points = [random.Random(kind).randrange(last) for _ in range(NUM_KILLS)]
        num_kills = kill_at(root, tmp_path / "killed", points, seed=7)
        assert num_kills == NUM_KILLS or kind == "imf"  # whose twelve may be there before the kill
        assert start(root, tmp_path / "killed").wait() == 0

    assert tree(tmp_path / "whole") == tree(tmp_path / "killed")
    entries = read_entries(tmp_path / "killed" / "out")
    assert [entry.source for entry in entries] == listed
    assert all(entry.file for entry in entries)
    assert len({entry.doc_id for entry in entries}) == len(listed)
