"""Read tensors from weight files, and put them into networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, few
from methods.weights.checkpoint import Checkpoint
from methods.weights.files import verify
from methods.weights.pickled import Inert, Stored, contents, flat

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor | Stored | Inert]

_PARALLEL = "module."
_NAMED = 12  # keys of a file, in a message
_SHOWN = 4  # tensors of each kind that differ, likewise


def load(path: Path, checkpoint: Checkpoint, wrapper: str = "") -> dict[str, torch.Tensor]:
    """Read the tensors of a PyTorch state dict or a safetensors file after checking it.

    The one array of an ``.npy`` file has no name: it is found under ``""``. A prefix ``module.``,
    which parallel training leaves, is taken off.

    Args:
        path: The file.
        checkpoint: What it should be.
        wrapper: Key under which the file may hold the state dict, beside other things.

    Raises:
        BenchError: If the file is not the right one, holds anything but tensors, or holds a tensor
            with the prefix and without it.
    """
    state = read(path, checkpoint)
    inner = state.get(wrapper, state) if wrapper and isinstance(state, dict) else state
    named = isinstance(inner, dict) and inner
    if not named or not all(hasattr(each, "shape") for each in inner.values()):
        where = f", bare or under the key {wrapper!r}" if wrapper else ""
        raise BenchError(
            f"{path}: expected a flat dict of tensors{where}, found {_contents(state)}"
        )
    return taken(_without_prefix(inner, path), path)


def load_archive(path: Path, checkpoint: Checkpoint, prefix: str) -> dict[str, torch.Tensor]:
    """Read the tensors whose names begin with a prefix, which is taken off.

    Args:
        path: A checkpoint of training, with its tensors under ``state_dict``, a zip file that
            holds one such ``.ckpt``, or a TorchScript file.
        checkpoint: What it should be.
        prefix: Such as ``generator.``; what has another name is not even read.

    Raises:
        BenchError: If the file is not the right one, is malformed, or has no tensor of that prefix.
    """
    state = read(path, checkpoint)
    inner = state.get("state_dict") if isinstance(state, dict) else state
    named = {n.removeprefix(prefix): each for n, each in flat(inner) if n.startswith(prefix)}
    if not named:
        raise BenchError(
            f"{path}: expected tensors named {prefix}* in a checkpoint or a TorchScript file, "
            f"found none, but {_contents(state)}"
        )
    return taken(named, path)


def read(path: Path, checkpoint: Checkpoint) -> Any:
    """Read what a weight file holds, its tensors perhaps unread, after checking it.

    Raises:
        BenchError: If the file is not the right one, or malformed.
    """
    verify(path, checkpoint)
    try:
        with path.open("rb") as file:
            start = file.read(9)
        # By its content, since a file is kept under one name whichever of several kinds it is of.
        if start[8:] == b"{":
            from safetensors.torch import load_file

            return load_file(path)
        if start.startswith(b"\x93NUMPY"):
            import numpy as np
            import torch

            return {"": torch.from_numpy(np.load(path, allow_pickle=False))}
        return contents(path)
    except Exception as error:  # the libraries raise many kinds for a malformed file
        raise BenchError(
            f"{path}: expected the weights {checkpoint.name}, a file of tensors, found "
            f"{type(error).__name__}: {error}"
        ) from error


def taken(state: Tensors, path: Path | str) -> dict[str, torch.Tensor]:
    """Read tensors that are not read yet.

    Raises:
        BenchError: If the file does not hold what it says, or one is of a kind that is not read.
    """
    try:
        return {name: tensor.read() if isinstance(tensor, Stored) else _tensor(name, tensor)
                for name, tensor in state.items()}  # fmt: skip
    except Exception as error:  # what a file says of shapes and numbers may be anything
        raise BenchError(
            f"{path}: expected tensors, found {type(error).__name__}: {error}"
        ) from error


def _tensor(name: str, found: torch.Tensor | Inert) -> torch.Tensor:
    if isinstance(found, Inert):
        raise ValueError(f"{name} is made by {found.of}, of which nothing is run")
    return found


def _contents(state: Any) -> str:
    if not isinstance(state, dict):
        return _kind(state)
    kinds = [f"{key} ({_kind(value)})" for key, value in state.items()]
    return f"the keys {few(kinds, _NAMED)}" if kinds else "nothing"


def _kind(value: Any) -> str:
    if isinstance(value, Inert) or (isinstance(value, type) and issubclass(value, Inert)):
        return f"{value.of}; nothing of it was run"
    return "Tensor" if isinstance(value, Stored) else type(value).__name__


def _without_prefix(state: Tensors, path: Path) -> Tensors:
    bare = {str(name).removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    if len(bare) < len(state):
        twice = sorted(name for name in bare if name in state and _PARALLEL + name in state)
        raise BenchError(
            f"{path}: expected each tensor once, found {', '.join(twice)} with the prefix "
            f"{_PARALLEL} and without it; which of them to take is not known"
        )
    return bare


def put(state: Tensors, network: torch.nn.Module, source: str) -> None:
    """Put tensors into a network that must have exactly these names and shapes.

    Args:
        state: Tensors by name.
        network: Where to put them.
        source: Where they are from, for messages.

    Raises:
        BenchError: As `fit`.
    """
    own = network.state_dict()
    network.load_state_dict(own | fit(state, own, source, type(network).__name__))


def fit(
    state: Tensors, own: Mapping[str, torch.Tensor], source: str, network: str
) -> dict[str, torch.Tensor]:
    """Read tensors that must be just those of a network, with finite values.

    Args:
        state: Tensors by name.
        own: Those of the network; may be shapes alone.
        source: Where the former are from, for messages.
        network: What the latter are of, likewise.

    Raises:
        BenchError: If keys are unexpected, missing or misshapen, or values are not finite; it
            names them.
    """
    differs = differences(state, own)
    if differs:
        raise BenchError(
            f"{source}: expected the tensors of {network}, found keys {in_words(differs)}. Is it "
            "the file of another network?"
        )
    tensors = taken(state, source)
    broken = [name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise BenchError(
            f"{source}: expected finite values, found others in {', '.join(broken)}; the file is "
            "damaged, or the training went astray"
        )
    return tensors


def in_words(differs: Mapping[str, list[str]]) -> str:
    """What `differences` found, the first few of each kind by name."""
    return "; ".join(f"{kind}: {few(names, _SHOWN)}" for kind, names in differs.items())


def differences(state: Tensors, own: Mapping[str, torch.Tensor]) -> dict[str, list[str]]:
    """Names of tensors that are unexpected, missing or misshapen; nothing if all are the network's.

    Counters of batches are optional, as files of before 2018 lack them, and say nothing at
    inference.

    Args:
        state: Tensors by name.
        own: Those of the network; may be shapes alone.
    """
    both = own.keys() & state.keys()
    unread = {name: each.of for name in both if isinstance(each := state[name], Inert)}
    wrong = {
        "unexpected": state.keys() - own.keys(),
        "missing": {
            name for name in own.keys() - state.keys() if not name.endswith("num_batches_tracked")
        },
        "misshapen": {
            f"{name} {tuple(found.shape)}, expected {tuple(own[name].shape)}"
            for name in both
            if not isinstance(found := state[name], Inert) and found.shape != own[name].shape
        },
        "not read": {f"{name}, made by {of}" for name, of in unread.items()},
    }
    return {kind: sorted(keys) for kind, keys in wrong.items() if keys}
