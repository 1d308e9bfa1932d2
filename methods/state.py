"""A hash of what an object holds: numbers, texts, arrays, parameters, buffers, however nested."""

from __future__ import annotations

import functools
import hashlib
import io
import logging
import pickle
import sys
import warnings
import zipfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath
from types import BuiltinFunctionType, CellType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from bench.errors import Unhashable, describe

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_NAMED = (torch.device, torch.dtype, np.dtype, BuiltinFunctionType)
# What torch keeps in every module besides the user's own attributes.
_OF_TORCH = frozenset(vars(torch.nn.Module()))


class Digest:
    """A hash that grows; `str` gives its first 16 hex digits."""

    def __init__(self, skip: Collection[str] = ()) -> None:
        """Start.

        Args:
            skip: Attributes of the outermost object that do not count.
        """
        self._hash = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._skip = frozenset(skip)
        self._kept: list[object] = []  # alive, so that no two objects have one id

    def __str__(self) -> str:
        """16 hex digits."""
        return self._hash.hexdigest()[:16]

    def add(self, value: object) -> None:
        """Count a value.

        Raises:
            Unhashable: If it holds something that cannot be hashed.
        """
        try:
            self._add(value)
        except Unhashable:
            raise
        except Exception as error:  # of what a value is made of, such as layouts of tensors
            raise Unhashable(f"a {type(value).__qualname__}: {describe(error)}") from error

    def _add(self, value: object) -> None:
        if type(value) in _PLAIN:
            self._put(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))
        elif isinstance(value, _NAMED):
            self._put(f"named {type(value)}", str(value).encode("utf-8", "surrogatepass"))
        elif isinstance(value, PurePath):  # what lies there counts, where it is read, not where
            self._put("path", value.name.encode("utf-8", "surrogatepass"))
        elif isinstance(value, logging.Logger):
            self._put("logger", value.name.encode())
        elif id(value) in self._seen:
            self._put("again", str(self._seen[id(value)]).encode())
        else:
            self._seen[id(value)] = len(self._seen)
            self._kept.append(value)
            self._add_whole(value)

    def add_values(self, names: Mapping[str, object]) -> None:
        """Count what is plain or an array among the values of a module or class; pass over code."""
        for name, value in sorted(names.items()):
            if not name.startswith("__") and _is_data(value):
                self.add((name, value))

    def _add_whole(self, value: object) -> None:
        if isinstance(value, torch.Tensor):
            self._add_tensor(value)
        elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            self._put(f"array {value.dtype} {value.shape}", np.ascontiguousarray(value).tobytes())
        elif isinstance(value, Mapping):
            skip, self._skip = self._skip, frozenset()
            self._put("mapping")
            for key, each in value.items():
                if key not in skip:
                    self.add(key)
                    self.add(each)
            self._put("end")
        elif isinstance(value, set | frozenset):
            self._put("set", "".join(sorted(_apart(each) for each in value)).encode())
        elif isinstance(value, list | tuple):
            self._put(type(value).__name__)
            for each in value:
                self.add(each)
            self._put("end")
        elif isinstance(value, functools.partial):
            self.add(["partial", value.func, value.args, value.keywords])
        elif isinstance(value, torch.nn.Module):
            self._add_module(value)
        elif isinstance(value, torch.Generator):
            self.add(value.get_state())
        elif isinstance(value, type | ModuleType | FunctionType | MethodType):
            self._add_code(value)
        else:
            self._add_object(value)

    def _add_tensor(self, value: torch.Tensor) -> None:
        whole = value.detach().to("cpu").contiguous()
        if whole.is_sparse or whole.is_quantized or whole.is_meta:
            raise Unhashable(f"a tensor of layout {value.layout} and type {value.dtype}")
        raw = whole.reshape(-1).view(torch.uint8).numpy().tobytes() if whole.numel() else b""
        self._put(f"tensor {value.dtype} {tuple(value.shape)}", raw)

    def _add_module(self, module: torch.nn.Module) -> None:
        """Parameters and buffers, those too that are not saved, and the module's own attributes."""
        self._put(f"module {type(module).__qualname__}")
        if isinstance(module, torch.jit.ScriptModule):
            self._add_script(module)
            return
        if isinstance(whole := getattr(module, "_orig_mod", None), torch.nn.Module):
            self.add(whole)  # compiled; what the compiler keeps differs from process to process
            return
        self.add({**module._parameters, **module._buffers})
        self.add({name: each for name, each in vars(module).items() if name not in _OF_TORCH})
        self.add({"training": module.training, **module._modules})

    def _add_script(self, module: torch.jit.ScriptModule) -> None:
        """The archive it would be saved as, but for what names the act of saving."""
        stream = io.BytesIO()
        with warnings.catch_warnings(action="ignore", category=FutureWarning):
            torch.jit.save(module, stream)
        with zipfile.ZipFile(stream) as archive:
            for name in sorted(archive.namelist()):
                if not name.endswith(("serialization_id", ".debug_pkl")):
                    self._put(name.partition("/")[2], archive.read(name))

    def _add_code(self, value: type | ModuleType | FunctionType | MethodType) -> None:
        """By name, as its text is hashed elsewhere, with the values it is bound to."""
        name: str = getattr(value, "__qualname__", value.__name__)
        self._put("code", name.encode())
        if isinstance(value, MethodType):
            self.add(value.__self__)
        elif isinstance(value, FunctionType):
            cells = [_content(cell) for cell in value.__closure__ or ()]
            self.add([*cells, value.__defaults__, value.__kwdefaults__])

    def _add_object(self, value: Any) -> None:
        attributes = _attributes(value)
        if attributes is not None:
            self._put(f"object {type(value).__qualname__}")
            self.add(attributes)
            return
        try:
            self._put(f"pickle {type(value).__qualname__}", pickle.dumps(value, 5))
        except Exception as error:  # whatever its own code raises
            raise Unhashable(f"an object of type {type(value).__qualname__}: {error}") from error

    def _put(self, kind: str, content: bytes = b"") -> None:
        self._hash.update(f"{kind} {len(content)}:".encode())
        self._hash.update(content)


def _apart(value: object) -> str:
    digest = Digest()
    digest.add(value)
    return str(digest)


def _content(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:  # not set yet
        return None


def _attributes(value: Any) -> dict[str, object] | None:
    """All that an object holds; None if part of it may lie where only its own code can see it."""
    kinds = type(value).__mro__[:-1]
    if not all(map(_made_in_python, kinds)):
        return None
    slots = [name for kind in kinds for name in _names(vars(kind).get("__slots__", ()))]
    held = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    held |= getattr(value, "__dict__", {})
    return held if held or hasattr(value, "__dict__") else None


def _made_in_python(kind: type) -> bool:
    file = getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
    on_the_heap = 1 << 9  # the flag of classes that were made at run time
    return bool(kind.__flags__ & on_the_heap) and file.endswith(".py")


def _names(slots: str | Iterable[str]) -> list[str]:
    return [slots] if isinstance(slots, str) else [*slots]


def _is_data(value: object) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return not value or any(map(_is_data, value))
    if isinstance(value, dict):
        return not value or any(map(_is_data, value.values()))
    arrays = (torch.Tensor, torch.nn.Module, np.ndarray, np.generic)
    return isinstance(value, (*_PLAIN, *_NAMED, PurePath, *arrays))
