"""Filling and measuring single pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from bench.errors import BenchError, InputError
from inpaint_bench._names import listed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.metrics.meter import Meter
    from inpaint_bench._pictures import Picture
    from methods.base import Inpainter
    from methods.harness import Filled


def load(method: str | type[Inpainter], *, device: str = "cpu") -> Inpainter:
    """Make a method and load its weights, to be given to `fill` many times.

    Args:
        method: Name, such as ``lama:small``; ``LABEL=module:Class``; or a class of one's own.
        device: Where it runs, as torch writes it.

    Raises:
        BenchError: If there is no such method or device.
        WeightsMissing: If its weights are not here, with the command that fixes it.

    Examples:
        >>> import inpaint_bench as ib
        >>> ib.load("lama:small").name
        'lama:small'
    """
    from inpaint_bench._own import ready

    return ready(method, device)


def fill(
    image: Picture,
    mask: Picture,
    method: str | type[Inpainter] | Inpainter = "telea",
    *,
    seed: int = 0,
    device: str = "cpu",
) -> NDArray[np.uint8]:
    """Fill the hole of one picture, as a run does: blanked before, known pixels pasted back.

    Args:
        image: RGB ``(H, W, 3)``, uint8 or floats in ``[0, 1]``; a picture of Pillow; or a path.
        mask: ``(H, W)``, True or 1 in the hole, or uint8 levels from 128 up; a picture of Pillow
            or a path, which hold levels.
        method: Name, class or instance; an instance is loaded the first time it is given.
        seed: Of stochastic methods.
        device: Where a method runs that is given by name or class.

    Returns:
        uint8 RGB, ``(H, W, 3)``.

    Raises:
        InputError: If picture and mask cannot be used or do not fit together.
        Declined: If the method does not take this size or this hole.
        WeightsMissing: If its weights are not here, with the command that fixes it.
        BenchError: If there is no such method, or it breaks the contract.

    Examples:
        >>> import numpy as np
        >>> import inpaint_bench as ib
        >>> photo = np.full((64, 64, 3), 200, np.uint8)
        >>> hole = np.zeros((64, 64), bool)
        >>> hole[20:40, 20:40] = True
        >>> filled = ib.fill(photo, hole, "mean")
        >>> filled.shape, filled.dtype, filled[30, 30].tolist()
        ((64, 64, 3), dtype('uint8'), [200, 200, 200])
    """
    return fill_details(image, mask, method, seed=seed, device=device).picture


def fill_details(
    image: Picture,
    mask: Picture,
    method: str | type[Inpainter] | Inpainter = "telea",
    *,
    seed: int = 0,
    device: str = "cpu",
) -> Filled:
    """As `fill`, with all that is known of the fill.

    Returns:
        ``picture``, as `fill` gives it; ``raw``, what the method returned before rounding and
        pasting, float32 ``(H, W, 3)``; ``seconds`` and ``cpu_seconds``; ``steps``, the same by
        step; ``counts`` and ``pictures``, what the method itself tells.

    Raises:
        BenchError: As `fill`.

    Examples:
        >>> import numpy as np
        >>> import inpaint_bench as ib
        >>> photo = np.full((64, 64, 3), 0.5)
        >>> hole = np.zeros((64, 64), bool)
        >>> hole[20:40, 20:40] = True
        >>> filled = ib.fill_details(photo, hole, "mean")
        >>> filled.seconds > 0
        True
        >>> filled.raw.dtype, list(filled.steps)
        (dtype('float32'), ['prepare', 'infer', 'finish'])
    """
    from inpaint_bench import _pictures
    from inpaint_bench._own import ready
    from methods import harness

    photo = _pictures.photo(image)
    hole = _pictures.hole(mask, photo.shape)
    return harness.fill(ready(method, device), photo, hole, seed)


def measure(
    output: Picture | Filled,
    photo: Picture,
    mask: Picture,
    metrics: Sequence[str] | None = None,
    *,
    device: str = "cpu",
) -> dict[str, float]:
    """Measure one fill against the photo, as a run does: known pixels are pasted back before.

    Args:
        output: What a method made of the hole, as `fill` or `fill_details` give it.
        photo: The photo, without a hole.
        mask: As of `fill`.
        metrics: Names as in the table `metrics`, of single fills; weights that one needs are
            fetched. By default all usual ones that need no download now.
        device: Where networks run.

    Returns:
        Value by name; NaN where a metric has none, as where the hole is empty. ``drift`` has one
        only where the output is not pasted back already.

    Raises:
        InputError: If the three cannot be used or do not fit together.
        BenchError: If a metric is unknown, is of sets, or its weights cannot be had.

    Examples:
        >>> import numpy as np
        >>> import inpaint_bench as ib
        >>> photo = np.full((64, 64, 3), 200, np.uint8)
        >>> hole = np.zeros((64, 64), bool)
        >>> hole[20:40, 20:40] = True
        >>> ib.measure(photo - hole[..., None] * np.uint8(51), photo, hole, ["l1_hole"])
        {'l1_hole': 0.2}
    """
    import numpy as np

    from bench.metrics.pair import Original, Pair
    from inpaint_bench import _pictures
    from methods.harness import Filled, paste_back

    original = _pictures.photo(photo, "photo")
    hole = _pictures.hole(mask, original.shape)
    raw: NDArray[np.float32] | None
    if isinstance(output, Filled):
        picture, raw = output.picture, output.raw
    else:
        given = _pictures.photo(output, "output")
        if given.shape != original.shape:
            raise InputError(f"output: expected {original.shape} as the photo, found {given.shape}")
        picture = paste_back(given, original, hole)
        # One that was pasted back cannot tell what its method did to known pixels.
        raw = None if np.array_equal(picture, given) else np.divide(given, 255, dtype=np.float32)
    meter = _meter(None if metrics is None else listed(metrics), device)
    found = meter.measure(Pair(picture, Original(original), hole, raw))
    return {name: float(value) for name, value in found.values.items()}


@lru_cache(maxsize=2)
def _meter(names: tuple[str, ...] | None, device: str) -> Meter:
    """What measures single fills; kept, since its networks take seconds to load."""
    from bench.metrics import DEFAULT, METRICS
    from bench.metrics.meter import Meter, resolve_metrics, weight_files

    usual = [name for name in DEFAULT if METRICS[name].scope == "case"]
    of_sets = [name for name in names or () if name in METRICS and METRICS[name].scope == "set"]
    if of_sets:
        raise BenchError(
            f"metrics: {', '.join(of_sets)}: of whole sets, not of one fill; a run measures them"
        )
    found = resolve_metrics(usual if names is None else names, offline=names is None)
    for entry in found:
        if names is not None and entry.status != "ok":
            raise BenchError(f"metric {entry.metric.name}: {entry.reason}")
    here = [entry for entry in found if entry.status == "ok"]
    measured = [entry.metric.name for entry in here]
    return Meter(measured, weight_files=weight_files(here), device=device)
