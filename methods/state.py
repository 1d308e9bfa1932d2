"""A hash of what an object holds: numbers, texts, arrays, parameters, buffers, however nested."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from collections.abc import Collection, Mapping
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch

from bench.errors import Unhashable

_PLAIN = (type(None), bool, int, float, complex, str, bytes)
_NAMED = (torch.device, torch.dtype, np.dtype, PurePath, BuiltinFunctionType)
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
        if isinstance(value, _PLAIN):
            self._put(type(value).__name__, repr(value).encode("utf-8", "surrogatepass"))
        elif isinstance(value, _NAMED):
            self._put(f"named {type(value)}", str(value).encode("utf-8", "surrogatepass"))
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
            self._put("script", str(module.inlined_graph).encode())
            self.add(dict(module.state_dict()))
            return
        self.add({**module._parameters, **module._buffers})
        self.add({name: each for name, each in vars(module).items() if name not in _OF_TORCH})
        self.add({"training": module.training, **module._modules})

    def _add_code(self, value: type | ModuleType | FunctionType | MethodType) -> None:
        """By name, as its text is hashed elsewhere, with the values it is bound to."""
        name: str = getattr(value, "__qualname__", value.__name__)
        self._put("code", name.encode())
        if isinstance(value, MethodType):
            self.add(value.__self__)
        elif isinstance(value, FunctionType):
            cells = [cell.cell_contents for cell in value.__closure__ or ()]
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


def _attributes(value: Any) -> dict[str, object] | None:
    """All that an object holds; None if part of it may lie where only its own code can see it."""
    made_in_python = 1 << 9  # or at least at run time; the flag of types that are on the heap
    if not all(kind.__flags__ & made_in_python for kind in type(value).__mro__[:-1]):
        return None
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return getattr(value, "__dict__", None)


def _is_data(value: object) -> bool:
    if isinstance(value, list | tuple | set | frozenset):
        return all(map(_is_data, value))
    if isinstance(value, dict):
        return all(_is_data(each) for pair in value.items() for each in pair)
    return isinstance(value, (*_PLAIN, *_NAMED, torch.Tensor, np.ndarray, np.generic))
