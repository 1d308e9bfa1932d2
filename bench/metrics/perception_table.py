"""The records of perceptual metrics of single fills, part of `bench.metrics.table`."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from bench.metrics.networks import LPIPS_HEADS, LPIPS_UNTRAINED
from bench.metrics.record import NOT_NEGATIVE, CaseMetric, Imported, NetworkMetric
from methods.weights import CHECKPOINTS

# Smallest sides of a picture, in pixels.
GMSD_SIDE, MS_SSIM_SIDE, LPIPS_SIDE, PATCH_SIDE = 4, 161, 32, 14

_own = partial(CaseMetric, version="1")
_PERCEPTUAL = "bench.metrics.perceptual"
_MAP = "mean of the spatial map over hole pixels"
_UNTRAINED = "untrained features: in place of LPIPS, never comparable with its published values"


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
    notes = [_UNTRAINED] if untrained else []
    record = partial(
        NetworkMetric,
        direction="lower",
        limits=NOT_NEGATIVE,
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


ALEX = _lpips(
    "lpips", "alex", "AlexNet",
    ("LPIPS (AlexNet)", "Weighted distance of the features that AlexNet, trained on ImageNet, "
     "finds in both pictures."),
    ("LPIPS (hole)", "Mean of the map of LPIPS over the pixels in the hole."),
)  # fmt: skip
ALEX_UNTRAINED = _lpips(
    "lpips_untrained", "alex", "AlexNet",
    ("LPIPS, untrained", "As LPIPS, by an AlexNet of random weights, the same everywhere."),
    ("LPIPS, untrained (hole)", "As LPIPS (hole), by an AlexNet of random weights, the same "
     "everywhere."),
    untrained=True,
)  # fmt: skip
PERCEPTION = (
    *ALEX,
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
    *ALEX_UNTRAINED,
    _own(
        name="ms_ssim", label="MS-SSIM", direction="higher", region="picture", limits=(0.0, 1.0),
        implementation="5 scales, 11x11 Gaussian, sigma 1.5, mean over RGB",
        function=Imported(f"{_PERCEPTUAL}:ms_ssim_of"), minimum_side=MS_SSIM_SIDE,
        definition="Structural similarity over five scales, each half the size of the one before; "
        "negative terms count as 0.",
        reference="Wang, Simoncelli and Bovik, Multiscale structural similarity for image quality "
        "assessment, Asilomar 2003",
        note="rises as the hole shrinks",
    ),
    _own(
        name="gmsd", label="GMSD", direction="lower", region="picture", limits=(0.0, 0.5),
        implementation="Prewitt, luma at half size",
        function=Imported(f"{_PERCEPTUAL}:gmsd_of"), minimum_side=GMSD_SIDE,
        definition="Standard deviation over the picture of how far the gradients of both agree.",
        reference="Xue, Zhang, Mou and Bovik, Gradient magnitude similarity deviation, IEEE "
        "Transactions on Image Processing 23(2), 2014",
        note="falls as the hole shrinks; a deviation over the picture, not how bad it is: "
        "what is wrong everywhere deviates little, and uniform noise in a large hole scored better "
        "than Telea on 12 of 20 photos, better than the mean colour on 18",
    ),
)  # fmt: skip

# -- texture and structure, without weights -------------------------------------------------

_TEXTURE = "bench.metrics.texture"
_PATCHES = "5 Laplacian levels, at most 600 patches of 7x7 centred in the hole, 64 directions"
_GABOR = "18 complex Gabor filters of the grey picture, 7x7 windows"
_SHAPES = (
    "no weights; in smooth fills a wrong colour hardly counts, so read L1 (hole) beside it; values "
    "of different hole shapes and sizes cannot be compared"
)

TEXTURES = (
    _own(
        name="swd_hole", label="Sliced distance (hole)", direction="lower", region="hole",
        limits=NOT_NEGATIVE, minimum_side=PATCH_SIDE, implementation=_PATCHES,
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
