"""A hash of the code behind a class: without comments and docstrings, wherever its files lie.

Code is that of the class's module and of all project modules that it imports, wherever in a file.
Comments, docstrings, what only checkers of types read, and the places of files do not count. What
is installed counts by its version; the package of the class itself counts by its code all the same.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType

from bench.errors import Unhashable

OURS = frozenset({"bench", "masks", "methods", "reports", "inpaint_bench"})
# Modules of ours that no pixel passes: errors, where files are found and fetched, the facts of
# cards and the bytes of files (both are hashed themselves), what names mean, reference outputs.
_NO_PIXELS = (
    "bench", "methods.card", "methods.identity", "methods.sources", "methods.state",
    "methods.verification", "methods.weights.checkpoint", "methods.weights.download",
    "methods.weights.files", "methods.naming", "methods.own", "methods.own_weights",
    "methods.parameters", "methods.user_code", "inpaint_bench", "reports",
)  # fmt: skip
_versions: dict[str, set[tuple[int, int]]] = {}  # of files that this process has looked at
OWN = "_own_"  # begins the names of packages that stand for a user's folders
# Where libraries lie, whichever environment they are of: the system's, the user's, a shared one.
_LIBRARIES = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class _Source:
    """A module's text as far as it counts.

    Attributes:
        code: Hash of its statements.
        imports: Names it imports: modules, or attributes of modules.
        variables: Environment variables that it reads by name.
    """

    code: str
    imports: tuple[str, ...]
    variables: tuple[str, ...]


def code_of(*written: type | ModuleType, within: Iterable[str] = ()) -> tuple[str, list[str]]:
    """Hash the code of classes and modules and of what they import.

    Args:
        written: Classes and modules.
        within: Follow and count only modules below these names; all of the project if empty.

    Returns:
        8 hex digits, and ``name version`` of each installed library that is imported.

    Raises:
        Unhashable: If a module has no file to read.
    """
    found, libraries = _closure(_modules_of(*written), tuple(within))
    texts = sorted(source.code for source in found.values())
    variables = sorted({name for source in found.values() for name in source.variables})
    texts += [f"{name}={os.environ.get(name)!r}" for name in variables]
    return _hash("\n".join(texts)), [f"{name} {_version(name)}" for name in sorted(libraries)]


def changed_since(*written: type | ModuleType) -> list[str]:
    """Modules behind some code whose files have changed since they were first looked at here.

    What this process has imported of them may be older than what would be hashed.
    """
    return [name for name in modules_behind(*written) if len(_versions.get(name, ())) > 1]


def modules_behind(*written: type | ModuleType) -> list[str]:
    """Names of the project modules that `code_of` hashes."""
    return sorted(_closure(_modules_of(*written))[0])


def files_behind(*written: type | ModuleType) -> list[Path]:
    """The files of `modules_behind` and of their packages, as far as they are the user's."""
    tops = OURS | sys.stdlib_module_names
    names = {name for name in modules_behind(*written) if name.partition(".")[0] not in tops}
    packages = {name.rpartition(".")[0] for name in names} - {""}
    files = filter(None, map(_file, sorted(names | packages)))
    return [Path(file) for file in files if not _is_installed(file)]


def _modules_of(*written: type | ModuleType) -> list[str]:
    return list(
        dict.fromkeys(
            each.__name__ if isinstance(each, ModuleType) else each.__module__ for each in written
        )
    )


def _closure(roots: list[str], within: tuple[str, ...] = ()) -> tuple[dict[str, _Source], set[str]]:
    """The project modules reached from some, and the installed libraries they import."""
    own = {root.partition(".")[0] for root in roots} | OURS
    found: dict[str, _Source] = {}
    libraries: set[str] = set()
    waiting = list(roots)
    while waiting:
        name = waiting.pop()
        top = name.partition(".")[0]
        if name in found or (top in sys.stdlib_module_names and name not in roots):
            continue
        passed_by = name == "methods" or _below(name, _NO_PIXELS)
        if name not in roots and (passed_by or (within and not _below(name, within))):
            continue
        file = _file(name)
        if file is None:
            if name in roots:
                raise Unhashable(f"the code of {name} cannot be read from a file")
            libraries.add(top)
        elif top not in own and _is_installed(file):
            libraries.add(top)
        else:
            found[name] = _read(name, file)
            waiting += _modules(found[name].imports, top)
    return found, libraries - own


def _is_installed(file: str) -> bool:
    return not _LIBRARIES.isdisjoint(Path(file).resolve().parts)


def _below(name: str, tops: Iterable[str]) -> bool:
    return any(name == top or name.startswith(top + ".") for top in tops)


def _modules(imports: Iterable[str], package: str) -> Iterator[str]:
    """The modules among what is imported: of ``a.b.c`` the longest part that is one.

    What lies in the top package of the importing module comes first: a user's file knows modules
    beside it by short names (see `methods.own`).
    """
    for name in imports:
        parts = name.split(".")
        names = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
        inside = [f"{package}.{each}" for each in names] if package.startswith(OWN) else []
        beside = next((each for each in inside if _file(each) is not None), None)
        if beside is not None:
            yield beside
        elif parts[0] not in sys.stdlib_module_names:
            yield next((each for each in names if _file(each) is not None), parts[0])


def _file(name: str) -> str | None:
    """The source of a module, without running it; None if it has none."""
    module = sys.modules.get(name)
    if module is not None:
        file = getattr(module, "__file__", None)
        return file if file and file.endswith(".py") and os.path.exists(file) else None
    try:
        parent, _, last = name.rpartition(".")
        if parent:  # in its package's folder, as looking for it otherwise would run the package
            places = (f"{last}.py", os.path.join(last, "__init__.py"))
            found = (os.path.join(where, each) for where in _folders(parent) for each in places)
            return next((path for path in found if os.path.exists(path)), None)
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None
    origin = spec.origin if spec else None
    return origin if origin and origin.endswith(".py") else None


def _folders(package: str) -> list[str]:
    """Where the modules of a package lie."""
    if package in sys.modules:
        return list(getattr(sys.modules[package], "__path__", ()))
    init = _file(package)
    return [os.path.dirname(init)] if init and init.endswith("__init__.py") else []


def _read(name: str, file: str) -> _Source:
    stat = os.stat(file)
    _versions.setdefault(name, set()).add((stat.st_mtime_ns, stat.st_size))
    return _parsed(name, file, stat.st_mtime_ns, stat.st_size)


@functools.lru_cache(4096)
def _parsed(name: str, file: str, changed: int, size: int) -> _Source:
    """Read a module; kept as long as its file has not changed."""
    try:
        tree = ast.parse(Path(file).read_bytes(), file)
    except (OSError, SyntaxError, ValueError) as error:
        raise Unhashable(f"the code of {name} cannot be read: {error}") from error
    package = name if file.endswith("__init__.py") else name.rpartition(".")[0]
    imports: list[str] = []
    text: list[str] = []
    _write(tree, package, imports, text)
    variables = sorted(_variables(tree))
    return _Source(_hash("\n".join(text)), tuple(dict.fromkeys(imports)), tuple(variables))


def _write(node: ast.AST, package: str, imports: list[str], text: list[str]) -> None:
    """Write a tree down, the same for all versions of Python, without what does not count."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        found = _imported(node, package)
        imports += found
        for name, each in zip(found, node.names, strict=True):
            # Where a thing of ours lies does not count, only what it is called.
            ours = name.partition(".")[0] in OURS
            text.append(f"import {name.rpartition('.')[2] if ours else name} {each.asname}")
        return
    if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
        for part in node.orelse:
            _write(part, package, imports, text)
        return
    text.append(type(node).__name__)
    for field, value in ast.iter_fields(node):
        if field in ("type_comment", "kind", "ctx", "type_params") or value in (None, []):
            continue
        text.append(field)
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST):
                text.append(repr(part))
            elif not _is_docstring(part, node):
                _write(part, package, imports, text)
    text.append(".")


def _is_docstring(part: ast.AST, within: ast.AST) -> bool:
    holders = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return (
        isinstance(within, holders)
        and isinstance(part, ast.Expr)
        and isinstance(part.value, ast.Constant)
        and isinstance(part.value.value, str)
    )


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    parts = package.split(".")
    start = parts[: len(parts) - node.level + 1] if node.level else []
    module = ".".join([*start, *([node.module] if node.module else [])])
    return [module if each.name == "*" else f"{module}.{each.name}" for each in node.names]


def _variables(tree: ast.AST) -> set[str]:
    """Environment variables read by a constant name."""
    found = set()
    for node in ast.walk(tree):
        key: ast.expr | None = None
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            key = node.slice
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called.endswith(("environ.get", "getenv")):
                key = node.args[0]
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.add(key.value)
    return found


@functools.cache
def _version(top: str) -> str:
    """Version of the distribution that a library comes with."""
    try:
        return metadata.version(top)
    except metadata.PackageNotFoundError:
        names = _distributions().get(top, [])
        return "+".join(sorted(metadata.version(name) for name in set(names))) or "unknown"


@functools.cache
def _distributions() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
