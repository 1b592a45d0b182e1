"""Import our folders `pipeline`, `train` and `eval` where a user has modules of the same names.

A script called train.py puts its folder first on the path, so that there `import train.attention` finds the script and
not our package. Here our folders come first for as long as one of their modules is being imported. Afterwards the names
`pipeline`, `train` and `eval` mean again what they meant before; our modules stay known by their full names
(`train.attention.segments`), since torch's compiler looks modules up by name.
"""

import importlib
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("pipeline", "train", "eval")


def import_own(name: str) -> ModuleType:
    """Return one of our modules, whatever else is called like the folder that it is in."""
    if name in sys.modules and is_own(sys.modules[name]):
        return sys.modules[name]
    with own_folders_first():
        return importlib.import_module(name)


def is_own(module: ModuleType) -> bool:
    """Say whether a module is in one of our folders."""
    return is_in_own_folder(module.__name__, getattr(module, "__file__", None))


def is_in_own_folder(name: str, file: str | None) -> bool:
    """Say whether the file of a module is in our folder of its top-level name."""
    return file is not None and Path(file).resolve().is_relative_to(ROOT / name.partition(".")[0])


@contextmanager
def own_folders_first() -> Iterator[None]:
    """Let `pipeline`, `train` and `eval` mean our folders, and what they meant before at the end.

    Names that nobody else uses keep meaning our folders, so that `import train.attention` finds the same modules later.
    """
    others = {name: sys.modules.pop(name) for name in NAMES if name in sys.modules and not is_own(sys.modules[name])}
    shadowed = {name for name in NAMES if name in others or not finds_own(name)}
    sys.path.insert(0, str(ROOT))
    try:
        yield
    finally:
        sys.path.remove(str(ROOT))
        for name in shadowed:
            sys.modules.pop(name, None)
        sys.modules.update(others)


def finds_own(name: str) -> bool:
    """Say whether an import of a name finds our folder."""
    if name in sys.modules:
        return is_own(sys.modules[name])
    spec = find_spec(name)
    return spec is not None and is_in_own_folder(name, spec.origin)


def call_after_import(name: str, action: Callable[[], None]) -> None:
    """Call a function once a module has been imported: at once if it is there, else right after its import."""
    if name in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, AfterImport(name, action))


class AfterImport(MetaPathFinder):
    """Waits for the import of one module, finds it by the other finders, and acts once it is loaded."""

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        """Remember what to wait for and what to do."""
        self.name = name
        self.action = action

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of the module with a loader that acts; of other modules nothing is known here."""
        del path, target
        if fullname != self.name:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = ActingLoader(spec.loader, self.action)
        return spec


class ActingLoader(Loader):
    """Loads a module as another loader does, then acts."""

    def __init__(self, loader: Loader, action: Callable[[], None]) -> None:
        """Wrap a loader."""
        self.loader = loader
        self.action = action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as the other loader does."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, give it back its own loader, and act."""
        self.loader.exec_module(module)
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self.loader
        self.action()
