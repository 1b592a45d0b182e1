#!/usr/bin/env python
"""Print counts of the project's structure, or what pages show of it: the file tree, the import graph.

    .ci/structure.py [ROOT]     counts of the code below ROOT, this repository by default
    .ci/structure.py --tree     the tree of README.md, from the first lines of docstrings
    .ci/structure.py --graph    the import graph of docs/architecture.md

With --write, tree or graph are written into their page.
"""

import argparse
import ast
import re
import sys
from collections import Counter, defaultdict
from pathlib import Path

import grimp

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGES = ("pipeline", "train", "eval", "longalpaca")
REPEAT_LINES = 6
TREE = re.compile(r"(?<=## Where things are\n\n```text\n).*?(?=```\n)", re.DOTALL)
GRAPH = re.compile(r"(?<=```mermaid\n).*?(?=```\n)", re.DOTALL)
TEXTS = {
    "data/": "DVC's data, a folder per stage; data/sources/*.yaml list documents",
    "docs/": "one page per subject; architecture.md is the way in",
    "examples/": "worked examples that run as they are",
    "tests/": "mirrors the folders above",
    "dvc.yaml": "the graph: every path",
    "params.yaml": "every value",
    "CONTRIBUTING.md": "how to add a reader, a source, a task, a recipe, a measure",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(root: Path) -> list[Path]:
    """Return the Python files of our packages, in order."""
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.py"))


def functions(tree: ast.Module) -> list[Function]:
    """Return every function and method of a module, at any depth."""
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def public(tree: ast.Module) -> list[Function]:
    """Return the public functions of a module and the public methods of its public classes."""
    holders = [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name[0] != "_")]
    found = (node for holder in holders for node in holder.body)
    return [node for node in found if isinstance(node, Function) and node.name[0] != "_"]


def is_typed(function: Function) -> bool:
    """Tell whether a function has types for its arguments and its result."""
    own = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    return function.returns is not None and all(arg.annotation or arg.arg in ("self", "cls") for arg in own)


def repeats(paths: list[Path]) -> int:
    """Count the runs of six or more equal lines in two places, imports, comments and punctuation apart."""
    places: dict[tuple[str, ...], set[tuple[Path, int]]] = defaultdict(set)
    for path in paths:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
        told = [line for line in lines if re.search(r"\w", line) and not line.startswith(("#", "import ", "from "))]
        for start in range(len(told) - REPEAT_LINES + 1):
            places[tuple(told[start : start + REPEAT_LINES])].add((path, start))
    again = {place for found in places.values() if len(found) > 1 for place in found}
    return sum((path, start - 1) not in again for path, start in again) // 2


def count(root: Path) -> dict[str, object]:
    """Return the counts by their names."""
    paths = modules(root)
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in paths}
    all_functions = [function for tree in trees.values() for function in functions(tree)]
    names = Counter(
        node.name
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, Function | ast.ClassDef) and node.name not in ("main", "run")
    )
    folders = Counter(path.parent.relative_to(root).as_posix() for path in paths if path.name != "__init__.py")
    seen = [function for tree in trees.values() for function in public(tree)]
    of = [function for function in all_functions if function.name.endswith("_of")]
    longest = max(all_functions, key=lambda function: (function.end_lineno or 0) - function.lineno)
    named = ", ".join(sorted(name for name, number in names.items() if number > 2))
    return {
        **{f"modules that lie flat in {package}/": folders.get(package, 0) for package in PACKAGES},
        "most files in a folder": "{1} ({0})".format(*folders.most_common(1)[0]),
        "files": len(paths),
        "functions": len(all_functions),
        "functions whose names end in _of": f"{len(of)} ({len(of) / len(all_functions):.1%})",
        "names defined at the top of more than two modules": f"{sum(n > 2 for n in names.values())}: {named}",
        f"repeats of {REPEAT_LINES} lines or more": repeats(paths),
        "longest function, lines": f"{(longest.end_lineno or 0) - longest.lineno + 1} ({longest.name})",
        "longest file, lines": max(len(path.read_text(encoding="utf-8").splitlines()) for path in paths),
        "public functions with a docstring": f"{sum(bool(ast.get_docstring(f)) for f in seen) / len(seen):.1%}",
        "public functions with types": f"{sum(map(is_typed, seen)) / len(seen):.1%}",
    }


def graph(root: Path) -> str:
    """Return the imports between packages as a Mermaid flow chart; flat modules are left out."""
    sys.path.insert(0, str(root))
    found = grimp.build_graph(*PACKAGES, cache_dir=None)
    edges = {
        (package_of(importer), package_of(imported))
        for importer in found.modules
        for imported in found.find_modules_directly_imported_by(importer)
    }
    packages = {package for package in map(package_of, found.modules) if package}
    lines = [
        f"  {node(one)} --> {node(other)}" for one, other in sorted(edges) if one != other and {one, other} <= packages
    ]
    boxes = [
        line
        for top in PACKAGES
        if (inside := sorted(package for package in packages if package.startswith(f"{top}/")))
        for line in [f"  subgraph {top}", *(f"    {node(name)}[{name.partition('/')[2]}]" for name in inside), "  end"]
    ]
    return "\n".join(["flowchart TD", *boxes, *lines]) + "\n"


def node(package: str) -> str:
    """Return the name of a package in the chart, where it may have no slash."""
    return package.replace("/", "_")


def package_of(module: str) -> str:
    """Return 'pipeline/readers' for 'pipeline.readers.pdf.lines', '' for a flat module."""
    parts = module.split(".")
    is_package = (REPOSITORY.joinpath(*parts[:2]) / "__init__.py").exists()
    return "/".join(parts[:2]) if len(parts) > 1 and is_package else ""


def summary(path: Path) -> str:
    """Return the first line of a module's or package's docstring, without its period."""
    file = path / "__init__.py" if path.is_dir() else path
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return docstring.partition("\n")[0].removesuffix(".")


def tree(root: Path) -> str:
    """Return the tree of README.md: packages and flat modules, each with the first line of its docstring."""
    lines = []
    for package in PACKAGES:
        lines.append(f"{package + '/':24}{summary(root / package)}")
        inside = [path for path in (root / package).iterdir() if path.name[0] not in "._"]
        folders = [path for path in inside if (path / "__init__.py").exists()]
        flat = [path for path in inside if path.suffix == ".py"]
        others = [path for path in inside if path.is_dir() and path not in folders and path.name != "__pycache__"]
        for path in [*sorted(folders), *sorted(flat)]:
            name = f"{path.name}/" if path.is_dir() else path.name
            lines.append(f"  {name:22}{summary(path)}")
        lines += [f"  {path.name + '/':22}{summary_of_others(path)}" for path in sorted(others)]
    lines += [f"{name:24}{text}" for name, text in TEXTS.items() if (root / name).exists()]
    return "\n".join(lines) + "\n"


def summary_of_others(folder: Path) -> str:
    """Return what a folder without code holds, by the files in it."""
    suffixes = Counter(path.suffix.removeprefix(".") for path in folder.iterdir())
    return ", ".join(f"{number} {suffix}" for suffix, number in sorted(suffixes.items()))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, default=REPOSITORY, metavar="ROOT")
    parser.add_argument("--tree", action="store_true")
    parser.add_argument("--graph", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    pages = [(options.tree, "README.md", TREE, tree), (options.graph, "docs/architecture.md", GRAPH, graph)]
    if not options.tree and not options.graph:
        sys.stdout.writelines(f"{name:52}{value}\n" for name, value in count(options.root).items())
    for is_asked, name, place, make in pages:
        if is_asked and options.write:
            page, text = options.root / name, make(options.root)
            page.write_text(
                place.sub(lambda _, text=text: text, page.read_text(encoding="utf-8"), count=1), encoding="utf-8"
            )
        elif is_asked:
            sys.stdout.write(make(options.root))


if __name__ == "__main__":
    main()
