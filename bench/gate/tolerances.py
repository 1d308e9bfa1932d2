"""How much worse a case may get before it counts as a regression: the one table of tolerances.

What they were chosen from, and how far real changes lie from them, is in ``docs/gate.md``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from bench.errors import InputError

# Metric: largest change for the worse of a case, in the unit of the metric. Several times what
# another rounding of 1 % of the hole's values does, which is more than any library upgrade did.
TOLERANCES: Final[dict[str, float]] = {
    "psnr_db": 0.05,
    "psnr_hole_db": 0.05,
    "ssim": 0.0005,
    "ssim_hole": 0.002,
    "l1": 0.00005,
    "l1_hole": 0.0002,
    "lpips": 0.0005,
    "lpips_hole": 0.001,
    "lpips_untrained": 0.00005,
    "lpips_untrained_hole": 0.0001,
    "ms_ssim": 0.0005,
    "gmsd": 0.0002,
    # A flat fill, such as the floor's, is where single grey levels count most.
    "swd_hole": 0.005,
    "cw_ssim_hole": 0.005,
    "texture_structure": 0.005,
    "seam": 0.0001,
    "seam_visible": 0.0001,
    "drift": 0.0001,
}

CEILING: Final = "original"
# The ceiling is perfect up to the rounding of float64 sums.
CEILING_TOLERANCE: Final = 1e-9
# What the truth itself does not score perfectly in, and what sees nothing of it but the hole.
NEVER_PERFECT: Final = frozenset({"seam_visible"})
HOLE_ALONE: Final = frozenset({"psnr_hole_db", "l1_hole", "drift"})


def require_tolerances(metrics: Iterable[str], source: str) -> None:
    """Refuse metrics that could not be gated.

    Raises:
        InputError: If one of them has no tolerance.
    """
    without = [name for name in metrics if name not in TOLERANCES]
    if without:
        raise InputError(
            f"{source}: no tolerance for the metric {', '.join(without)}; "
            "add one to bench/gate/tolerances.py"
        )


def decimals(metric: str) -> int:
    """Digits after the point to keep of a metric: rounding costs under 1 % of its tolerance."""
    return 2 - math.floor(math.log10(TOLERANCES[metric]))


def perfect(direction: str, unit: str) -> float:
    """Value of a metric where the fill equals the photo: infinite if in dB, else 1 or 0."""
    if direction == "lower":
        return 0.0
    return math.inf if unit == "dB" else 1.0
