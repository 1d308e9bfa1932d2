"""All that a training needs to go on exactly where it was, and the averaged weights."""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.errors import InputError

NAME = "state.pt"
DECAY = 0.995
"""Share of the average that a step keeps."""


class Average:
    """Exponential moving average of a network's weights; these are what is shipped.

    The horizon grows with the steps taken, so that a short training does not average over the
    weights it started from. Each tensor has its own count: those of a stage that does not learn
    stay as they are.
    """

    def __init__(self, network: nn.Module) -> None:
        """Start from the network as it is."""
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self.steps: dict[str, int] = {}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step of the network in, whose gradients are those of the step."""
        bare = getattr(network, "module", network)
        resting = {n for n, p in bare.named_parameters() if p.requires_grad and p.grad is None}
        current = bare.state_dict()
        # Tensors with one count are averaged in one go: on a GPU, each call costs as much as all.
        alike: dict[int, tuple[list[torch.Tensor], list[torch.Tensor]]] = {}
        for name, tensor in self.network.state_dict().items():
            if name in resting:
                continue
            self.steps[name] = self.steps.get(name, 0) + 1
            new = current[name].to(tensor.device, tensor.dtype)
            if tensor.is_floating_point():
                old, taken = alike.setdefault(self.steps[name], ([], []))
                old.append(tensor)
                taken.append(new)
            else:
                tensor.copy_(new)
        for steps, (old, taken) in alike.items():
            torch._foreach_lerp_(old, taken, max(1 - DECAY, 9 / (10 + steps)))


def save(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the state as a whole, so that a kill leaves the old or the new one."""
    part = folder / f"{NAME}.part"
    torch.save(dict(state), part)
    os.replace(part, folder / NAME)


def read(folder: Path, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    """Read the state; None where there is none.

    Args:
        folder: Of the training.
        asked: What must be the same for a training to be continued.

    Raises:
        InputError: If it belongs to another training, or is damaged.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        found = state["job"]
    except Exception as error:  # torch raises many kinds for a damaged file
        raise InputError(f"{path}: expected the state of a training: {error}") from error
    differing = sorted(key for key in asked if found.get(key) != asked[key])
    if differing:
        details = "; ".join(f"{key} {found.get(key)!r}, now {asked[key]!r}" for key in differing)
        raise InputError(
            f"{folder}: holds another training ({details}); choose another folder, or repeat the "
            "old options to continue it"
        )
    return state
