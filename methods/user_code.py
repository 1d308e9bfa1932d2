"""Code of the user's, found by ``module:name`` or ``path/file.py:name``.

Nothing that is imported here stands for a library or a part of this project: modules of the
current directory are looked for after all others, and the modules beside a file are known, under
names of their own, to the code of that folder alone. So two versions of a project, each with its
``layers.py``, can be used side by side.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import json
import os
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from bench.errors import BenchError, beside, describe, did_you_mean
from methods.sources import OWN

_OURS = ("bench", "inpaint_bench", "methods")  # what a user's code means of this project
_states: dict[str, str] = {}  # of the folders, when their packages were made
_folders: set[str] = set()  # that have packages
_SHARED = "INPAINT_BENCH_MODULES"


def module_of(target: str, *, installed: bool = False) -> ModuleType:
    """Import the module of ``module:name`` or ``path/file.py:name``.

    Args:
        target: What is asked for.
        installed: Look among the installed packages only, not in the current directory.

    Raises:
        BenchError: If it cannot be imported.
    """
    from multiprocessing import parent_process  # which a typo need not wait for

    where = target.rpartition(":")[0]
    is_file = where.endswith(".py")
    if not installed:
        _LastInLine.folder = str(Path.cwd())
    try:
        found = _file(Path(where).resolve()) if is_file else importlib.import_module(where)
        if parent_process() is not None:
            share()
        return found
    except BenchError:
        raise
    except (Exception, SystemExit) as error:  # an import runs any code
        beside = "beside it, " if is_file else ""
        here = "" if installed else f" and in {_LastInLine.folder}"
        raise BenchError(
            f"{target} cannot be imported ({describe(error)}); modules are looked "
            f"for {beside}among the installed packages{here}"
        ) from error


def share() -> None:
    """Let processes that code of the user's starts anew (*spawn*, *forkserver*) find its modules.

    For a process whose main module is not the user's.
    """
    os.environ[_SHARED] = json.dumps([_LastInLine.folder, *_folders])
    sys.modules["__main__"].__spec__ = importlib.util.find_spec("methods.spawned")


def find_as_parent() -> None:
    """Find what the process that started this one has shared."""
    _LastInLine.folder, *folders = json.loads(os.environ[_SHARED])
    for folder in folders:
        _package(Path(folder))


def require(target: str) -> None:
    """See that a file of the user's is there and speaks of the name, without importing it.

    Raises:
        BenchError: If it is not there, or certainly has no such name.
    """
    where, _, name = target.rpartition(":")
    if not where.endswith(".py"):
        return
    path = Path(where).resolve()
    _require_file(path)
    source = path.read_text("utf-8", "replace")
    # What a file takes from elsewhere or makes as it runs is not seen here.
    if not re.search(rf"\b{name}\b|import \*|__getattr__|\b(globals|exec|setattr)\b", source):
        there = re.findall(r"^(?:class|def) (\w+)", source, re.MULTILINE)
        raise BenchError(no_such_name(path, name, there))


def no_such_name(where: object, name: str, there: Sequence[str]) -> str:
    """Say that a file or module has no class or function of that name, and which it has."""
    known = ", ".join(there) or "none"
    return f"{where} has no {name!r}; it has {known}.{did_you_mean(name, there)}"


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise BenchError(f"expected a Python file {path}, found none.{beside(path)}")


def _file(path: Path) -> ModuleType:
    """Import a file, as part of a package that stands for its folder.

    Raises:
        BenchError: If there is none.
    """
    _require_file(path)
    package = _package(path.parent)
    stem = path.stem if path.stem.isidentifier() else re.sub(r"\W", "_", path.stem) + "_"
    name = f"{package}.{stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path, loader=_Loader(name, str(path)))
        assert spec is not None and spec.loader is not None  # noqa: PT018
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _package(folder: Path) -> str:
    """The package for a folder; made anew, with its modules, once a file of it has changed."""
    name = f"{OWN}{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    files = ((file.name, file.stat()) for file in sorted(folder.glob("*.py")))
    state = str([(file, facts.st_mtime_ns, facts.st_size) for file, facts in files])
    if _states.get(name) == state:
        return name
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]
    _states[name] = state
    _folders.add(str(folder))
    sys.modules[name] = ModuleType(name, f"Stands for {folder}.")
    sys.modules[name].__path__ = [str(folder)]
    return name


class _Loader(SourceFileLoader):
    """Compiles a file of the user's anew, with the modules beside it under their own names."""

    def get_code(self, fullname: str) -> CodeType:
        """Compile; what Python may have kept knows other names, and must not be replaced."""
        try:
            tree = ast.parse(self.get_data(self.path), self.path)
        except (SyntaxError, ValueError) as error:
            raise BenchError(
                f"expected Python in {self.path}, found {type(error).__name__}: {error}"
            ) from error
        package = fullname.partition(".")[0]
        tree = ast.fix_missing_locations(_Beside(package).visit(tree))
        return compile(tree, self.path, "exec", dont_inherit=True)


class _Beside(ast.NodeTransformer):
    """Lets imports of modules that lie in a folder say the name of its package.

    Args:
        package: Name of the package.
    """

    def __init__(self, package: str) -> None:
        self._package = package

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """``import a.b`` becomes ``import PACKAGE.a.b`` and a name ``a``."""
        done: list[ast.stmt] = []
        for alias in node.names:
            new = [alias]
            if self._lies_here(alias.name):
                whole, first = f"{self._package}.{alias.name}", alias.name.partition(".")[0]
                new = [ast.alias(whole, alias.asname)]
                if not alias.asname:
                    new = [ast.alias(whole), ast.alias(f"{self._package}.{first}", first)]
            done += [ast.copy_location(ast.Import([each]), node) for each in new]
        return done

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        """``from a import b`` becomes ``from PACKAGE.a import b``."""
        if node.level == 0 and node.module and self._lies_here(node.module):
            node.module = f"{self._package}.{node.module}"
        return node

    def _lies_here(self, name: str) -> bool:
        """Whether a module lies in the folder; a bare folder counts only where nothing else is."""
        first = name.partition(".")[0]
        spec = PathFinder.find_spec(first, sys.modules[self._package].__path__)
        if spec is None or first in _OURS:
            return False
        return spec.loader is not None or importlib.util.find_spec(first) is None


class _Beneath:
    """Finds the modules of the packages that stand for folders."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: object = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path) if name.startswith(OWN) and path else None
        if spec and spec.origin and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(name, spec.origin)
        return spec


class _LastInLine:
    """Finds modules of the current directory that nobody else knows.

    Attributes:
        folder: The directory.
    """

    folder = ""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: object = None) -> ModuleSpec | None:
        return None if path or not cls.folder else PathFinder.find_spec(name, [cls.folder])


sys.meta_path[:0] = [_Beneath]
sys.meta_path += [_LastInLine]
