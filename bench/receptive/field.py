"""Effective receptive field: which known pixels decide the middle of a hole.

It is the gradient of one pixel of the output with respect to the input (Luo, Li, Urtasun, Zemel,
Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, NIPS 2016).
There inputs are random and gradients are averaged; here they are photos with a hole, and squared
gradients are averaged, so that signs do not cancel.

Radii and the Gaussian are those of the known pixels: every method gets the same blank in the hole,
so a gradient there tells how it would take what it never sees, and of two networks that fill alike
only one that blanks its input itself would be without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy import optimize

from bench.errors import ContractError, Declined, InputError
from methods import harness
from methods.base import Fill, Inpainter, to_float

SHARES = (0.5, 0.9, 0.99)
SMALLEST_SIDE = 8
_HOLE = 4  # holes per side of the picture
_WIDEST = 4  # sides of the picture; beyond, a Gaussian cannot be told from a constant


@dataclass(frozen=True)
class Field:
    """What a method's output in the middle of the hole depends on.

    Attributes:
        energy: Squared gradient, summed over colours, mean over photos; ``(h, w)`` of the
            network's input.
        known: Where that input is known, bool ``(h, w)``.
    """

    energy: np.ndarray
    known: np.ndarray

    @property
    def side(self) -> int:
        """Longer side of the network's input, in pixels."""
        return max(self.energy.shape)

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Of the hole: first row, the one after the last, and the same of columns."""
        rows, columns = np.nonzero(~self.known)
        return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1

    @property
    def centre(self) -> tuple[int, int]:
        """The output pixel: middle of the hole, below and to the right where there are four."""
        top, bottom, left, right = self.box
        return (top + bottom) // 2, (left + right) // 2

    @cached_property
    def _distances(self) -> np.ndarray:
        """Of the known pixels from the centre, between middles of pixels."""
        rows, columns = np.nonzero(self.known)
        return np.hypot(rows - self.centre[0], columns - self.centre[1])

    @property
    def nearest(self) -> float:
        """Distance of the nearest known pixel: no radius can be smaller."""
        return float(self._distances.min())

    @property
    def known_share(self) -> float:
        """Share of the energy that lies on known pixels."""
        inside, hole = self.energy[self.known].sum(), self.energy[~self.known].sum()
        return float(inside / (inside + hole))

    def radius(self, share: float) -> float:
        """Least distance from the centre within which that share of the known energy lies."""
        order = np.argsort(self._distances, kind="stable")
        inside = np.cumsum(self.energy[self.known][order])
        wanted = share * inside[-1] * (1 - 1e-12)  # what is exactly that share counts
        return float(self._distances[order[np.searchsorted(inside, wanted)]])

    def gaussian(self) -> tuple[float, float]:
        """Fit ``a exp(-d^2 / 2 sigma^2)`` to the energy of the known pixels, by least squares.

        Returns:
            Sigma in pixels, and the share of the variance that is explained (R squared); both NaN
            where no Gaussian fits better than a constant.
        """
        energy, squares = self.energy[self.known], self._distances**2

        def left(log_sigma: float) -> float:
            # The best height for a width is known, so that only the width is searched. Taking out
            # the nearest distance leaves the shape and keeps narrow ones above zero.
            shape = np.exp((squares.min() - squares) / (2 * np.exp(2 * log_sigma)))
            return float(np.square(energy - shape * (energy @ shape) / (shape @ shape)).sum())

        widths = np.linspace(np.log(0.5), np.log(_WIDEST * self.side), 48)
        best = int(np.argmin([left(width) for width in widths]))
        around = widths[max(best - 1, 0)], widths[min(best + 1, len(widths) - 1)]
        found = optimize.minimize_scalar(left, bounds=around, method="bounded")
        variance = float(np.square(energy - energy.mean()).sum())
        if best == len(widths) - 1 or found.fun >= variance:
            return float("nan"), float("nan")
        return float(np.exp(found.x)), 1 - float(found.fun) / variance


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
        centre = Field(known, known).centre
        energies.append(_energy(method, *ready, centre, seed))
    if not energies:
        raise InputError("photos: expected at least one, found none")
    field = Field(np.mean(energies, axis=0), known)
    if not field.energy[known].any():
        raise Declined(
            "no known pixel has any influence on the middle of the hole: the output there is "
            "constant, clipped, drawn, detached from the input, or sees no farther than the hole"
        )
    return field


def _energy(
    method: Inpainter,
    images: torch.Tensor,
    masks: torch.Tensor,
    centre: tuple[int, int],
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
            pixel = filled[0, :, centre[0], centre[1]].mean()
            (gradient,) = torch.autograd.grad(pixel, given, allow_unused=True)
    if gradient is None:
        raise ContractError(
            "output: expected one that gradients lead from back to the input, found one that is "
            "cut off; look for detach(), no_grad() or NumPy in infer"
        )
    if not bool(torch.isfinite(gradient).all()):
        raise ContractError("gradient of the middle of the hole: expected finite values only")
    return gradient[0].cpu().double().square().sum(0).numpy()
