"""All that a training needs to go on exactly where it was, and the averaged weights."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from bench.errors import InputError, writing
from bench.text.plain import one_line

NAME = "state.pt"
_BEFORE = "state.pt.before"
# Of trainings from before these were choices.
_FORMERLY = {"devices": 1, "networks": {}, "start": {}}
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
        self._followed: list[_Followed] = []

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step of the network in, whose gradients are those of the step."""
        if not self._followed:  # a network's tensors stay the same objects while it learns
            self._followed = _followed(self.network, getattr(network, "module", network))
        # Tensors with one count are averaged in one go: on a GPU, each call costs as much as all.
        alike: dict[int, list[_Followed]] = {}
        for each in self._followed:
            if each.source.requires_grad and each.source.grad is None:
                continue
            self.steps[each.name] = self.steps.get(each.name, 0) + 1
            if each.average.is_floating_point():
                alike.setdefault(self.steps[each.name], []).append(each)
            else:
                each.average.copy_(each.source)
        for steps, group in alike.items():
            torch._foreach_lerp_(
                [each.average for each in group],
                [each.source.detach() for each in group],
                max(1 - DECAY, 9 / (10 + steps)),
            )


class _Followed(NamedTuple):
    """A tensor of the average and the one of the network that it follows."""

    name: str
    average: torch.Tensor
    source: torch.Tensor


def _followed(average: nn.Module, network: nn.Module) -> list[_Followed]:
    sources: dict[str, torch.Tensor] = {}
    sources |= network.named_parameters(remove_duplicate=False)
    sources |= network.named_buffers(remove_duplicate=False)
    return [_Followed(name, each, sources[name]) for name, each in average.state_dict().items()]


def save(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the state as a whole, and keep the one before, for the case that this is damaged.

    Raises:
        BenchError: If it cannot be written.
    """
    part = folder / f"{NAME}.part"
    with writing(folder / NAME):
        try:
            with part.open("wb") as file:
                torch.save(dict(state), file)
                file.flush()
                os.fsync(file.fileno())
        except RuntimeError as error:  # in place of what the disk said
            raise OSError(f"{error.__context__ or error}") from error
        if (folder / NAME).exists():
            os.replace(folder / NAME, folder / _BEFORE)
        os.replace(part, folder / NAME)


def read(folder: Path, asked: Mapping[str, Any], ledger: Path) -> dict[str, Any] | None:
    """Read the state; None where there is none.

    Args:
        folder: Of the training.
        asked: What must be the same for a training to be continued.
        ledger: What is written before the first state, so that a kill may leave it alone.

    Raises:
        InputError: If it belongs to another training, is damaged like the one before it, or the
            folder holds something else.
    """
    there = [folder / name for name in (NAME, _BEFORE) if (folder / name).exists()]
    if not there:
        own = {f"{NAME}.part", ledger.name, ledger.with_suffix(".part").name}
        others = sorted({each.name for each in folder.glob("[!.]*")} - own)
        if others:
            raise InputError(
                f"{folder}: expected a new or an empty folder, or that of a training, found "
                f"{', '.join(others[:3])}; choose another"
            )
        return None
    for path in there:
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            found = _FORMERLY | state["job"]
            break
        except Exception as error:  # torch raises many kinds for a damaged file
            why = f"{path}: expected the state of a training: {one_line(str(error))}"
            if path == there[-1]:
                raise InputError(why) from error
            print(f"{why}; going on from the one before", file=sys.stderr)
    differing = sorted(key for key in asked if found.get(key) != asked[key])
    if differing:
        details = "; ".join(f"{key} {found.get(key)!r}, now {asked[key]!r}" for key in differing)
        raise InputError(
            f"{folder}: holds another training ({details}); choose another folder, or repeat the "
            "old options to continue it"
        )
    return state
