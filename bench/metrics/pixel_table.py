"""The records of metrics on pixels, part of `bench.metrics.table`."""

from __future__ import annotations

from functools import partial

from bench.metrics.record import NOT_NEGATIVE, CaseMetric, Imported

SSIM_SIDE = 11  # smallest side of a picture, in pixels

_PIXEL = "bench.metrics.pixel"
_RISES, _FALLS = "rises as the hole shrinks", "falls as the hole shrinks"
_HOLE = "over hole pixels only, so values of different hole sizes can be compared"
_own = partial(CaseMetric, version="1")
_psnr = partial(
    _own, unit="dB", direction="higher", limits=NOT_NEGATIVE,
    implementation="one mean over RGB, peak 255",
)  # fmt: skip
_ssim = partial(
    _own, direction="higher", limits=(-1.0, 1.0), minimum_side=SSIM_SIDE,
    reference="Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility "
    "to structural similarity, IEEE Transactions on Image Processing 13(4), 2004",
)  # fmt: skip
_SSIM = "11x11 Gaussian, sigma 1.5, population covariance, mean over RGB"
_l1 = partial(
    _own, direction="lower", limits=(0.0, 1.0),
    implementation="mean absolute difference, RGB in [0, 1]",
)  # fmt: skip

_seam = partial(CaseMetric, version="2", direction="lower", region="ring", limits=(0.0, 1.0))
_BANDS = "bands of 4 pixels, 9x9 windows"

PIXELS = (
    _psnr(
        name="psnr_db", label="PSNR", region="picture",
        function=Imported(f"{_PIXEL}:psnr_of", ("picture",)),
        definition="Ratio of the peak to the mean squared difference of all pixels and channels, "
        "in decibels; infinite for equal pictures.",
        note=_RISES,
    ),
    _psnr(
        name="psnr_hole_db", label="PSNR (hole)", region="hole",
        function=Imported(f"{_PIXEL}:psnr_of", ("hole",)),
        definition="As PSNR, of the pixels in the hole.",
        note=_HOLE,
    ),
    _ssim(
        name="ssim", label="SSIM", region="picture",
        implementation=f"{_SSIM}, border of 5 left out",
        function=Imported(f"{_PIXEL}:ssim_of", ("picture",)),
        definition="Structural similarity: mean over Gaussian windows of the product of how far "
        "means, contrasts and structure agree.",
        note=_RISES,
    ),
    _ssim(
        name="ssim_hole", label="SSIM (hole)", region="hole",
        implementation=f"{_SSIM}, borders reflected",
        function=Imported(f"{_PIXEL}:ssim_of", ("hole",)),
        definition="Mean of the map of SSIM over the pixels in the hole.",
        note="windows see known pixels too; not comparable with published whole-picture SSIM",
    ),
    _l1(
        name="l1", label="L1", region="picture",
        function=Imported(f"{_PIXEL}:l1_of", ("picture",)),
        definition="Mean absolute difference of all pixels and channels in [0, 1].",
        note=_FALLS,
    ),
    _l1(
        name="l1_hole", label="L1 (hole)", region="hole",
        function=Imported(f"{_PIXEL}:l1_of", ("hole",)),
        definition="As L1, of the pixels in the hole.",
        note=_HOLE,
    ),
    _seam(
        name="seam", label="Seam",
        implementation=f"mean max(0, |jump in output| - |jump in truth|), {_BANDS}",
        function=Imported(f"{_PIXEL}:seam_of"),
        definition="Mean over places at the hole's edge of how far the jump between the local "
        "means of the fill and of the known pixels around it exceeds the jump of the truth there, "
        "each mean within 4 pixels of the edge and 9 x 9 of the place.",
        note="0 for the truth itself, about 0.02 for the truth 8 of 255 grey levels off; what is "
        "smoother than the truth has none, and nothing is said about the inside of the hole",
    ),
    _seam(
        name="seam_visible", label="Visible seam", needs_truth=False,
        implementation=f"mean |jump in output|, {_BANDS}",
        function=Imported(f"{_PIXEL}:seam_visible_of"),
        definition="Mean over places at the hole's edge of how far the local means of the fill and "
        "of the known pixels around it are apart, each within 4 pixels of the edge and 9 x 9 of "
        "the place.",
        note="says nothing about the inside of the hole, where a blur does well; slopes across the "
        "edge add to it, so compare fills of the same holes only",
    ),
    CaseMetric(
        name="drift", label="Drift", direction="lower", region="known", version="2",
        limits=NOT_NEGATIVE, needs_truth=False,
        implementation="mean absolute change of known pixels before clipping and pasting back",
        function=Imported(f"{_PIXEL}:drift_of"),
        definition="Mean absolute change, 1 being the range from black to white, of the pixels "
        "that were to be kept, before they are pasted back.",
        note="measured on the raw output, where what lies beyond black or white counts in full; "
        "the other metrics see known pixels pasted back",
    ),
)  # fmt: skip
