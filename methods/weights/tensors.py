"""Read tensors from weight files, and put them into networks."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from methods.weights.checkpoint import Checkpoint
from methods.weights.files import verify

if TYPE_CHECKING:
    import torch


def load(path: Path, checkpoint: Checkpoint, wrapper: str = "") -> dict[str, torch.Tensor]:
    """Read the tensors of a PyTorch state dict or a safetensors file after checking it.

    The one array of an ``.npy`` file has no name: it is found under ``""``.

    Args:
        path: The file.
        checkpoint: What it should be.
        wrapper: Key under which the file may hold the state dict, beside other things.

    Raises:
        BenchError: If the file is not the right one or holds anything but tensors.
    """
    import torch

    verify(path, checkpoint)
    try:
        state: Any = _read(path)
    except Exception as error:  # the libraries raise many kinds for a malformed file
        raise BenchError(f"{path}: expected a state dict of tensors: {error}") from error
    if wrapper and isinstance(state, dict):
        state = state.get(wrapper, state)
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise BenchError(f"{path}: expected a flat dict of tensors, found something else")
    return state


def _read(path: Path) -> Any:
    if path.suffix == ".safetensors":
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


def put(state: Mapping[str, torch.Tensor], network: torch.nn.Module, source: str) -> None:
    """Put tensors into a network that must have exactly these names and shapes.

    A prefix ``module.``, which parallel training leaves, is taken off. Counters of batches are
    optional, as files of before 2018 lack them, and say nothing at inference.

    Args:
        state: Tensors by name.
        network: Where to put them.
        source: Where they are from, for messages.

    Raises:
        BenchError: If keys are unexpected, missing or misshapen; it names them.
    """
    given = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    own = network.state_dict()
    wrong = {
        "unexpected": given.keys() - own.keys(),
        "missing": {
            name for name in own.keys() - given.keys() if not name.endswith("num_batches_tracked")
        },
        "misshapen": {
            f"{name} {tuple(given[name].shape)}, expected {tuple(own[name].shape)}"
            for name in own.keys() & given.keys()
            if given[name].shape != own[name].shape
        },
    }
    found = [f"{kind}: {', '.join(sorted(keys))}" for kind, keys in wrong.items() if keys]
    if found:
        raise BenchError(
            f"{source}: expected the tensors of {type(network).__name__}, found keys "
            f"{'; '.join(found)}. Is it the file of another network?"
        )
    network.load_state_dict(own | given)
