"""The lock file of a sources file is replaced whole."""

from pathlib import Path

from pipeline.downloads.lockfile import Locked, read_lock, write_lock


def test_what_a_killed_run_left_beside_the_lock_file_goes_when_it_is_written(tmp_path: Path) -> None:
    left = tmp_path / f".sources.yaml.lock.{'0' * 32}.tmp"
    left.write_text("{")
    other = tmp_path / f".other.yaml.lock.{'0' * 32}.tmp"
    other.write_text("{")
    locks = {"http://a": Locked(sha256="0" * 64, size=1)}
    write_lock(tmp_path / "sources.yaml.lock", locks)
    assert read_lock(tmp_path / "sources.yaml.lock") == locks
    assert not left.exists()
    assert other.exists()
