"""Effective receptive field: which known pixels decide the middle of a hole.

It is the gradient of the output in the middle with respect to the input (Luo, Li, Urtasun, Zemel,
Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, NIPS 2016).
There inputs are random, the output is one pixel and gradients are averaged. Here inputs are photos
with a hole; the output is the mean of a block, as single pixels of one fill differ much in what
they look at; and squared gradients are averaged, each photo's as shares of their sum, so that
signs do not cancel and no photo counts for more than another.

Radii are those of the known pixels: every method gets the same blank in the hole, so a gradient
there tells how it would take what it never sees, and of two networks that fill alike only one that
blanks its input itself would be without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from bench.errors import ContractError, Declined, InputError
from methods import harness
from methods.base import Fill, Inpainter, to_float

SHARES = (0.5, 0.9, 0.99)
SMALLEST_SIDE = 8
BLOCK = 8
"""Side of the block of output pixels, where the hole is not smaller."""
_HOLE = 4  # holes per side of the picture


@dataclass(frozen=True)
class Field:
    """What a method's output in the middle of the hole depends on.

    Attributes:
        energies: Of each photo the squared gradient, summed over colours; ``(photos, h, w)`` of
            the network's input. Those of the known pixels sum to 1, or to 0 where no known pixel
            has any influence.
        known: Where that input is known, bool ``(h, w)``.
    """

    energies: np.ndarray
    known: np.ndarray

    @property
    def energy(self) -> np.ndarray:
        """Mean over photos, ``(h, w)``."""
        return np.asarray(self.energies.mean(axis=0))

    @property
    def side(self) -> int:
        """Longer side of the network's input, in pixels."""
        return max(self.known.shape)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Of the hole: first row, the one after the last, and the same of columns."""
        rows, columns = np.nonzero(~self.known)
        return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1

    @property
    def block(self) -> tuple[slice, slice]:
        """The rows and the columns of the output that are looked at."""
        top, bottom, left, right = self.box
        return _middle(top, bottom), _middle(left, right)

    @cached_property
    def _distances(self) -> np.ndarray:
        """Of the known pixels from the middle of the block, between middles of pixels."""
        rows, columns = np.nonzero(self.known)
        middle = [(each.start + each.stop - 1) / 2 for each in self.block]
        return np.hypot(rows - middle[0], columns - middle[1])

    @property
    def nearest(self) -> float:
        """Distance of the nearest known pixel: no radius can be smaller."""
        return float(self._distances.min())

    @property
    def known_share(self) -> float:
        """Share of the energy that lies on known pixels, mean over photos."""
        inside = self.energies[:, self.known].sum(1)
        total = self.energies.sum((1, 2))
        return float(np.mean(inside[total > 0] / total[total > 0]))

    def radii(self, share: float) -> np.ndarray:
        """Of each photo the least distance within which that share of its known energy lies.

        Returns:
            ``(photos,)``, in pixels; NaN where no known pixel has any influence.
        """
        return np.array([self._radius(each[self.known], share) for each in self.energies])

    def even(self, share: float) -> float:
        """The radius if all known pixels counted alike."""
        return self._radius(np.ones(len(self._distances)), share)

    def _radius(self, energy: np.ndarray, share: float) -> float:
        order = np.argsort(self._distances, kind="stable")
        inside = np.cumsum(energy[order])
        if not inside[-1]:
            return float("nan")
        wanted = share * inside[-1] * (1 - 1e-12)  # what is exactly that share counts
        return float(self._distances[order[np.searchsorted(inside, wanted)]])


def _middle(first: int, last: int) -> slice:
    side = min(BLOCK, last - first)
    start = (first + last - side) // 2
    return slice(start, start + side)


def centred_hole(side: int) -> np.ndarray:
    """A square of a quarter of the side in the middle, bool ``(side, side)``.

    Raises:
        InputError: If the side leaves no room for it.
    """
    if side < SMALLEST_SIDE:
        raise InputError(f"side: expected at least {SMALLEST_SIDE} pixels, found {side}")
    hole = np.zeros((side, side), bool)
    first = (side - side // _HOLE) // 2
    hole[first : first + side // _HOLE, first : first + side // _HOLE] = True
    return hole


def measure(method: Inpainter, photos: Iterable[np.ndarray], side: int, seed: int = 0) -> Field:
    """Measure the field of a loaded method.

    Args:
        method: The method. Photos are blanked and prepared as for a fill.
        photos: uint8 RGB, ``(side, side, 3)`` each.
        side: Of the photos, in pixels.
        seed: Of the generator that the method is given.

    Raises:
        Declined: If no gradient passes the method by its own word, it takes no such size, or no
            known pixel has any influence.
        ContractError: If the output is cut off from the input, or gradients are not finite.
        InputError: If there is no photo, or the side is too small.
    """
    if method.undifferentiable:
        raise Declined(f"has no receptive field that could be measured: {method.undifferentiable}")
    hole = centred_hole(side)
    harness.check_card(method, hole)
    mask = torch.from_numpy(hole[None, None]).to(torch.float32)
    energies = []
    for photo in photos:
        ready = method.prepare(to_float(photo[None]) * (1 - mask), mask.clone())
        known = ready[1][0, 0].cpu().numpy() <= 0.5
        energy = _energy(method, *ready, Field(known[None], known).block, seed)
        energies.append(energy / (energy[known].sum() or np.inf))
    if not energies:
        raise InputError("photos: expected at least one, found none")
    field = Field(np.stack(energies), known)
    if not field.energies.any():
        raise Declined(
            "no known pixel has any influence on the middle of the hole: the output there is "
            "constant, clipped, drawn, detached from the input, or sees no farther than the hole"
        )
    return field


def _energy(
    method: Inpainter,
    images: torch.Tensor,
    masks: torch.Tensor,
    block: tuple[slice, slice],
    seed: int,
) -> np.ndarray:
    given = images.detach().clone().requires_grad_()
    generator = torch.Generator().manual_seed(seed)
    # Networks may reuse memory that gradients need: it is then copied.
    with torch.enable_grad(), torch.autograd.graph.allow_mutation_on_saved_tensors():
        out = method.infer(given.clone(), masks, generator)
        filled = out.images if isinstance(out, Fill) else out
        if filled.shape != images.shape:
            raise ContractError(
                f"output: expected {tuple(images.shape)}, found {tuple(filled.shape)}"
            )
        gradient = None
        if filled.requires_grad:
            middle = filled[0, :, block[0], block[1]].mean()
            (gradient,) = torch.autograd.grad(middle, given, allow_unused=True)
    if gradient is None:
        raise ContractError(
            "output: expected one that gradients lead from back to the input, found one that is "
            "cut off; look for detach(), no_grad() or NumPy in infer"
        )
    if not bool(torch.isfinite(gradient).all()):
        raise ContractError("gradient of the middle of the hole: expected finite values only")
    return gradient[0].cpu().double().square().sum(0).numpy()
