"""The contract between a method and the harness.

A method is one class. The common case is one function, `Inpainter.infer`; what every method
needs alike (checks, blanking the hole, fitting sizes, timing, rounding, pasting the known
pixels back) is done by `methods.harness`, so that none can do it differently. All that
a method needs is imported from here.

Pictures are RGB float32 tensors in ``[0, 1]`` of shape ``(N, 3, H, W)``; masks are float32
``(N, 1, H, W)`` with 1 inside the hole. Anything else is converted inside one adapter.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar, NamedTuple

import cv2
import numpy as np
import torch

from bench.errors import BenchError, ContractError, Declined, WeightsMissing
from methods import identity, sizes
from methods.card import Card, SizeRule
from methods.case_key import CaseKey

__all__ = [
    "Card", "CaseKey", "Declined", "Fill", "Given", "Inpainter", "PictureInpainter", "SizeRule",
    "WeightsMissing",
]  # fmt: skip


@dataclass(frozen=True)
class Fill:
    """What a method gives back.

    Attributes:
        images: Filled pictures, ``(N, 3, H, W)``; values outside ``[0, 1]`` are clipped.
        counts: Numbers worth recording, such as ``{"passes": 312}``.
        pictures: Further pictures worth showing, such as ``{"flow": (N, 3, H, W)}``.
        ahead: Wall and CPU seconds that were spent on it in `Inpainter.begin_job`; they are counted
            as seconds of the fill. ``counts`` should then say of how many: ``batch_of``.
    """

    images: torch.Tensor
    counts: Mapping[str, float] = field(default_factory=dict)
    pictures: Mapping[str, torch.Tensor] = field(default_factory=dict)
    ahead: tuple[float, float] = (0.0, 0.0)


class Given(NamedTuple):
    """What a method that works on many cases at once is given of each.

    Attributes:
        case: Which it is.
        picture: uint8 RGB, ``(H, W, 3)``, hole pixels 0 unless the card says that it sees them.
        hole: bool, ``(H, W)``.
        seed: The only source of randomness allowed.
    """

    case: CaseKey
    picture: np.ndarray
    hole: np.ndarray
    seed: int


class Inpainter:
    """Base class of all methods.

    The harness calls `load` once, then for each batch `prepare`, `infer`, `finish`, and times
    these three. ``infer`` must be a pure function of its arguments and the weights.

    Attributes:
        card: The facts of the method; built-in methods get theirs from ``methods/cards``. A
            variant for which they differ has its own on the instance.
        device: Where networks and tensors live.
        asked: What was asked for, in canonical text (see `methods.spec.Spec`); empty where the
            method was not made by name.
        gradients: True where the three steps need autograd, as a method does that optimises its
            network for each picture; they are run in inference mode otherwise.
        timed: False where the time of a fill says nothing (outputs made elsewhere).
        probed: True where `load` finds out facts that fills depend on; `identity` then says them
            once it was called.
        said: What `load` found out, which a user is told before the run starts; empty if nothing.
        found: The same for `load` of another process, which is given it and need not find it out
            again; set by `load` of methods that are ``probed``, empty if it has to be found.
        in_jobs: True where `begin_job` is to be called.
        prompted: True where a fill depends on `CaseKey.prompt`, so that it holds as long as that
            stays.
        files: Files and folders that a fill depends on; their content becomes part of `identity`.
        undifferentiable: Why the gradient of a fill says not what it was made from; empty where
            it does.
    """

    card: Card
    asked: str = ""
    gradients: ClassVar[bool] = False
    timed: ClassVar[bool] = True
    probed: ClassVar[bool] = False
    in_jobs: bool = False
    prompted: bool = False
    said: str = ""
    found: str = ""
    undifferentiable: ClassVar[str] = ""
    files: Sequence[str | Path] = ()

    def __init__(self, name: str = "", *, device: str = "cpu") -> None:
        """Keep the name and the device; load nothing yet.

        Raises:
            BenchError: If this machine has no such device.
        """
        self._name = name or type(self).__name__
        self.device = find_device(device)

    @property
    def name(self) -> str:
        """The full name by which the method was asked for, such as ``lama:big-lama``."""
        return self._name

    @property
    def identity(self) -> str:
        """All that influences a fill besides the picture, as far as it is known before `load`.

        Rows are kept as long as this stays the same, and, of methods that do not come with this
        project, what `load` left in memory (see `methods.identity`). Override it to add what
        neither can see, such as the version of a server that is asked.

        Raises:
            Unhashable: If the code cannot be read: fills then hold only for the run they were made
                in.
        """
        return identity.before_load(self)

    @property
    def weights_note(self) -> str:
        """Where the weights in use come from, for readers of a report; empty if there are none."""
        return ""

    def load(self) -> None:
        """Read weights; called once in the worker, not timed as part of a fill.

        Raises:
            WeightsMissing: If they are not on this machine.
        """

    def expect(self, cases: Sequence[CaseKey]) -> str | None:
        """Look at all cases of the run that have a hole; called in each process, before `load`.

        Returns:
            What a user is told before the run starts, if anything.

        Raises:
            BenchError: If the method can see already that it cannot serve them.
        """
        return None

    def begin_job(self, given: Iterable[Given]) -> None:
        """Be given the cases that are filled next, to work on them together.

        Pictures are read as they are asked for. `infer` follows for each; what this raises is the
        reason why all of them fail. A case that is alone is not announced.
        """

    def begin(self, case: CaseKey) -> None:
        """Be told which case comes next; only methods that look results up need it."""

    def running(self) -> contextlib.AbstractContextManager[None]:
        """The context that the three steps are run in, such as another number format."""
        return contextlib.nullcontext()

    def prepare(
        self, images: torch.Tensor, masks: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Fit pictures and masks to the sizes the card allows and move them to the device.

        Args:
            images: ``(N, 3, H, W)`` with the hole blanked to 0.
            masks: ``(N, 1, H, W)``, 1 in the hole.

        Returns:
            The two as `infer` will get them.
        """
        images, masks = sizes.fit(images, masks, self.card.size)
        return images.to(self.device), masks.to(self.device)

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor | Fill:
        """Fill the holes.

        Args:
            images: What `prepare` returned; hole pixels are 0.
            masks: Likewise.
            generator: The only source of randomness allowed.

        Returns:
            ``(N, 3, H, W)`` in ``[0, 1]``, or a `Fill`.

        Raises:
            Declined: If the method cannot take this case.
        """
        raise NotImplementedError

    def finish(self, fill: Fill, images: torch.Tensor, masks: torch.Tensor) -> Fill:
        """Bring the fill back to the size of the photo.

        Args:
            fill: What `infer` returned.
            images: The pictures as they were before `prepare`, holes blanked.
            masks: Likewise.

        Raises:
            ContractError: If `infer` returned integers, whose range nobody knows.
        """
        height, width = images.shape[-2:]
        if not fill.images.is_floating_point():
            raise ContractError(
                f"output: expected floats of 0 to 1, found {fill.images.dtype}; of 8-bit values "
                "return images / 255"
            )
        planes = fill.images.to("cpu", torch.float32)
        return replace(fill, images=sizes.unfit(planes, height, width, self.card.size))


class PictureInpainter(Inpainter):
    """A method that works on one 8-bit picture at a time, as most libraries do.

    Its pictures stay on the CPU, whatever device is asked for.
    """

    undifferentiable = "it works on 8-bit pictures, which no gradient passes"

    def prepare(
        self, images: torch.Tensor, masks: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Fit the size only."""
        return sizes.fit(images, masks, self.card.size)

    def fill_picture(
        self, picture: np.ndarray, hole: np.ndarray, generator: torch.Generator
    ) -> np.ndarray:
        """Fill one picture.

        Args:
            picture: uint8 RGB, ``(H, W, 3)``, hole pixels 0; may be written to.
            hole: bool, ``(H, W)``.
            generator: The only source of randomness allowed.

        Returns:
            uint8 RGB of the same shape.
        """
        raise NotImplementedError

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor | Fill:
        """Convert, call `fill_picture` for each picture, convert back."""
        filled = [
            self.fill_picture(picture, hole, generator)
            for picture, hole in zip(to_uint8(images), masks[:, 0].cpu().numpy() > 0.5, strict=True)
        ]
        return to_float(np.stack(filled))


def find_device(name: str) -> torch.device:
    """Turn ``cpu``, ``cuda``, ``cuda:1`` or ``mps`` into a device that is there.

    Raises:
        BenchError: If torch does not know it or this machine does not have it.
    """
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise BenchError(f"device {name!r}: expected cpu, cuda, cuda:N or mps") from error
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if (device.index or 0) >= counts.get(device.type, 0):
        found = ", ".join(f"{kind} ({count})" for kind, count in counts.items() if count)
        raise BenchError(f"device {name!r} is not on this machine; torch finds {found}")
    return device


def to_uint8(images: torch.Tensor) -> np.ndarray:
    """Round ``(N, 3, H, W)`` floats in ``[0, 1]`` half to even into uint8 ``(N, H, W, 3)``."""
    planes = images.detach().to("cpu", torch.float32).clamp(0, 1)
    return np.stack([cv2.convertScaleAbs(interleaved(each), alpha=255) for each in planes])


def interleaved(planes: torch.Tensor) -> np.ndarray:
    """Turn ``(3, H, W)`` on the CPU into ``(H, W, 3)``; OpenCV does it many times faster."""
    return cv2.merge(list(planes.contiguous().numpy()))


def to_float(pictures: np.ndarray) -> torch.Tensor:
    """Turn uint8 ``(N, H, W, 3)`` into float32 ``(N, 3, H, W)`` in ``[0, 1]``."""
    planes = np.stack([cv2.split(picture) for picture in pictures])
    return torch.from_numpy(planes).to(torch.float32).div_(255)
