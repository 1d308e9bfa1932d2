"""Read tensors from weight files, and put them into networks."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from methods.weights.checkpoint import Checkpoint
from methods.weights.files import verify

if TYPE_CHECKING:
    import torch

_PARALLEL = "module."
_NAMED = 12  # keys of a file, in a message


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
    import torch

    verify(path, checkpoint)
    try:
        state: Any = _read(path)
    except Exception as error:  # the libraries raise many kinds for a malformed file
        raise BenchError(f"{path}: expected a state dict of tensors, {_refusal(error)}") from error
    inner = state.get(wrapper, state) if wrapper and isinstance(state, dict) else state
    if not isinstance(inner, dict) or not all(isinstance(v, torch.Tensor) for v in inner.values()):
        where = f", bare or under the key {wrapper!r}" if wrapper else ""
        raise BenchError(
            f"{path}: expected a flat dict of tensors{where}, found {_contents(state)}"
        )
    return _without_prefix(inner, path)


def _read(path: Path) -> Any:
    with path.open("rb") as file:
        # By its content, since a file is kept under one name whichever of two kinds it is of.
        safe = file.read(9)[8:] == b"{"
    if safe or path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    import torch

    if path.suffix == ".npy":
        import numpy as np

        return {"": torch.from_numpy(np.load(path, allow_pickle=False))}
    # Mapped, so that what is not kept, such as an optimiser's moments, is not read into memory.
    # Only the format since 2020, a zip file, can be.
    mapped = zipfile.is_zipfile(path)
    return torch.load(path, map_location="cpu", mmap=mapped, weights_only=True)


def _refusal(error: Exception) -> str:
    """What a library found, without its advice to load the file as a program."""
    if isinstance(error, pickle.UnpicklingError) or "weights_only" in str(error):
        named = re.search(r"GLOBAL (\S+)", str(error))
        found = f"more than tensors: it refers to {named[1]}" if named else "something else"
        return f"found {found}; nothing of it was run"
    return f"found {type(error).__name__}: {error}"


def _contents(state: Any) -> str:
    if not isinstance(state, dict):
        return f"{type(state).__name__}"
    kinds = [f"{key} ({type(value).__name__})" for key, value in state.items()]
    more = f" and {len(kinds) - _NAMED} more" if len(kinds) > _NAMED else ""
    return f"the keys {', '.join(kinds[:_NAMED])}{more}"


def _without_prefix(state: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    bare = {str(name).removeprefix(_PARALLEL): tensor for name, tensor in state.items()}
    if len(bare) < len(state):
        twice = sorted(name for name in bare if name in state and _PARALLEL + name in state)
        raise BenchError(
            f"{path}: expected each tensor once, found {', '.join(twice)} with the prefix "
            f"{_PARALLEL} and without it; which of them to take is not known"
        )
    return bare


def put(state: Mapping[str, torch.Tensor], network: torch.nn.Module, source: str) -> None:
    """Put tensors into a network that must have exactly these names and shapes.

    Counters of batches are optional, as files of before 2018 lack them, and say nothing at
    inference.

    Args:
        state: Tensors by name.
        network: Where to put them.
        source: Where they are from, for messages.

    Raises:
        BenchError: If keys are unexpected, missing or misshapen, or values are not finite; it
            names them.
    """
    found = [f"{kind}: {', '.join(keys)}" for kind, keys in differences(state, network).items()]
    if found:
        raise BenchError(
            f"{source}: expected the tensors of {type(network).__name__}, found keys "
            f"{'; '.join(found)}. Is it the file of another network?"
        )
    broken = [name for name, tensor in state.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise BenchError(
            f"{source}: expected finite values, found others in {', '.join(broken)}; the file is "
            "damaged, or the training went astray"
        )
    network.load_state_dict(network.state_dict() | dict(state))


def differences(
    state: Mapping[str, torch.Tensor], network: torch.nn.Module
) -> dict[str, list[str]]:
    """Names of tensors that are unexpected, missing or misshapen; nothing if all are the network's.

    Args:
        state: Tensors by name.
        network: What they should be for; may be of shapes alone.
    """
    own = network.state_dict()
    wrong = {
        "unexpected": state.keys() - own.keys(),
        "missing": {
            name for name in own.keys() - state.keys() if not name.endswith("num_batches_tracked")
        },
        "misshapen": {
            f"{name} {tuple(state[name].shape)}, expected {tuple(own[name].shape)}"
            for name in own.keys() & state.keys()
            if state[name].shape != own[name].shape
        },
    }
    return {kind: sorted(keys) for kind, keys in wrong.items() if keys}
