"""The table of built-in metrics; it loads none of the code that computes them.

To add one, write its function beside its kin (``pixel.py``, ``perceptual.py``,
``distribution.py``) and its record here. ``docs/metrics.md`` shows what is said here to readers.
"""

from __future__ import annotations

import math
from functools import partial
from importlib.metadata import version

from bench.metrics.networks import (
    CLIP,
    DINOV2_G,
    DINOV2_L,
    FID_NETWORK,
    FID_UNTRAINED,
    LAMA,
    LPIPS_HEADS,
    LPIPS_UNTRAINED,
    REFILL,
    REFILL_UNTRAINED,
    checkpoint,
)
from bench.metrics.protocol_table import PROTOCOLS
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
PATCH_SIDE, RC_S_SIDE = 14, 37

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

_seam = partial(CaseMetric, version="2", direction="lower", region="ring", limits=(0.0, 1.0))
_BANDS = "bands of 4 pixels, 9x9 windows"

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
        name="drift", label="Drift", direction="lower", region="known", limits=_ANY, version="2",
        needs_truth=False,
        implementation="mean absolute change of known pixels before clipping and pasting back",
        function=Imported(f"{_PIXEL}:drift_of"),
        definition="Mean absolute change, 1 being the range from black to white, of the pixels "
        "that were to be kept, before they are pasted back.",
        note="measured on the raw output, where what lies beyond black or white counts in full; "
        "the other metrics see known pixels pasted back",
    ),
)  # fmt: skip

# -- perception -----------------------------------------------------------------------------

_MAP = "mean of the spatial map over hole pixels"
_GATING = "untrained features: in place of LPIPS, never comparable with its published values"


def _lpips(
    name: str,
    net: str,
    backbone: str,
    whole: tuple[str, str],
    hole: tuple[str, str],
    *,
    untrained: bool = False,
) -> tuple[NetworkMetric, NetworkMetric]:
    """LPIPS by one backbone of the picture and of the hole, each with label and definition."""
    network = LPIPS_UNTRAINED if untrained else f"lpips-{net}"
    layers = "untrained seed 0" if untrained else CHECKPOINTS[network].sha256
    code = f"lpips package, v0.1, {backbone}"
    notes = [_GATING] if untrained else []
    record = partial(
        NetworkMetric,
        direction="lower",
        limits=_ANY,
        version=f"lpips {version('lpips')}",
        minimum_side=LPIPS_SIDE,
        network=network,
        weights=f"{layers}+{LPIPS_HEADS[net]}",
        reference=""
        if untrained
        else "Zhang, Isola, Efros, Shechtman and Wang, The unreasonable "
        "effectiveness of deep features as a perceptual metric, CVPR 2018",
    )
    return (
        record(
            name=name, label=whole[0], definition=whole[1], region="picture", implementation=code,
            function=Imported(f"{_PERCEPTUAL}:lpips_of"), note="; ".join(notes),
        ),
        record(
            name=f"{name}_hole", label=hole[0], definition=hole[1], region="hole",
            implementation=f"{code}, spatial map",
            function=Imported(f"{_PERCEPTUAL}:lpips_hole_of"), note="; ".join([*notes, _MAP]),
        ),
    )  # fmt: skip


_ALEX = _lpips(
    "lpips", "alex", "AlexNet",
    ("LPIPS (AlexNet)", "Weighted distance of the features that AlexNet, trained on ImageNet, "
     "finds in both pictures."),
    ("LPIPS (hole)", "Mean of the map of LPIPS over the pixels in the hole."),
)  # fmt: skip
_ALEX_UNTRAINED = _lpips(
    "lpips_untrained", "alex", "AlexNet",
    ("LPIPS, untrained", "As LPIPS, by an AlexNet of random weights, the same everywhere."),
    ("LPIPS, untrained (hole)", "As LPIPS (hole), by an AlexNet of random weights, the same "
     "everywhere."),
    untrained=True,
)  # fmt: skip
_PERCEPTION = (
    *_ALEX,
    *_lpips(
        "lpips_vgg", "vgg", "VGG-16",
        ("LPIPS (VGG)", "As LPIPS, by VGG-16, as LaMa and PUT have it."),
        ("LPIPS (VGG, hole)", "As LPIPS (hole), by VGG-16."),
    ),
    *_lpips(
        "lpips_squeeze", "squeeze", "SqueezeNet 1.1",
        ("LPIPS (SqueezeNet)", "As LPIPS, by SqueezeNet 1.1."),
        ("LPIPS (SqueezeNet, hole)", "As LPIPS (hole), by SqueezeNet 1.1."),
    ),
    *_ALEX_UNTRAINED,
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
        note=f"{_FALLS}; a deviation over the picture, not how bad it is: what is wrong everywhere "
        "deviates little, and uniform noise in a large hole scored better than Telea on 12 of 20 "
        "photos, better than the mean colour on 18",
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

# -- without a truth ------------------------------------------------------------------------

_PROVE = "after PROVE's description; not compared with the authors' code"
_coherence = partial(
    NetworkMetric,
    version="1", direction="higher", region="hole", limits=(-1.0, 3.0), minimum_side=RC_S_SIDE,
    needs_truth=False, function=Imported("bench.metrics.coherence:rc_s_of"),
    reference="Li and others, PROVE: a perceptual removal coherence benchmark for visual media, "
    "ACM MM 2026",
)  # fmt: skip
_CROPS = (
    "crops twice as large as a part of the hole, at 518x518; windows of 9x9 patches, step 4; "
    "unbiased MMD, Gaussian kernel of median width"
)

_SUMMARIES = "after summaries of the paper, which state no size of the patches"
_SQUARES = "40 % of the squares, a 16th of the short side wide, that hold known pixels"
_consistency = partial(
    NetworkMetric,
    direction="lower", region="picture", limits=_ANY, needs_truth=False, minimum_side=LPIPS_SIDE,
    version=f"1, lpips {version('lpips')}",
    function=Imported("bench.metrics.self_consistency:self_consistency_of"),
    reference="Chen, Zhang, Hong, Zhang and Zhang, Assessing image inpainting via re-inpainting "
    "self-consistency evaluation, ECCV 2024",
)  # fmt: skip

_WITHOUT_TRUTH = (
    _coherence(
        name="rc_s", label="RC-S", network=DINOV2_G, weights=f"{DINOV2_G}, no SHA-256 published",
        implementation=f"DINOv2 ViT-g/14 by timm; {_CROPS}; {_PROVE}",
        definition="One minus the mean, over windows at the edge of the hole, of the squared "
        "maximum mean discrepancy between the DINOv2 features of the patches of the fill and of "
        "the known pixels; about 1 where nothing tells them apart.",
        note=f"{_PROVE}; prefers what repeats the surroundings, be it right or wrong, and sees no "
        "further into the hole than a window; compare fills of the same holes only",
    ),
    _coherence(
        name="rc_s_vitl", label="RC-S, ViT-L", network=DINOV2_L,
        weights=f"{DINOV2_L}, no SHA-256 published",
        implementation=f"DINOv2 ViT-L/14 by timm; {_CROPS}; {_PROVE}",
        definition="As RC-S, by the network of a quarter of the size.",
        note="another network than RC-S's, so values are not comparable with it; otherwise as RC-S",
    ),
    _consistency(
        name="self_consistency", label="Self-consistency", network=REFILL,
        weights=f"{checkpoint(LAMA).sha256}+{_ALEX[0].weights}",
        implementation=f"10 second fills by lama:big-lama of {_SQUARES}; LPIPS, AlexNet",
        definition="Mean LPIPS between a fill and second fills, by another method, of patches of "
        "what the first one left known: how well the fill explains its surroundings.",
        note=f"{_SUMMARIES}; favours fills that the second method, LaMa, understands, its own "
        "among them; can prefer noise; compare fills of the same holes only",
    ),
    _consistency(
        name="self_consistency_untrained", label="Self-consistency, untrained",
        network=REFILL_UNTRAINED, weights=_ALEX_UNTRAINED[0].weights,
        implementation=f"10 second fills by telea of {_SQUARES}; LPIPS, untrained AlexNet",
        definition="As self-consistency, by Telea's method and an AlexNet of random weights.",
        note="untrained features, and no network that fills: not the published measure; can "
        "prefer noise; compare fills of the same holes only",
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
    implementation=f"{_INCEPTION}, cubic kernel, unbiased, no fill with its own photo",
    function=Imported("bench.metrics.distribution:kid"),
    statistic="cubic kernel",
    reference="Bińkowski, Sutherland, Arbel and Gretton, Demystifying MMD GANs, ICLR 2018",
)
_ids = partial(
    _inception,
    direction="higher",
    limits=(0.0, 1.0),
    version=f"torch-fidelity {version('torch-fidelity')}, scikit-learn {version('scikit-learn')}",
    implementation=f"{_INCEPTION}, LinearSVC(dual=False) of scikit-learn",
    statistic="discriminative",
    reference="Zhao, Cui, Sheng, Dong, Liang, Chang and Xu, Large scale image completion via "
    "co-modulated generative adversarial networks, ICLR 2021",
)
_vit = partial(FeatureMetric, direction="lower", region="picture", limits=_ANY, version="1")
_FEW = "below 2048 pictures the SVM tells nearly any fills apart"
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
    _ids(
        name="u_ids", label="U-IDS", **_published,
        function=Imported("bench.metrics.distribution:u_ids"),
        definition="Share of photos and fills that a linear SVM, trained to tell these very ones "
        "apart by their Inception features, gets wrong.",
        note=f"{_SAME_CASES}, which are 0.5 themselves; {_FEW}",
    ),
    _ids(
        name="p_ids", label="P-IDS", **_published,
        function=Imported("bench.metrics.distribution:p_ids"),
        definition="Share of fills that the SVM of U-IDS takes for more real than their own "
        "photos.",
        note=f"{_SAME_CASES}, which are 0 themselves; {_FEW}",
    ),
    _vit(
        name="cmmd", label="CMMD", network=CLIP, weights=f"{CLIP}, no SHA-256 published",
        implementation="CLIP ViT-L/14 at 336 pixels by timm, middle square, bicubic; Gaussian "
        "kernel, sigma 10, biased, x1000",
        function=Imported("bench.metrics.distribution:cmmd"), statistic="gaussian kernel",
        definition="Squared maximum mean discrepancy, with a Gaussian kernel, between the CLIP "
        "features of the fills and of the photos, times 1000.",
        reference="Jayasumana, Ramalingam, Veit, Glasner, Chakrabarti and Kumar, Rethinking FID: "
        "towards a better evaluation metric for image generation, CVPR 2024",
        note=f"{_SAME_CASES}; of a picture that is not square only the middle is seen",
    ),
    _vit(
        name="fd_dinov2", label="FD-DINOv2", network=DINOV2_L,
        weights=f"{DINOV2_L}, no SHA-256 published",
        implementation="DINOv2 ViT-L/14 by timm, class token, 224x224, bicubic; closed formula",
        function=Imported("bench.metrics.distribution:fid"), statistic="frechet",
        definition="Fréchet distance between two Gaussians, those of the DINOv2 features of the "
        "fills and of the photos.",
        reference="Stein, Cresswell, Hosseinzadeh, Sui, Ross, Villecroze, Liu, Caterini, Taylor "
        "and Loaiza-Ganem, Exposing flaws of generative model evaluation metrics and their unfair "
        "treatment of diffusion models, NeurIPS 2023",
        note=f"{_SAME_CASES}; falls with n",
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

# As `list` and docs/metrics.md head them.
GROUPS: dict[str, tuple[Metric, ...]] = {
    "Pixels": _PIXELS,
    "Perception": _PERCEPTION,
    "Texture and structure": _TEXTURES,
    "As protocols define them": PROTOCOLS,
    "Without a truth": _WITHOUT_TRUTH,
    "Sets of fills": _SETS,
}
METRICS = {metric.name: metric for metrics in GROUPS.values() for metric in metrics}

DEFAULT = (
    "psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "lpips", "lpips_hole",
    "ms_ssim", "texture_structure", "seam", "drift", "swd", "fid", "kid",
)  # fmt: skip
WITHOUT_TRUTH = ("seam_visible",)
"""What is measured besides where the truth is unknown, unless asked otherwise."""
