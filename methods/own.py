"""Classes of the user's own and of installed packages: imported, checked, made.

Nothing that is imported here stands for a library or a part of this project: modules of the
current directory are looked for after all others, and the modules beside a file are known, under
names of their own, to the code of that folder alone. So two versions of a project, each with its
``layers.py``, can be run side by side.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, ContractError, describe
from methods.card import Card
from methods.naming import Spec, check_choice, close
from methods.sources import OWN

if TYPE_CHECKING:
    from methods.base import Inpainter

_OURS = ("bench", "inpaint_bench", "methods")  # what the code of a method means of this project
_states: dict[str, str] = {}  # of the folders, when their packages were made


def load_class(spec: Spec) -> type[Inpainter]:
    """Import the class of a method.

    Raises:
        BenchError: If it cannot be imported, or its card has no such weights or variant.
        ContractError: If it is not what `methods.base` asks for.
    """
    where, _, name = spec.target.rpartition(":")
    if spec.kind == "class":
        _LastInLine.folder = str(Path.cwd())
    try:
        module = _file(Path(where)) if where.endswith(".py") else importlib.import_module(where)
    except BenchError as error:
        raise BenchError(f"method {spec.text!r}: {error}") from error
    except (Exception, SystemExit) as error:  # an import runs any code
        beside = "beside it, " if where.endswith(".py") else ""
        here = f" and in {_LastInLine.folder}" if spec.kind == "class" else ""
        raise BenchError(
            f"method {spec.text!r}: {spec.target} cannot be imported "
            f"({type(error).__name__}: {error}); modules are looked for {beside}among the "
            f"installed packages{here}"
        ) from error
    found = getattr(module, name, None)
    if found is None:
        raise BenchError(_no_class(spec, module, name))
    from methods.base import Inpainter

    if not (isinstance(found, type) and issubclass(found, Inpainter)):
        raise ContractError(
            f"method {spec.text!r}: expected {name} to be a subclass of methods.base.Inpainter, "
            f"found {found!r}"
        )
    if not isinstance(getattr(found, "card", None), Card):
        raise ContractError(
            f"method {spec.text!r}: expected {name} to have a card; write "
            "card = Card(name=..., title=..., family=...) with Card of methods.base"
        )
    check_choice(spec, found.card)
    return found


def make(spec: Spec, device: str) -> Inpainter:
    """Make a method of a class.

    Raises:
        BenchError: As `load_class`, or if the class takes no such parameters.
        ContractError: If it cannot be made, or changes its name.
    """
    kind = load_class(spec)
    _check_parameters(spec, kind)
    try:
        method = kind(spec.name, device=device, **dict(spec.parameters))
    except BenchError:
        raise
    except Exception as error:
        words = f", {spec.arguments[1:-1]}" if spec.parameters else ""
        raise ContractError(
            f"method {spec.text!r}: expected {spec.target} to be made as "
            f"{kind.__name__}({spec.name!r}, device={device!r}{words}), found {describe(error)}"
        ) from error
    if method.name != spec.name:
        # The name decides who is the ceiling and whose rows these are.
        raise ContractError(
            f"method {spec.text!r}: expected the name {spec.name!r}, found {method.name!r}; "
            "pass the name on to Inpainter.__init__ and leave it"
        )
    return method


def _check_parameters(spec: Spec, kind: type[Inpainter]) -> None:
    """Refuse parameters that the class does not take, and the lack of those it needs."""
    takes = inspect.signature(kind).parameters
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    # The first is the name, whatever it is called.
    own = {n: each for n, each in list(takes.items())[1:] if each.kind in named}
    anything = any(each.kind is each.VAR_KEYWORD for each in takes.values())
    if own.pop("device", None) is None and not anything:
        raise ContractError(
            f"method {spec.text!r}: expected {kind.__name__} to be made as Class(name, "
            f"device=...), found {kind.__name__}{inspect.signature(kind)}"
        )
    given = dict(spec.parameters)
    for name in given.keys() - own.keys() if not anything else ():
        raise BenchError(
            f"method {spec.text!r}: {kind.__name__} takes no parameter {name!r}; those it takes: "
            f"{', '.join(own) or 'none'}.{close(name, own)}"
        )
    missing = [n for n, each in own.items() if each.default is each.empty and n not in given]
    if missing:
        raise BenchError(
            f"method {spec.text!r}: {kind.__name__} needs {' and '.join(missing)}; write "
            f"{kind.__name__}({', '.join(f'{name}=...' for name in missing)})"
        )


def _file(path: Path) -> ModuleType:
    """Import a file, as part of a package that stands for its folder.

    Raises:
        BenchError: If there is none.
    """
    if not path.is_file():
        there = [each.name for each in path.parent.glob("*.py")]
        raise BenchError(f"expected a Python file {path}, found none.{close(path.name, there)}")
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


def _no_class(spec: Spec, module: ModuleType, name: str) -> str:
    classes = [each for each, value in vars(module).items() if isinstance(value, type)]
    where = getattr(module, "__file__", None) or module.__name__
    written = [each for each in classes if vars(module)[each].__module__ == module.__name__]
    return (
        f"method {spec.text!r}: {where} has no class {name!r}; it has "
        f"{', '.join(written) or 'none'}.{close(name, classes)}"
    )
