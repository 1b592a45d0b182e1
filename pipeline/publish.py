"""Publish a dataset or a model on the Hub, after checks of licences, rows and secrets.

Reads   FOLDER        what `mix`, `import` or `merge` wrote, or the `adapter` or `base` of `merge --low-rank`
Writes  nothing here; with --yes, the repository REPO: files of the allow-list, on a branch first, verified there by
        their hashes, then on the main branch by one commit, then one tag

Without --yes it only says what would change. It refuses rows of unknown licences, rows that failed their checks, and
secrets; a public repository needs --public. Interrupted at any request and run again, it resumes. The token is that
of HF_TOKEN or of `hf auth login`, and is never printed.
"""

import logging
from pathlib import Path

import httpx2
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from pipeline.cli import run_stage
from pipeline.dataset.hub import MAIN, Change, Repository
from pipeline.dataset.release_checks import Contents, describe, inspect, list_faults
from pipeline.errors import InputError
from pipeline.params import Params

log = logging.getLogger(__name__)


class PublishParams(Params):
    """Section `publish` of params.yaml."""

    branch: str  # files are verified here before they go to the main branch
    tag: str  # of what is published; a tag is never moved
    files: dict[str, list[str]]  # patterns of the files that may be published, for 'dataset' and 'model'
    licences: list[str]  # SPDX identifiers that may be published


FIXES = {
    "dataset": "Set curate.publishing and curate.secrets in params.yaml and build it again; for rows of others, set "
    "importing.licence.",
    "model": "Name the licence in merge.licence of the recipe, allow it in publish.licences, and put the files that it "
    "asks for into the base model's folder: they go along from there.",
}


def check(contents: Contents, folder: Path) -> None:
    """Refuse what must not be published.

    Raises:
        InputError: There is something, or nothing to give.
    """
    if "README.md" not in contents.files:
        fix = "Build it with 'mix', 'import' or 'merge'; 'merge --low-rank' makes an adapter with its card."
        raise InputError(folder, found="no README.md", expected="a card", fix=fix)
    if contents.faults:
        raise InputError(
            folder,
            found=list_faults(contents),
            expected=f"a {contents.kind} of known licences, whose rows passed their checks, and no secrets",
            fix=FIXES[contents.kind],
        )


def check_public(is_public: bool | None, repo: str, *, public: bool) -> None:
    """Require --public to write to a public repository.

    Raises:
        InputError: The repository is public and `public` is not set.
    """
    if is_public and not public:
        raise InputError(
            repo, found="a public repository", expected="--public to write to it", fix="Add --public if you mean it."
        )


def check_tag(repository: Repository, tag: str) -> None:
    """Refuse to move a tag.

    Raises:
        InputError: The tag is there and has other files.
    """
    if tag in repository.tags() and any(change.what != "same" for change in repository.changes(tag)):
        raise InputError(
            "section 'publish', key 'tag'",
            found=f"{tag}, which {repository.name} has for other files",
            expected="a new tag",
            fix="Name another; a published tag is never moved.",
        )


def tell(contents: Contents, changes: list[Change], repo: str, is_public: bool | None) -> None:
    """Print what would change."""
    seen = {None: "does not exist yet", True: "is public", False: "is private"}[is_public]
    log.info("publish: %s %s %s", contents.kind, repo, seen)
    log.info("publish: %s", describe(contents))
    for change in changes:
        log.info("publish: %-6s %s (%s bytes)", change.what, change.name, f"{change.num_bytes:,}")
    if contents.left_out:
        log.info("publish: not on the allow-list: %s", ", ".join(contents.left_out))


def run(params: PublishParams, *, folder: Path, repo: str, yes: bool, public: bool) -> None:
    """Print what would change in a repository; with `yes`, change it."""
    contents = inspect(folder, params.files, params.licences)
    check(contents, folder)
    repository = Repository(repo, contents.kind, folder, contents.files)
    try:
        is_public = repository.is_public()
        changes = repository.changes(MAIN)
        tell(contents, changes, repo, is_public)
        check_public(is_public, repo, public=public)
        check_tag(repository, params.tag)
        if yes:
            write(repository, params, public=public)
    except (HfHubHTTPError, HFValidationError, httpx2.HTTPError, OSError) as error:
        raise InputError(
            repo,
            found=f"an error of the Hub, or no way to it ({' '.join(str(error).split())[:300]})",
            expected="a repository that your token may write to",
            fix="Check name, token and network, and run it again: it resumes.",
        ) from error
    log.info("publish: %s", f"{repo} is at tag {params.tag}" if yes else "nothing was changed; add --yes to do it")


def write(repository: Repository, params: PublishParams, *, public: bool) -> None:
    """Upload the files, verify them, and tag the commit."""
    message = f"Publish {params.tag}"
    repository.create(public=public)
    repository.make_branch(params.branch)
    repository.commit(params.branch, message)
    repository.commit(MAIN, message)
    repository.tag(params.tag)


if __name__ == "__main__":
    run_stage(run)
