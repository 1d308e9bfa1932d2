"""One fill as the harness does it: check, blank, time, round, paste back.

Every method goes through `fill`, in a benchmark run as in the conformance kit, so that none is
given the pixels under the hole or keeps the others its own way.
"""

from __future__ import annotations

import contextlib
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import cv2
import numpy as np
import torch

from bench.errors import ContractError, Declined, InputError
from methods.base import CaseKey, Fill, Inpainter, interleaved, to_float
from methods.card import VISIBLE
from methods.suspicions import Suspicion, refuse, suspicions

CEILING = "original"
_NO_GRADIENTS = "methods run without autograd unless their class says gradients = True"
_T = TypeVar("_T")


class Spent(NamedTuple):
    """Seconds that a step took: wall time, CPU time, and time on a CUDA device.

    CPU time is that of this process and of programs that it ran and waited for. The last is
    between two events around what the step queued, NaN without such a device.
    """

    wall: float
    cpu: float
    device: float


@dataclass(frozen=True)
class Filled:
    """A fill, finished and pasted back.

    Attributes:
        picture: uint8 ``(H, W, 3)``; known pixels are those of the photo, bit for bit.
        raw: What the method returned, float32 ``(H, W, 3)``, not clipped to ``[0, 1]``, for drift.
        steps: What ``prepare``, ``infer`` and ``finish`` took, by name.
        counts: The method's own counts.
        pictures: The method's further pictures, ``(3, h, w)`` each, on the CPU.
        suspicions: What is odd about what the method returned.
    """

    picture: np.ndarray
    raw: np.ndarray
    steps: Mapping[str, Spent]
    counts: Mapping[str, float]
    pictures: Mapping[str, torch.Tensor]
    suspicions: Sequence[Suspicion] = ()

    @property
    def flags(self) -> str:
        """The suspicions in words, as a row has them."""
        return "; ".join(each.words for each in self.suspicions)

    @property
    def seconds(self) -> float:
        """Wall seconds of the steps together; NaN where nothing was done."""
        return sum(step.wall for step in self.steps.values()) if self.steps else math.nan

    @property
    def cpu_seconds(self) -> float:
        """CPU seconds of the steps together; NaN where nothing was done."""
        return sum(step.cpu for step in self.steps.values()) if self.steps else math.nan


def fill(
    method: Inpainter,
    photo: np.ndarray,
    hole: np.ndarray,
    seed: int,
    case: CaseKey | None = None,
    *,
    broken: bool = False,
) -> Filled:
    """Let a method fill one hole.

    Args:
        method: A loaded method.
        photo: uint8 RGB, ``(H, W, 3)``.
        hole: bool, ``(H, W)``, True in the hole.
        seed: Seeds the generator given to the method.
        case: Which case this is, for methods that look results up.
        broken: Take an output that is certainly broken, too; its `suspicions` say how.

    Raises:
        InputError: If photo and hole do not fit together.
        Declined: If the method does not take this size or this hole.
        ContractError: If it returns another shape, integers, values that are not finite, or what
            is certainly broken (see `methods.suspicions`).
    """
    _check_inputs(photo, hole)
    if case is not None:
        method.begin(case)
    if not hole.any():
        return _untouched(photo)
    check_card(method, hole)
    blanked = to_float(shown(method, photo, hole)[None])
    masks = torch.from_numpy(hole[None, None]).to(torch.float32)
    generator = torch.Generator().manual_seed(seed)
    steps: dict[str, Spent] = {}
    given = blanked.clone(), masks.clone()
    with running(method):
        ready, steps["prepare"] = timed(method.device, lambda: method.prepare(*given))
        out, steps["infer"] = timed(method.device, lambda: method.infer(*ready, generator))
        result = out if isinstance(out, Fill) else Fill(out)
        infer, (wall, cpu) = steps["infer"], result.ahead
        steps["infer"] = infer._replace(wall=infer.wall + wall, cpu=infer.cpu + cpu)
        if type(method).finish is Inpainter.finish:  # which could only say what it lacks
            _require_tensor(result.images, blanked.shape)
        result, steps["finish"] = timed(
            method.device, lambda: method.finish(result, blanked, masks)
        )
    output = _checked_output(result.images, blanked.shape)
    raw = interleaved(output[0])
    found = [] if is_ceiling(method) else suspicions(raw, photo, hole)
    if not broken and method.card.family != "floor":  # which may be anything, on purpose
        refuse(found)
    return Filled(
        paste_back(_rounded(raw), photo, hole),
        raw,
        steps,
        result.counts,
        {name: _shown(name, planes) for name, planes in result.pictures.items()},
        found,
    )


def shown(method: Inpainter, photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """What a method is shown of a photo: without the pixels under the hole, unless it may see them.

    Both are uint8 ``(H, W, 3)``.
    """
    if is_ceiling(method) or method.card.sees == VISIBLE:
        return photo
    return cv2.copyTo(photo, (~hole).view(np.uint8), np.zeros(photo.shape, photo.dtype))


@contextlib.contextmanager
def running(method: Inpainter) -> Iterator[None]:
    """What a method's steps are run in: inference mode, unless its class asks for gradients."""
    try:
        with torch.inference_mode(not method.gradients), method.running():
            yield
    except RuntimeError as error:
        if not method.gradients and re.search(r"requires? grad|inference tensor", str(error), re.I):
            error.args = (f"{error}; {_NO_GRADIENTS}",)
        raise


def is_ceiling(method: Inpainter) -> bool:
    """Tell whether a method may see the photo: our own ceiling under its own name, none else."""
    return method.name == CEILING and type(method).__module__ == "methods.floors"


def check_card(method: Inpainter, hole: np.ndarray) -> None:
    """Refuse what the card says that the method does not take.

    Raises:
        Declined: If there is no known pixel, or the picture is too small or too large.
    """
    height, width = hole.shape
    rule = method.card.size
    if hole.all() and not is_ceiling(method):
        raise Declined("the whole picture is hole: no known pixel to fill from")
    if min(height, width) < rule.minimum:
        raise Declined(f"takes sides of at least {rule.minimum} pixels, found {width}x{height}")
    if rule.maximum_pixels is not None and height * width > rule.maximum_pixels:
        raise Declined(
            f"takes at most {rule.maximum_pixels} pixels, found {width}x{height} = {height * width}"
        )


def paste_back(filled: np.ndarray, photo: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Take hole pixels from the fill and all others from the photo; uint8 ``(H, W, 3)``."""
    return cv2.copyTo(filled, hole.view(np.uint8), photo.copy())


def _rounded(raw: np.ndarray) -> np.ndarray:
    """As `to_uint8`, of a picture whose channels lie side by side already."""
    return cv2.convertScaleAbs(np.clip(raw, 0, 1), alpha=255)


def timed(device: torch.device, step: Callable[[], _T]) -> tuple[_T, Spent]:
    """Do a step and hold the clocks to it, alone on its device."""
    synchronise(device)
    before = _event(device)
    wall, cpu = time.perf_counter(), _cpu_time()
    result = step()
    after = _event(device)
    synchronise(device)
    wall, cpu = time.perf_counter() - wall, _cpu_time() - cpu
    on_device = before.elapsed_time(after) / 1e3 if before and after else math.nan
    return result, Spent(wall, cpu, on_device)


def _cpu_time() -> float:
    if sys.platform == "win32":
        return time.process_time()
    import resource

    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _event(device: torch.device) -> torch.cuda.Event | None:
    """A moment on the device's own clock."""
    if device.type != "cuda":
        return None
    event = torch.cuda.Event(enable_timing=True)
    event.record(torch.cuda.current_stream(device))
    return event


def synchronise(device: torch.device) -> None:
    """Wait for the device, so that a step is not charged with the work of the one before."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _untouched(photo: np.ndarray) -> Filled:
    """Nothing to fill: every method returns the photo, and no time was measured."""
    raw = photo.astype(np.float32) / 255
    return Filled(photo.copy(), raw, {}, {}, {})


def _check_inputs(photo: np.ndarray, hole: np.ndarray) -> None:
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3:
        raise InputError(f"photo: expected uint8 (H, W, 3), found {photo.dtype} {photo.shape}")
    if hole.dtype != np.bool_ or hole.shape != photo.shape[:2]:
        raise InputError(
            f"hole: expected bool {photo.shape[:2]} as the photo, found {hole.dtype} {hole.shape}"
        )


def _checked_output(images: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    _require_tensor(images, shape)
    if images.shape != shape:
        raise ContractError(
            f"output: expected a tensor {tuple(shape)}, found {tuple(images.shape)}"
        )
    if not images.is_floating_point():
        raise ContractError(f"output: expected floats in [0, 1], found {images.dtype}")
    images = images.detach().to("cpu", torch.float32)
    if not all(map(math.isfinite, images.aminmax())):  # either is NaN if any value is
        count = int((~torch.isfinite(images)).sum())
        raise ContractError(f"output: {count} of {images.numel()} values are not finite")
    return images


def _require_tensor(images: object, shape: torch.Size) -> None:
    if isinstance(images, torch.Tensor):
        return
    found = "None" if images is None else type(images).__name__
    facts = [str(getattr(images, each)) for each in ("dtype", "shape") if hasattr(images, each)]
    raise ContractError(
        f"output: expected a tensor {tuple(shape)} of floats in [0, 1], found "
        f"{' '.join([found, *facts])}"
        + ("" if images is None else "; torch.as_tensor makes one of arrays and lists of numbers")
    )


def _shown(name: str, planes: torch.Tensor) -> torch.Tensor:
    """Check a further picture of a method; its name becomes part of a path."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or planes.shape[:2] != (1, 3):
        raise ContractError(
            f"further pictures: expected (1, 3, h, w) under a name of lower-case letters, digits "
            f"and _, found {tuple(planes.shape)} under {name!r}"
        )
    return planes[0].detach().cpu()
