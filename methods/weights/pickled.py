"""Read the files that torch writes as data: nothing that a pickle names is imported or called.

Three kinds: checkpoints, zip files of a pickle and raw numbers; those of before torch 1.6, a row of
pickles and the numbers; and TorchScript files, zip files whose pickle names classes that they
define in code. ``torch.load`` refuses most names unless it may run anything, and ``torch.jit.load``
runs what the file says. Here every name becomes a placeholder that does nothing, but for the few
that make containers and tensors, and these are our own.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from bench.errors import BenchError, few

if TYPE_CHECKING:
    import numpy as np
    import torch

_NAMED = 12  # files of an archive, in a message
_SCRIPTED = "__torch__."  # the package of classes that a TorchScript file defines
_SMALL = 64 << 20  # bytes that any archive may unfold to
_RATIO = 50  # of more, how many times its own size; weights hardly get smaller
_EXPANDED = 1 << 20  # numbers of a tensor that may stand for fewer in the file
_BEFORE_ZIP = 0x1950A86A20F9469CFC6C  # the number that files of before torch 1.6 begin with
_PLAIN = ("torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter")
_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_BYTES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "uint8": 1, "int8": 1, "bool": 1}


class Inert:
    """Stands for anything that a pickle names, and for what is made of it; it does nothing.

    Attributes:
        of: What it stands for, such as ``argparse.Namespace``.
        fields: What it would have been given.
    """

    of = "something unknown"
    fields: Any = None

    def __new__(cls, *arguments: Any, **named: Any) -> Inert:
        """Take any arguments."""
        return super().__new__(cls)

    def __call__(self, *arguments: Any, **named: Any) -> Inert:
        """Take any arguments again."""
        return self

    def __setstate__(self, fields: Any) -> None:
        """Keep the fields."""
        self.fields = fields

    def append(self, *items: Any) -> None:
        """Lose the items."""

    extend = add = __setitem__ = append


class _Dict(dict[Any, Any]):
    """An ordered dict; what its attributes would be, such as ``items``, is of no account."""

    def __setstate__(self, fields: Any) -> None:
        """Lose them."""


@dataclass(frozen=True)
class _Storage:
    """Numbers in the file."""

    key: str
    dtype: str
    count: int
    read: Callable[[str, int], np.ndarray]


@dataclass(frozen=True)
class Stored:
    """A tensor that is not read yet.

    Attributes:
        shape: Its shape, as the file says it.
    """

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self) -> torch.Tensor:
        """Read it; numbers that it does not share with others stay in the file until looked at.

        Raises:
            ValueError: If the file has other numbers than it says, or a few stand for many.
        """
        import torch

        held, dtype = self.storage, getattr(torch, self.storage.dtype)
        asked = math.prod(self.shape)
        if asked > max(held.count, _EXPANDED):
            raise ValueError(f"data/{held.key}: {held.count:,} numbers for {asked:,} of a tensor")
        size = held.count * dtype.itemsize
        raw = held.read(held.key, size)
        if len(raw) != size:
            found = len(raw) // dtype.itemsize
            raise ValueError(f"data/{held.key}: expected {held.count} numbers, found {found}")
        raw = raw.copy() if raw.ctypes.data % dtype.itemsize else raw
        found = torch.from_numpy(raw).view(dtype).as_strided(self.shape, self.strides, self.offset)
        return found if found.numel() == held.count else found.clone()


def contents(path: Path) -> Any:
    """What a file holds: containers, numbers, text, tensors unread, and placeholders.

    A zip file may hold one such file, named ``.ckpt``, in place of a pickle.

    Raises:
        Exception: Of many kinds, if it is malformed or none of the three.
    """
    import numpy as np

    if zipfile.is_zipfile(path):
        archive = zipfile.ZipFile(path)
        refuse_bomb(archive, path.stat().st_size)
        inside = [name for name in archive.namelist() if name.endswith(".ckpt")]
        if len(inside) > 1:
            raise BenchError(f"expected one .ckpt inside, found {', '.join(inside)}")
        if not inside:
            return _zipped(archive, np.memmap(path, np.uint8, "c"))
        with archive:
            data = archive.read(inside[0])
        inner = zipfile.ZipFile(io.BytesIO(data))
        refuse_bomb(inner, len(data))
        return _zipped(inner, None)
    with path.open("rb") as file:
        return _before_zip(file, np.memmap(path, np.uint8, "c"))


def refuse_bomb(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive, of so many bytes, that would unfold to far more, before any of it is read.

    Raises:
        BenchError: If it would.
    """
    most, stated = max(_SMALL, _RATIO * size), sum(each.file_size for each in archive.infolist())
    if stated > most:
        raise BenchError(
            f"an archive of {size:,} bytes that unfolds to {stated:,}; expected at most {most:,}"
        )


def _zipped(archive: zipfile.ZipFile, mapped: np.ndarray | None) -> Any:
    names = archive.namelist()
    found = [name for name in names if name.endswith("/data.pkl")]
    if len(found) != 1:
        held = few(names, _NAMED) or "nothing"
        raise BenchError(f"expected one data.pkl inside, found {held}")
    root = found[0].removesuffix("data.pkl")
    import numpy as np

    def numbers(key: str, size: int) -> np.ndarray:
        info = archive.getinfo(f"{root}data/{key}")
        if info.file_size > size:
            raise ValueError(f"data/{key}: expected {size:,} bytes, found {info.file_size:,}")
        if mapped is None or info.compress_type != zipfile.ZIP_STORED:
            return np.frombuffer(bytearray(archive.read(info)), np.uint8)
        # The lengths of name and extra field, after which the content begins.
        at = info.header_offset + 30
        start = at + int(mapped[at - 4 : at].view("<u2").sum())
        return mapped[start : start + info.file_size]

    return _Unpickler(io.BytesIO(archive.read(found[0])), numbers).load()


def _before_zip(file: BinaryIO, mapped: np.ndarray) -> Any:
    starts: dict[str, int] = {}
    sizes: dict[str, int] = {}

    def numbers(key: str, _size: int) -> np.ndarray:
        return mapped[starts[key] : starts[key] + sizes[key]]

    def load() -> Any:
        return _Unpickler(file, numbers, sizes).load()

    try:
        if load() != _BEFORE_ZIP:
            raise ValueError("a pickle that torch did not write")
        _protocol, _system, found, keys = load(), load(), load(), load()
    except (EOFError, struct.error) as error:
        raise ValueError("a file that is cut off; get it again") from error
    at = file.tell()
    for key in keys:
        starts[key] = at + 8  # after how many there are
        at = starts[key] + sizes[key]
    return found


class _Unpickler(pickle._Unpickler):
    """Makes containers, numbers, text, tensors unread, and placeholders.

    The one in Python: that in C takes as many places as a file says it has memos, up to 64 GB.
    Arrays of bytes, which torch does not write, would be taken at the length that a file says.
    """

    dispatch = {  # noqa: RUF012
        code: load
        for code, load in pickle._Unpickler.dispatch.items()
        if code != pickle.BYTEARRAY8[0]
    }

    def __init__(
        self,
        file: Any,
        numbers: Callable[[str, int], np.ndarray],
        sizes: dict[str, int] | None = None,
    ) -> None:
        super().__init__(file)
        self._numbers = numbers
        self._sizes = {} if sizes is None else sizes

    def find_class(self, module: str, name: str) -> Any:
        """Translate the few names known; all others are placeholders."""
        full = f"{module}.{name}"
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        # Made afresh, as a pickle may set attributes of classes and functions.
        if full == "collections.OrderedDict":
            return type(name, (_Dict,), {})
        if full in _MAKE:
            return lambda *arguments: _MAKE[full](*arguments)
        return type(name, (Inert,), {"of": full})

    def persistent_load(self, pid: Any) -> _Storage | Inert:
        """Note where the numbers of a tensor are."""
        match pid:
            case ("storage", str(dtype), str(key), _, int(count), *view) if not any(view):
                self._sizes[key] = count * _BYTES.get(dtype, 2)
                return _Storage(key, dtype, count, self._numbers)
        return Inert()


def _tensor(storage: Any, offset: int, shape: Any, strides: Any, *_training: Any) -> Stored | Inert:
    if not isinstance(storage, _Storage):
        return Inert()
    return Stored(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_training: Any) -> Any:
    return tensor


def _with_attributes(make: Any, kind: Any, arguments: Any, *_state: Any) -> Any:
    return make(*arguments) if getattr(kind, "of", "") in _PLAIN else Inert()


_MAKE: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _with_attributes,
}


def flat(found: Any) -> Iterator[tuple[str, Stored | Inert | torch.Tensor]]:
    """All tensors, and placeholders that may stand for some, by their whole names.

    Keys of dicts are joined by ``/``, modules of a TorchScript file by ``.``, as in
    ``state_dict/generator.a.weight``. What is held twice is given once.
    """
    seen: set[int] = set()
    left: list[tuple[str, Any]] = [("", found)]
    while left:
        name, value = left.pop()
        scripted = isinstance(value, Inert) and value.of.startswith(_SCRIPTED)
        held = value.fields if scripted else value
        if isinstance(held, dict):
            if id(held) not in seen:
                seen.add(id(held))
                joint = "." if scripted else "/"
                inner = [(f"{name}{joint}{key}" if name else f"{key}", held[key]) for key in held]
                left += reversed(inner)
        elif isinstance(held, Inert) or hasattr(held, "shape"):
            yield name, held
