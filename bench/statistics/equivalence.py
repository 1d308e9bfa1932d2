"""Which differences are too small to matter, and what may be said about a pair."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

Verdict = Literal["a better", "b better", "equivalent", "cannot tell"]
ALPHA = 0.05
EQUIVALENCE_LEAST = 5  # photos


class Margin(NamedTuple):
    """A difference below which two methods count as equal.

    Attributes:
        absolute: In the unit of the metric.
        relative: As a share of the better of both values; the larger of the two margins holds.
    """

    absolute: float
    relative: float = 0.0


MARGINS = {
    # A tenth of a decibel is 2 % of the squared error; nobody sees it.
    "psnr_db": Margin(0.1),
    "psnr_hole_db": Margin(0.1),
    "ssim": Margin(0.002),
    "ms_ssim": Margin(0.002),
    "gmsd": Margin(0.002),
    "lpips": Margin(0.002),
    # Those of protocols as their kin.
    **dict.fromkeys(
        ("psnr_grey_db", "psnr_misato_db", "psnr_kept_db", "psnr_brushnet_db"), Margin(0.1)
    ),
    **dict.fromkeys(("ssim_lama", "ssim_grey51", "ssim_grey", "ssim51"), Margin(0.002)),
    **dict.fromkeys(
        ("lpips_vgg", "lpips_squeeze", "lpips_float", "lpips_kept_squeeze"), Margin(0.002)
    ),
    **dict.fromkeys(("lpips_vgg_hole", "lpips_squeeze_hole"), Margin(0.005)),
    "l1_grey": Margin(0.0004),
    # Of pictures whose mean level is a half, as large as L1.
    **dict.fromkeys(("l1_relative", "l1_relative_grey"), Margin(0.0004)),
    # What is 0.002 over a picture is 0.005 in a hole of 0.4 of it, the usual large one.
    # Smaller holes would allow more; one margin for all tiers is the stricter rule.
    "ssim_hole": Margin(0.005),
    "lpips_hole": Margin(0.005),
    # Untrained features give about a tenth of LPIPS's values.
    "lpips_untrained": Margin(0.0002),
    "lpips_untrained_hole": Margin(0.0005),
    # Fills saved as JPEG of quality 90, or with noise of one grey level, which nobody sees, move
    # the mean of a method by up to 0.003 and 0.0045 (Telea and shifted truths, 24 photos, 256).
    "texture_structure": Margin(0.005),
    # A quarter of one of 255 grey levels in the hole, again 0.4 of that over the picture.
    "l1_hole": Margin(0.001),
    "l1": Margin(0.0004),
    # The truth one grey level off, a step that nobody sees, has a seam of 0.002; its visible seam
    # grows by 0.0004, or 0.0018 at most (20 photos, holes of region and large).
    "seam": Margin(0.002),
    "seam_visible": Margin(0.001),
    # Also a mean absolute difference of pixels.
    "drift": Margin(0.001),
    **dict.fromkeys(("fid", "fid_pytorch", "fid_pytorch_float", "fid_clean"), Margin(0.5, 0.02)),
    # On the same features 0.5 of FID corresponds to a few 1e-4 of KID.
    "kid": Margin(0.0002, 0.02),
    # None for fid_untrained, kid_untrained, rc_s, self_consistency, swd_hole, cw_ssim_hole,
    # mse_kept, grad_misato and clip_similarity:
    # which of their differences can be seen is unknown.
}


def margin(metric: str, better: float = 0.0) -> float:
    """Equivalence margin of a metric; NaN where none is stated.

    Args:
        metric: Name of the metric.
        better: The better of the two values, for margins relative to it.
    """
    if metric not in MARGINS:
        return math.nan
    stated = MARGINS[metric]
    return max(stated.absolute, stated.relative * abs(better))


def is_equivalent(low90: float, high90: float, margin: float, photos: int) -> bool:
    """Two one-sided tests at 5 %: the 90 % interval of the difference lies within the margin.

    Never of fewer than 5 photos: intervals of so few are too short, and methods that differ by
    the margin would be called equivalent in 26 % (2 photos), 13 % (3) or 7 % (4) of all cases.

    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach",
    Journal of Pharmacokinetics and Biopharmaceutics 1987.
    """
    return bool(photos >= EQUIVALENCE_LEAST and -margin < low90 and high90 < margin)


def verdict(p: float, gain: float, equivalent: bool) -> Verdict:
    """What may be said about a pair.

    A significant difference decides who is better, even within the margin: that it is then too
    small to matter is a second fact and stands beside it.

    Args:
        p: Adjusted p-value of the mean difference.
        gain: Mean difference, positive where ``a`` is better.
        equivalent: Whether the difference is shown to lie within the margin.
    """
    if p < ALPHA and gain != 0:
        return "a better" if gain > 0 else "b better"
    return "equivalent" if equivalent else "cannot tell"
