"""Upload files to a repository of the Hub, atomically however often the upload is interrupted.

Every step first checks whether it is done already. Large files are uploaded one by one; a single commit makes all of
them visible at once.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError
from huggingface_hub.hf_api import RepoFile

from pipeline.errors import InputError
from pipeline.files import hash_file

MAIN = "main"
KEPT = {".gitattributes"}  # written by the Hub


@dataclass(frozen=True)
class Change:
    """What would happen to one file."""

    name: str
    what: str  # 'add', 'change', 'remove' or 'same'
    num_bytes: int


class Repository:
    """A repository of the Hub, and the local files that belong in it."""

    def __init__(self, name: str, kind: str, folder: Path, files: list[str]) -> None:
        """Name the repository; no request is sent yet."""
        self.api = HfApi()
        self.name, self.kind, self.folder, self.files = name, kind, folder, files
        self._hashes: dict[str, tuple[str, str]] = {}

    def is_public(self) -> bool | None:
        """Tell whether the repository is public, None if it does not exist."""
        try:
            return not self.api.repo_info(self.name, repo_type=self.kind).private
        except RepositoryNotFoundError:
            return None

    def tree(self, revision: str) -> dict[str, RepoFile]:
        """Return the files of a revision; none if repository or revision do not exist."""
        try:
            items = self.api.list_repo_tree(self.name, recursive=True, revision=revision, repo_type=self.kind)
            return {item.path: item for item in items if isinstance(item, RepoFile) and item.path not in KEPT}
        except (RepositoryNotFoundError, RevisionNotFoundError):
            return {}

    def changes(self, revision: str) -> list[Change]:
        """Return the changes that make a revision equal to the folder."""
        there = self.tree(revision)
        return list(self._compare(there))

    def _compare(self, there: dict[str, RepoFile]) -> Iterator[Change]:
        for name in self.files:
            size = (self.folder / name).stat().st_size
            if name not in there:
                yield Change(name, "add", size)
            else:
                yield Change(name, "same" if self.is_same(name, there[name]) else "change", size)
        yield from (Change(name, "remove", item.size) for name, item in sorted(there.items()) if name not in self.files)

    def is_same(self, name: str, item: RepoFile) -> bool:
        """Tell whether a file on the Hub equals the local one, by the hash that the Hub stores."""
        if name not in self._hashes:
            self._hashes[name] = (hash_file(self.folder / name), git_blob_hash(self.folder / name))
        sha256, git_hash = self._hashes[name]
        return item.lfs.sha256 == sha256 if item.lfs else item.blob_id == git_hash

    def create(self, *, public: bool) -> None:
        """Create the repository if it does not exist."""
        self.api.create_repo(self.name, repo_type=self.kind, private=not public, exist_ok=True)

    def commit(self, branch: str, message: str) -> None:
        """Make a branch equal to the folder in one commit, and verify each file by its hash.

        Raises:
            InputError: A file on the Hub differs from the local one.
        """
        changes = [change for change in self.changes(branch) if change.what != "same"]
        if changes:
            additions = [
                CommitOperationAdd(change.name, self.folder / change.name)
                for change in changes
                if change.what != "remove"
            ]
            removals = [CommitOperationDelete(change.name) for change in changes if change.what == "remove"]
            self.api.create_commit(
                self.name, [*additions, *removals], commit_message=message, repo_type=self.kind, revision=branch
            )
        wrong = [change.name for change in self.changes(branch) if change.what != "same"]
        if wrong:
            raise InputError(
                f"branch {branch} of {self.name}",
                found=f"other bytes in {', '.join(wrong)}",
                expected="what was sent",
                fix="Publish again; nothing has been tagged.",
            )

    def make_branch(self, branch: str) -> None:
        """Create a branch from main if it does not exist."""
        self.api.create_branch(self.name, branch=branch, repo_type=self.kind, exist_ok=True)

    def tag(self, tag: str) -> None:
        """Tag the head of the main branch, once."""
        if tag not in self.tags():
            self.api.create_tag(self.name, tag=tag, revision=MAIN, repo_type=self.kind)

    def tags(self) -> dict[str, str]:
        """Return the commit of each tag; none without a repository."""
        try:
            refs = self.api.list_repo_refs(self.name, repo_type=self.kind)
        except RepositoryNotFoundError:
            return {}
        return {ref.name: ref.target_commit for ref in refs.tags}


def git_blob_hash(path: Path) -> str:
    """Return the git blob hash of a file."""
    digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
