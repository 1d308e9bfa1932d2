"""The method under test, and the pictures it is tested with."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

import methods
from bench.errors import BenchError, WeightsMissing
from methods import harness
from methods.base import CaseKey, Fill, Inpainter
from methods.card import Card
from methods.scene import scene

_SIDE = 64  # pixels of the test picture, unless the card asks for more


class Subject:
    """A method under test, loaded once and made again only where a rule needs that.

    Attributes:
        name: The name it was asked for by.
        make: Makes it for a device.
        method: The loaded method.
    """

    def __init__(self, asked: str | type[Inpainter]) -> None:
        """Make and load the method.

        Raises:
            BenchError: If there is no such method, its weights are missing, or its fills were
                made elsewhere, so that there is nothing to call.
        """
        self.name, self.make = _factory(asked)
        self.method = self.make("cpu")
        try:
            self.method.load()
        except WeightsMissing as error:
            raise WeightsMissing(
                f"{self.name} cannot be checked without weights: {error}"
            ) from error

    @property
    def card(self) -> Card:
        """The method's facts."""
        return self.method.card

    @property
    def side(self) -> int:
        """Side of a square test picture that the method should take, in pixels."""
        return self.card.size.length(_SIDE)

    def fill(self, photo: np.ndarray, hole: np.ndarray, seed: int = 0) -> harness.Filled:
        """Fill through the harness; a broken output is for the rules to say."""
        return harness.fill(self.method, photo, hole, seed, case_of(hole), broken=True)

    @cached_property
    def repeatable(self) -> bool:
        """Whether the same call twice gives the same fill; other rules compare fills."""
        photo, hole = scene(self.side, self.side)
        return same(self.fill(photo, hole), self.fill(photo, hole))

    @cached_property
    def in_colours(self) -> list[harness.Filled]:
        """Fills of three calm photos, each with its channels at levels of their own."""
        photo, hole = scene(self.side, self.side)
        tints = ([1, 0.7, 0.4], [0.4, 1, 0.7], [0.7, 0.4, 1])
        return [self.fill(((photo // 2 + 127) * tint).astype(np.uint8), hole) for tint in tints]


def same(one: harness.Filled, other: harness.Filled) -> bool:
    """Tell whether two fills are equal, also where known pixels would be pasted over."""
    return np.array_equal(one.picture, other.picture) and np.array_equal(one.raw, other.raw)


def run_steps(method: Inpainter, images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Run ``prepare``, ``infer``, ``finish`` without the harness's checks and clipping."""
    generator = torch.Generator().manual_seed(0)
    method.begin(case_of(masks[0, 0]))
    with harness.running(method):
        ready = method.prepare(images.clone(), masks.clone())
        out = method.infer(*ready, generator)
        return method.finish(
            out if isinstance(out, Fill) else Fill(out), images, masks
        ).images.detach()


def case_of(hole: np.ndarray | torch.Tensor) -> CaseKey:
    """What a run would tell a method of a photo before its fill."""
    height, width = hole.shape
    return CaseKey("scene.png", "region", 0, size=(height, width))


def _factory(asked: str | type[Inpainter]) -> tuple[str, Callable[[str], Inpainter]]:
    if not isinstance(asked, str):
        return asked.card.name, lambda device: asked(asked.card.name, device=device)
    spec, place = methods.parse(asked), Path.cwd()
    if spec.kind == "folder":
        raise BenchError(
            f"method {asked!r}: outputs made elsewhere cannot be checked, there is nothing to "
            "call; a run says which files are there and whether they can be scored"
        )

    def make(device: str) -> Inpainter:
        with contextlib.chdir(place):  # which an earlier one may have left
            return methods.get(spec, device=device)

    return spec.name, make
