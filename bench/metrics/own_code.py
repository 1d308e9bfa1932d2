"""Code that is not ours: found by ``module:name`` or ``path/file.py:name``, and hashed."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from bench.errors import BenchError, describe

_OURS = {"bench", "masks", "methods", "reports"}
_INSTALLED = {"site-packages", "dist-packages"}


def load(target: str) -> tuple[Any, ModuleType]:
    """Import what a name stands for.

    Args:
        target: ``module:name``, or ``path/file.py:name``. Modules are looked for among the
            installed packages, then in the current directory; what a file imports also in its
            own folder.

    Returns:
        The object, and the module it was taken from.

    Raises:
        BenchError: If it cannot be imported, or has no such name.
    """
    place, _, name = target.rpartition(":")
    is_file = place.endswith(".py")
    folder = str(Path(place).resolve().parent) if is_file else str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)  # last, so that a file lying there cannot replace a library
    try:
        module = _of_file(Path(place).resolve()) if is_file else importlib.import_module(place)
        return getattr(module, name), module
    except Exception as error:  # an import runs any code
        raise BenchError(
            f"{target} cannot be imported: {describe(error)}; looked for "
            f"{'at ' if is_file else 'among the installed packages and in '}"
            f"{Path(place).resolve() if is_file else folder}"
        ) from error


def code_hash(module: ModuleType) -> str:
    """Hash of the code of a module and of those it imports from its own folder or package.

    Comments, docstrings and the place of the folder are of no account, nor is what is ours.

    Raises:
        BenchError: If there is no file to read, as of a notebook's cell.
    """
    digests: dict[str, str] = {}
    waiting = [module]
    while waiting:
        current = waiting.pop()
        path = str(getattr(current, "__file__", None))
        if path in digests:
            continue
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise BenchError(
                f"{current.__name__}: its code cannot be read, so that numbers by other code could "
                "not be told apart; write it into a file"
            ) from error
        if path.endswith(".py"):
            tree = ast.parse(content)
            waiting += [each for each in _imported(tree, current) if _belongs(each, module)]
            content = _without_texts(tree).encode()
        digests[path] = hashlib.sha256(content).hexdigest()
    return hashlib.sha256("\n".join(sorted(digests.values())).encode()).hexdigest()[:12]


def _of_file(path: Path) -> ModuleType:
    """Run a file as a module of a name of its own, which no other module has."""
    name = f"own_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where pickle and dataclasses look for it
    spec.loader.exec_module(module)
    return module


def _imported(tree: ast.Module, importer: ModuleType) -> Iterator[ModuleType]:
    """The modules that a file imports and that are loaded."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(relative, importer.__package__)
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        yield from (sys.modules[name] for name in names if name in sys.modules)


def _belongs(module: ModuleType, first: ModuleType) -> bool:
    """Whether a module is of the same package as another, or its neighbour but no library."""
    package = module.__name__.partition(".")[0]
    path = getattr(module, "__file__", None)
    if path is None or package in _OURS:
        return False
    if package == first.__name__.partition(".")[0]:
        return True
    place = Path(path).resolve()
    folder = Path(str(first.__file__)).resolve().parent
    return place.is_relative_to(folder) and not _INSTALLED & set(place.parts)


def _without_texts(tree: ast.Module) -> str:
    """The code as a tree, without docstrings and line numbers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body:
                case [ast.Expr(value=ast.Constant(value=str())), *rest]:
                    node.body = rest
    return ast.dump(tree)
