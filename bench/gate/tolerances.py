"""How much worse a case may get before it counts as a regression, unless a baseline file says so.

What they were chosen from, and how far real changes lie from them, is in ``docs/gate.md``.
"""

from __future__ import annotations

import math
from typing import Final

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
    "seam": 0.000025,
    "seam_visible": 0.000025,
    "drift": 0.0001,
    # As those of their kin.
    **dict.fromkeys(("lpips_vgg", "lpips_squeeze", "lpips_float", "lpips_kept_squeeze"), 0.0005),
    **dict.fromkeys(("lpips_vgg_hole", "lpips_squeeze_hole"), 0.001),
    **dict.fromkeys(("ssim_lama", "ssim_grey51", "ssim_grey", "ssim51"), 0.0005),
    **dict.fromkeys(("psnr_grey_db", "psnr_misato_db", "psnr_kept_db", "psnr_brushnet_db"), 0.05),
    **dict.fromkeys(("l1_grey", "l1_relative", "l1_relative_grey"), 0.00005),
    "mse_kept": 0.0001,
    "grad_misato": 0.05,
    "clip_similarity": 0.0005,
    # Measured with small and made-up weights: up to 0.00003 and a tenth of LPIPS's values.
    "rc_s": 0.0002,
    "rc_s_vitl": 0.0002,
    "self_consistency": 0.00002,
    "self_consistency_untrained": 0.000002,
}

CEILING: Final = "original"
# The ceiling is perfect up to the rounding of float64 sums.
CEILING_TOLERANCE: Final = 1e-9
# What the truth itself does not score perfectly in, and what sees nothing of it but the hole.
NEVER_PERFECT: Final = frozenset(
    {
        "seam_visible", "psnr_misato_db", "psnr_brushnet_db", "rc_s", "rc_s_vitl",
        "self_consistency", "self_consistency_untrained",
    }
)  # fmt: skip
HOLE_ALONE: Final = frozenset(
    {"psnr_hole_db", "l1_hole", "drift", "psnr_kept_db", "mse_kept", "lpips_kept_squeeze"}
)


def decimals(tolerance: float) -> int:
    """Digits after the point to keep of a metric: rounding costs under 1 % of its tolerance."""
    return 2 - math.floor(math.log10(tolerance))


def perfect(direction: str, unit: str) -> float:
    """Value of a metric where the fill equals the photo: infinite if in dB, else 1 or 0."""
    if direction == "lower":
        return 0.0
    return math.inf if unit == "dB" else 1.0
