"""Hash the code that a stage runs, to redo finished work exactly when that code changes.

What a stage runs is read from its import statements, at any depth, including those inside functions. A module that
looks into a package's `__path__` runs every module of that package: tasks and readers find themselves like that.
Libraries count by their versions.
"""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

from pipeline.files import hash_file, hash_json

ROOT = Path(__file__).parent.parent
OWN_PACKAGES = ("pipeline", "train", "eval")


@cache
def digest_code(module: str) -> str:
    """Return a hash of a module's code, of all code of ours that it imports, and of the versions of its libraries.

    Args:
        module: The dotted name of one of our modules, like 'pipeline.ask'.
    """
    files, libraries = imported_code(module)
    distributions = packages_distributions()
    names = sorted({name for library in libraries for name in distributions.get(library, ())})
    return hash_json(
        [(file.relative_to(ROOT).as_posix(), hash_file(file)) for file in sorted(files)],
        {name: version(name) for name in names},
    )


def imported_code(module: str) -> tuple[set[Path], set[str]]:
    """Return the files of ours that a module imports at any depth, its own included, and the libraries they name."""
    files: set[Path] = set()
    libraries: set[str] = set()
    pending = [module]
    while pending:
        for file in module_files(pending.pop()):
            if file not in files:
                files.add(file)
                for name in imported_names(file):
                    if name.partition(".")[0] in OWN_PACKAGES:
                        pending.append(name)
                    elif name.partition(".")[0] not in sys.stdlib_module_names:
                        libraries.add(name.partition(".")[0])
    return files, libraries


def module_files(name: str) -> Iterator[Path]:
    """Yield the file of a module and those of the packages around it; nothing for a name that is no module."""
    path = ROOT.joinpath(*name.split("."))
    if path.with_suffix(".py").is_file():
        yield path.with_suffix(".py")
    elif (path / "__init__.py").is_file():
        yield path / "__init__.py"
    for parent in path.parents:
        if parent == ROOT:
            break
        if (parent / "__init__.py").is_file():
            yield parent / "__init__.py"


def imported_names(file: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports: modules, and what may be modules within them."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and node.attr == "__path__":
            yield from modules_in_package(ast.unparse(node.value))


def modules_in_package(name: str) -> Iterator[str]:
    """Yield the modules directly in one of our packages."""
    folder = ROOT.joinpath(*name.split("."))
    yield from (f"{name}.{path.stem}" for path in sorted(folder.glob("*.py")) if path.stem != "__init__")
