"""Methods without weights: diffusion-based and patch-based.

Each adapter is thin, because the harness already keeps out what these libraries handle badly:
a hole with nothing known (OpenCV returns its input, PyPatchMatch black, scikit-image fails), an
empty hole (shift-map ends the process), floats (Telea breaks on them).
"""

from __future__ import annotations

from importlib.metadata import version
from typing import ClassVar

import cv2
import numpy as np
import torch

from bench.errors import BenchError, Declined
from methods.base import PictureInpainter
from methods.card import read

_RADIUS = 3  # customary for both; larger ones cost radius squared and gain nothing


class _Marching(PictureInpainter):
    """OpenCV's filling in order of distance from the edge of the hole; the weights differ."""

    weighting: ClassVar[int]

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Fill in 8 bits."""
        return cv2.inpaint(picture, hole.astype(np.uint8), _RADIUS, self.weighting)


class Telea(_Marching):
    """Fast marching from the edge of the hole inwards (Telea, 2004), in OpenCV."""

    card = read("telea")
    weighting = cv2.INPAINT_TELEA


class NavierStokes(_Marching):
    """OpenCV's marching after Bertalmio, Bertozzi, Sapiro (2001)."""

    card = read("navier_stokes")
    weighting = cv2.INPAINT_NS


class Biharmonic(PictureInpainter):
    """Solution of the biharmonic equation in the hole (Damelin, Hoang, 2018), in scikit-image."""

    card = read("biharmonic")

    @property
    def identity(self) -> str:
        """Add the version of SciPy, by which scikit-image solves the system."""
        return f"{super().identity} scipy {version('scipy')}"

    def load(self) -> None:
        """Import the solver here: other methods' workers do without its memory."""
        from skimage.restoration import inpaint_biharmonic

        self._solve = inpaint_biharmonic

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Solve in float64, then round."""
        solved = self._solve(picture, hole, channel_axis=-1)
        return np.rint(solved * 255).clip(0, 255).astype(np.uint8)


class PatchMatch(PictureInpainter):
    """Patches of the known area, found with PatchMatch (Barnes et al., 2009), in PyPatchMatch."""

    card = read("patchmatch")

    def load(self) -> None:
        """Import the library.

        Raises:
            BenchError: If it was installed without its compiled part.
        """
        import patchmatch

        if not patchmatch.patchmatch_available:
            raise BenchError(
                "patchmatch: the package pypatchmatch is installed without its compiled part; "
                "reinstall it from a wheel: pip install --force-reinstall --only-binary :all: "
                "pypatchmatch"
            )
        self._library = patchmatch

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Fill from a fixed seed: the library's generator is global and moves with each call."""
        self._library.set_random_seed(0)
        return self._library.inpaint(picture, hole, patch_size=_RADIUS)


class ShiftMap(PictureInpainter):
    """Graph cut over dominant patch offsets (He, Sun, 2012), in OpenCV's xphoto."""

    card = read("shift_map")

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Fill in CIELab, which the method is meant for, and decline what comes back unfilled.

        Raises:
            Declined: If the library leaves part of the hole as it was.
        """
        lab = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab)
        filled = np.zeros_like(lab)
        known = (~hole).astype(np.uint8)  # non-zero means known here
        cv2.xphoto.inpaint(lab, known, filled, cv2.xphoto.INPAINT_SHIFTMAP)
        # No colour is 0 in all three channels of 8-bit Lab, where grey is 128: never written.
        unfilled = int(((filled == 0).all(-1) & hole).sum())
        if unfilled:
            raise Declined(
                f"the library left {unfilled} of {int(hole.sum())} hole pixels unfilled; "
                "too little is known around the hole"
            )
        return cv2.cvtColor(filled, cv2.COLOR_Lab2RGB)
