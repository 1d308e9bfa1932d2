"""The table of built-in metrics; it loads none of the code that computes them.

To add one, write its function beside its kin (``pixel.py``, ``perceptual.py``,
``distribution.py``) and its record here. ``docs/metrics.md`` shows what is said here to readers.
"""

from __future__ import annotations

import math
from functools import partial
from importlib.metadata import version

from bench.metrics.networks import (
    FID_NETWORK,
    FID_UNTRAINED,
    LPIPS_HEADS,
    LPIPS_NETWORK,
    LPIPS_UNTRAINED,
)
from bench.metrics.record import (
    CaseMetric,
    FeatureMetric,
    Imported,
    Metric,
    NetworkMetric,
    PatchMetric,
)
from methods.weights import CHECKPOINTS

# Smallest sides of a picture, in pixels.
SSIM_SIDE, GMSD_SIDE, MS_SSIM_SIDE, LPIPS_SIDE, SWD_SIDE = 11, 4, 161, 32, 32
PATCH_SIDE = 14

_PIXEL, _PERCEPTUAL = "bench.metrics.pixel", "bench.metrics.perceptual"
_ANY = (0.0, math.inf)
_RISES, _FALLS = "rises as the hole shrinks", "falls as the hole shrinks"

# -- pixels ---------------------------------------------------------------------------------

_HOLE = "over hole pixels only, so values of different hole sizes can be compared"
_own = partial(CaseMetric, version="1")
_psnr = partial(
    _own,
    unit="dB",
    direction="higher",
    limits=_ANY,
    implementation="one mean over RGB, peak 255",
)
_ssim = partial(
    _own,
    direction="higher",
    limits=(-1.0, 1.0),
    minimum_side=SSIM_SIDE,
    reference="Wang, Bovik, Sheikh and Simoncelli, Image quality assessment: from error visibility "
    "to structural similarity, IEEE Transactions on Image Processing 13(4), 2004",
)
_SSIM = "11x11 Gaussian, sigma 1.5, population covariance, mean over RGB"
_l1 = partial(
    _own,
    direction="lower",
    limits=(0.0, 1.0),
    implementation="mean absolute difference, RGB in [0, 1]",
)

_PIXELS = (
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
    _own(
        name="seam", label="Seam", direction="lower", region="ring", limits=(0.0, 1.0),
        implementation="mean |jump in output - jump in photo| across the hole's edge",
        function=Imported(f"{_PIXEL}:seam_of"),
        definition="How much the jumps between neighbours across the hole's edge differ from "
        "those of the photo.",
        note="0 for the truth itself; says nothing about the inside of the hole",
    ),
    _own(
        name="seam_visible", label="Visible seam", direction="lower", region="ring",
        limits=(0.0, 1.0), needs_truth=False,
        implementation="mean |local mean inside - outside| of bands of 3 pixels, 9x9 windows",
        function=Imported(f"{_PIXEL}:seam_visible_of"),
        definition="Mean over places at the hole's edge of how far the local means of the fill and "
        "of the known pixels around it are apart, each within 3 pixels of the edge and 9 x 9 of "
        "the place.",
        note="says nothing about the inside of the hole, where a blur does well; slopes across the "
        "edge add to it, so compare fills of the same holes only",
    ),
    _own(
        name="drift", label="Drift", direction="lower", region="known", limits=(0.0, 1.0),
        needs_truth=False,
        implementation="mean absolute change of known pixels before pasting back",
        function=Imported(f"{_PIXEL}:drift_of"),
        definition="Mean absolute change, in [0, 1], of the pixels that were to be kept, before "
        "they are pasted back.",
        note="measured on the raw output; the other metrics see known pixels pasted back",
    ),
)  # fmt: skip

# -- perception -----------------------------------------------------------------------------

_LPIPS = "lpips package, v0.1, AlexNet"
_MAP = "mean of the spatial map over hole pixels"
_GATING = "untrained features: for gating only, never comparable with published LPIPS"
_lpips = partial(
    NetworkMetric,
    direction="lower",
    limits=_ANY,
    version=f"lpips {version('lpips')}",
    minimum_side=LPIPS_SIDE,
)
_whole = partial(
    _lpips,
    region="picture",
    implementation=_LPIPS,
    function=Imported(f"{_PERCEPTUAL}:lpips_of"),
)
_mapped = partial(
    _lpips,
    region="hole",
    implementation=f"{_LPIPS}, spatial map",
    function=Imported(f"{_PERCEPTUAL}:lpips_hole_of"),
)
_trained = {
    "network": LPIPS_NETWORK,
    "weights": f"{CHECKPOINTS[LPIPS_NETWORK].sha256}+{LPIPS_HEADS['alex']}",
    "reference": "Zhang, Isola, Efros, Shechtman and Wang, The unreasonable effectiveness of deep "
    "features as a perceptual metric, CVPR 2018",
}
_untrained = {
    "network": LPIPS_UNTRAINED,
    "weights": f"untrained seed 0+{LPIPS_HEADS['alex']}",
}

_PERCEPTION = (
    _whole(
        name="lpips", label="LPIPS (AlexNet)", **_trained,
        definition="Weighted distance of the features that AlexNet, trained on ImageNet, finds in "
        "both pictures.",
    ),
    _mapped(
        name="lpips_hole", label="LPIPS (hole)", **_trained,
        definition="Mean of the map of LPIPS over the pixels in the hole.",
        note=_MAP,
    ),
    _whole(
        name="lpips_untrained", label="LPIPS, untrained", **_untrained,
        definition="As LPIPS, by an AlexNet of random weights, the same everywhere.",
        note=_GATING,
    ),
    _mapped(
        name="lpips_untrained_hole", label="LPIPS, untrained (hole)", **_untrained,
        definition="As LPIPS (hole), by an AlexNet of random weights, the same everywhere.",
        note=f"{_GATING}; {_MAP}",
    ),
    _own(
        name="ms_ssim", label="MS-SSIM", direction="higher", region="picture", limits=(0.0, 1.0),
        implementation="5 scales, 11x11 Gaussian, sigma 1.5, mean over RGB",
        function=Imported(f"{_PERCEPTUAL}:ms_ssim_of"), minimum_side=MS_SSIM_SIDE,
        definition="Structural similarity over five scales, each half the size of the one before; "
        "negative terms count as 0.",
        reference="Wang, Simoncelli and Bovik, Multiscale structural similarity for image quality "
        "assessment, Asilomar 2003",
        note=_RISES,
    ),
    _own(
        name="gmsd", label="GMSD", direction="lower", region="picture", limits=(0.0, 0.5),
        implementation="Prewitt, luma at half size",
        function=Imported(f"{_PERCEPTUAL}:gmsd_of"), minimum_side=GMSD_SIDE,
        definition="Standard deviation over the picture of how far the gradients of both agree.",
        reference="Xue, Zhang, Mou and Bovik, Gradient magnitude similarity deviation, IEEE "
        "Transactions on Image Processing 23(2), 2014",
        note=_FALLS,
    ),
)  # fmt: skip

# -- texture and structure ------------------------------------------------------------------

_TEXTURE = "bench.metrics.texture"
_PATCHES = "5 Laplacian levels, at most 600 patches of 7x7 centred in the hole, 64 directions"
_GABOR = "18 complex Gabor filters of the grey picture, 7x7 windows"
_SHAPES = (
    "no weights; in smooth fills a wrong colour hardly counts, so read L1 (hole) beside it; values "
    "of different hole shapes and sizes cannot be compared"
)

_TEXTURES = (
    _own(
        name="swd_hole", label="Sliced distance (hole)", direction="lower", region="hole",
        limits=_ANY, minimum_side=PATCH_SIDE, implementation=_PATCHES,
        function=Imported(f"{_TEXTURE}:swd_hole_of"),
        definition="Distance between the patches of fill and photo in the hole, projected on "
        "random directions, over the photo's standard deviation there plus 0.01; mean over the "
        "levels of a Laplacian pyramid.",
        reference="After Karras, Aila, Laine and Lehtinen, Progressive growing of GANs, ICLR 2018",
        note="sees what a texture is made of, not where it lies; a hole with no 16 patches "
        "inside the picture is measured on the finest level, the picture mirrored at its border",
    ),
    _own(
        name="cw_ssim_hole", label="CW-SSIM (hole)", direction="higher", region="hole",
        limits=(0.0, 1.0), implementation=_GABOR,
        function=Imported(f"{_TEXTURE}:cw_ssim_hole_of"),
        definition="Complex-wavelet structural similarity, of wavelengths of 4, 8 and 16 pixels in "
        "6 directions, mean over the pixels in the hole.",
        reference="Sampat, Wang, Gupta, Bovik and Markey, Complex wavelet structural similarity, "
        "IEEE Transactions on Image Processing 18(11), 2009",
        note="windows see known pixels too, in thin holes mostly those; inverted contrast "
        "scores well",
    ),
    _own(
        name="texture_structure", label="Texture and structure", direction="higher",
        region="hole", limits=(0.0, 1.0), minimum_side=PATCH_SIDE,
        implementation=f"cw_ssim_hole * exp(-2 swd_hole): {_GABOR}; {_PATCHES}",
        function=Imported(f"{_TEXTURE}:texture_structure_of"),
        definition="CW-SSIM (hole) times exp(-2 x Sliced distance (hole)): 1 for the photo, low "
        "for a fill of other texture or other structure.",
        note=_SHAPES,
    ),
)  # fmt: skip

# -- sets of fills --------------------------------------------------------------------------

_INCEPTION = "Inception v3 (2015-12-05), 2048 features"
_SAME_CASES = "against the photos of the same cases"
_TESTS = "untrained features: for tests, never comparable with published values"
_inception = partial(
    FeatureMetric,
    direction="lower",
    region="picture",
    version=f"torch-fidelity {version('torch-fidelity')}",
)
_fid = partial(
    _inception,
    limits=_ANY,
    implementation=f"{_INCEPTION}, closed formula",
    function=Imported("bench.metrics.distribution:fid"),
    statistic="frechet",
    reference="Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, GANs trained by a two "
    "time-scale update rule, NeurIPS 2017",
)
_kid = partial(
    _inception,
    implementation=f"{_INCEPTION}, cubic kernel, unbiased",
    function=Imported("bench.metrics.distribution:kid"),
    statistic="kernel",
    reference="Bińkowski, Sutherland, Arbel and Gretton, Demystifying MMD GANs, ICLR 2018",
)
_published = {"network": FID_NETWORK, "weights": CHECKPOINTS[FID_NETWORK].sha256}
_random = {"network": FID_UNTRAINED, "weights": "untrained seed 0"}

_SETS = (
    PatchMetric(
        name="swd", label="Sliced Wasserstein distance", direction="lower", region="hole",
        limits=_ANY, version="1", minimum_side=SWD_SIDE,
        implementation="Laplacian pyramid, 128 patches of 7x7 touching the hole, 512 directions, "
        "x1000, first 250 cases",
        function=Imported("bench.metrics.sliced:swd"),
        definition="Distance between the patches of fills and of photos that touch the hole, "
        "projected on random directions, over the levels of a Laplacian pyramid, times 1000.",
        reference="Karras, Aila, Laine and Lehtinen, Progressive growing of GANs, ICLR 2018",
        note="of outputs against the photos of the same cases",
    ),
    _fid(
        name="fid", label="FID", **_published,
        definition="Fréchet distance between two Gaussians, those of the Inception features of "
        "the fills and of the photos.",
        note=f"{_SAME_CASES}; falls with n",
    ),
    _kid(
        name="kid", label="KID", **_published,
        definition="Squared maximum mean discrepancy, with a cubic kernel, between the Inception "
        "features of the fills and of the photos; slightly negative where they agree.",
        note=_SAME_CASES,
    ),
    _fid(
        name="fid_untrained", label="FID, untrained", **_random,
        definition="As FID, by an Inception network of random weights.", note=_TESTS,
    ),
    _kid(
        name="kid_untrained", label="KID, untrained", **_random,
        definition="As KID, by an Inception network of random weights.", note=_TESTS,
    ),
)  # fmt: skip

METRICS: dict[str, Metric] = {
    metric.name: metric for metric in (*_PIXELS, *_PERCEPTION, *_TEXTURES, *_SETS)
}

DEFAULT = (
    "psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "lpips", "lpips_hole",
    "ms_ssim", "gmsd", "texture_structure", "seam", "drift", "swd", "fid", "kid",
)  # fmt: skip
WITHOUT_TRUTH = ("seam_visible",)
"""What is measured besides where the truth is unknown, unless asked otherwise."""
