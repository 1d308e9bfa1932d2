"""Read tensors from PyTorch archives that refer to code which is not here.

Two kinds: a checkpoint of training with PyTorch Lightning, whose pickle names classes of other
packages, and a TorchScript file, whose pickle names classes that the file itself defines in code.
``torch.load`` refuses both unless it may run anything, and ``torch.jit.load`` runs what the file
says. Both are zip files of a pickle and of raw tensors, so they are read as that: names of classes
become inert placeholders, and of all names only those known to be harmless are allowed.
"""

from __future__ import annotations

import collections
import io
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from methods.weights.checkpoint import Checkpoint
from methods.weights.files import verify

if TYPE_CHECKING:
    import torch

_CONTAINERS: dict[str, type] = {
    "collections.OrderedDict": collections.OrderedDict,
    "collections.defaultdict": collections.defaultdict,
    **{f"builtins.{kind.__name__}": kind for kind in (dict, int, list)},
    # The same as Python 2 named them, which is how the old protocol writes them.
    "__builtin__.dict": dict, "__builtin__.int": int, "__builtin__.long": int,
    "__builtin__.list": list,
}  # fmt: skip
# Settings and bookkeeping of training; of no use here.
_FOREIGN = {
    "typing.Any",
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
}
_NAMED = 12  # files of an archive, in a message
_SCRIPTED = "__torch__"  # the package of classes that a TorchScript file defines
_DTYPES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "BoolStorage": "bool",
}


def load_archive(path: Path, checkpoint: Checkpoint, prefix: str) -> dict[str, torch.Tensor]:
    """Read the tensors whose names begin with a prefix, which is taken off.

    Args:
        path: A checkpoint of PyTorch Lightning, a zip file that holds one such ``.ckpt``, or a
            TorchScript file.
        checkpoint: What it should be.
        prefix: Such as ``generator.``; what has another name is not even read.

    Raises:
        BenchError: If the file is not the right one, is malformed, refers to a name that is not
            allowed, or has no tensor of that prefix.
    """
    verify(path, checkpoint)
    try:
        with _archive(path) as archive:
            pickled = _pickled(archive.namelist())
            found = _Unpickler(io.BytesIO(archive.read(pickled))).load()
            root = pickled.removesuffix("data.pkl")
            tensors = {
                name.removeprefix(prefix): stored.read(archive, root)
                for name, stored in _named(found)
                if name.startswith(prefix)
            }
    except Exception as error:  # zip and pickle raise many kinds for a malformed file
        raise BenchError(
            f"{path}: expected a checkpoint of PyTorch Lightning or a TorchScript file for "
            f"{checkpoint.name}: {type(error).__name__}: {error}"
        ) from error
    if not tensors:
        raise BenchError(f"{path}: expected tensors named {prefix}*, found none")
    return tensors


def _pickled(names: list[str]) -> str:
    """The one pickle among the files of an archive."""
    found = [name for name in names if name.endswith("/data.pkl")]
    if len(found) != 1:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        held = ", ".join(names[:_NAMED]) or "nothing"
        raise BenchError(f"expected one data.pkl inside, found {held}{more}")
    return found[0]


def _archive(path: Path) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(path)
    inside = [name for name in archive.namelist() if name.endswith(".ckpt")]
    if not inside:
        return archive
    with archive:
        if len(inside) > 1:
            raise BenchError(f"expected one .ckpt inside, found {', '.join(inside)}")
        return zipfile.ZipFile(io.BytesIO(archive.read(inside[0])))


@dataclass(frozen=True)
class _Storage:
    """Numbers in a file of the archive."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class _Stored:
    """A tensor that is not read yet."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, archive: zipfile.ZipFile, root: str) -> torch.Tensor:
        """Read it."""
        import torch

        dtype = getattr(torch, self.storage.dtype)
        numbers = torch.frombuffer(
            bytearray(archive.read(f"{root}data/{self.storage.key}")), dtype=dtype
        )
        if len(numbers) != self.storage.count:
            raise ValueError(
                f"data/{self.storage.key}: expected {self.storage.count} numbers, found "
                f"{len(numbers)}"
            )
        return numbers.as_strided(self.shape, self.strides, self.offset).clone()


class _Inert:
    """Stands for an object of any class; keeps its fields and does nothing."""

    def __new__(cls, *arguments: Any) -> _Inert:
        """Take any arguments."""
        return super().__new__(cls)

    def __setstate__(self, fields: Any) -> None:
        """Keep the fields."""
        self.fields = fields


class _Unpickler(pickle.Unpickler):
    """Makes containers, numbers, text, tensors unread, and inert placeholders."""

    def find_class(self, module: str, name: str) -> Any:
        """Translate the allowed names; refuse all others."""
        full = f"{module}.{name}"
        if full in _CONTAINERS:
            return _CONTAINERS[full]
        # Classes and functions are made afresh, as a pickle may set their attributes.
        if full in _FOREIGN or module.partition(".")[0] == _SCRIPTED:
            return type(name, (_Inert,), {})
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        if full == "torch._utils._rebuild_tensor_v2":
            return lambda *arguments: _rebuild(*arguments)
        raise pickle.UnpicklingError(
            f"it refers to {full}, which is none of the names allowed; nothing of it was run"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        """Note where the numbers of a tensor are."""
        kind, dtype, key, _device, count = pid
        if kind != "storage" or dtype not in _DTYPES.values():
            raise pickle.UnpicklingError(f"expected a storage of numbers, found {pid}")
        return _Storage(str(key), dtype, count)


def _rebuild(storage: _Storage, offset: int, shape: Any, strides: Any, *_training: Any) -> _Stored:
    return _Stored(storage, offset, tuple(shape), tuple(strides))


def _named(found: Any, prefix: str = "") -> Iterator[tuple[str, _Stored]]:
    """All tensors with their names: of a checkpoint's state dict, or of scripted modules."""
    fields = found["state_dict"] if isinstance(found, dict) else found.fields
    for name, value in fields.items():
        if isinstance(value, _Stored):
            yield prefix + name, value
        elif isinstance(value, _Inert):
            yield from _named(value, f"{prefix}{name}.")
