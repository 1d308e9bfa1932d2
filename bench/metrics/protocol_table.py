"""The records of metrics as published protocols compute them, part of `bench.metrics.table`.

Each differs from the metric of the plain name; a table of a paper can only be compared with the
one it used.
"""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from bench.metrics.networks import CLIP, LPIPS_HEADS, LPIPS_NETWORK
from bench.metrics.perception_table import LPIPS_SIDE
from bench.metrics.record import NOT_NEGATIVE, CaseMetric, Imported, NetworkMetric
from methods.weights import CHECKPOINTS

_CODE = "bench.metrics.protocol_variants"
_record = partial(CaseMetric, version="1", direction="higher", region="picture")
_psnr = partial(_record, unit="dB", limits=NOT_NEGATIVE)
_ssim = partial(_record, limits=(-1.0, 1.0))
_kept = partial(_record, region="known", needs_truth=False)
_psnr_kept = partial(_kept, unit="dB", limits=NOT_NEGATIVE)
_l1 = partial(_record, direction="lower", limits=(0.0, 1.0))
_network = partial(NetworkMetric, minimum_side=LPIPS_SIDE)
_lpips = partial(
    _network, version=f"lpips {version('lpips')}", direction="lower", limits=NOT_NEGATIVE,
    reference="Zhang, Isola, Efros, Shechtman and Wang, The unreasonable effectiveness of deep "
    "features as a perceptual metric, CVPR 2018",
)  # fmt: skip

_GREY = "grey by scikit-image's rgb2gray"
_RAW = "raw output clipped and rounded to 8 bits, RGB"
_EDGE_CONNECT = (
    "Nazeri, Ng, Joseph, Qureshi and Ebrahimi, EdgeConnect: structure guided image inpainting "
    "using edge prediction, ICCV workshops 2019"
)
_BRUSHNET = (
    "Ju, Liu, Wang, Bian, Shan and Xu, BrushNet: a plug-and-play image inpainting model with "
    "decomposed dual-branch diffusion, ECCV 2024"
)
_PENNET = (
    "Zeng, Fu, Chao and Guo, Learning pyramid-context encoder network for high-quality image "
    "inpainting, CVPR 2019"
)
_MISATO = (
    "Wang, Cao, Dong, Yu, Wang and Fu, Towards enhanced image inpainting: mitigating unwanted "
    "object insertion and preserving color consistency, CVPR 2025"
)
_AS_KEPT = "as the method gave it, or as it is scored where it is scored unpasted"

PROTOCOLS = (
    _ssim(
        name="ssim_lama", label="SSIM (LaMa)",
        implementation="11x11 Gaussian, sigma 1.5, population covariance, mean over RGB, borders "
        "padded with zeros, float64",
        function=Imported(f"{_CODE}:ssim_lama_of"),
        definition="As SSIM, of the whole map, whose border comes from pixels padded with zeros.",
        reference="Suvorov et al., Resolution-robust large mask inpainting with Fourier "
        "convolutions, WACV 2022",
        note="of pictures rounded to 8 bits, unless the protocol truncates them as LaMa does",
    ),
    _ssim(
        name="ssim_grey51", label="SSIM (grey, window 51)", minimum_side=51,
        implementation=f"scikit-image's structural_similarity, window 51x51, {_GREY}",
        function=Imported(f"{_CODE}:ssim_grey51_of"),
        definition="Structural similarity of the grey pictures in uniform windows of 51 x 51, as "
        "EdgeConnect and those who took over its evaluation have it (PEN-Net, RFR, ICT).",
        reference=_EDGE_CONNECT,
        note="the wide window forgives what SSIM sees",
    ),
    _ssim(
        name="ssim_grey", label="SSIM (grey)", minimum_side=7,
        implementation=f"scikit-image's structural_similarity, window 7x7, {_GREY}",
        function=Imported(f"{_CODE}:ssim_grey_of"),
        definition="Structural similarity of the grey pictures in uniform windows of 7 x 7, as "
        "ZITS and MISATO have it.",
        note="blind to colour; how wide their windows are is not known here, 7 is scikit-image's "
        "usual width",
    ),
    _ssim(
        name="ssim51", label="SSIM (window 51)", minimum_side=51,
        implementation="scikit-image's structural_similarity, window 51x51, mean over RGB",
        function=Imported(f"{_CODE}:ssim51_of"),
        definition="Structural similarity in uniform windows of 51 x 51, as PEN-Net's own "
        "evaluation has it.",
        reference=_PENNET,
        note="the wide window forgives what SSIM sees",
    ),
    _psnr(
        name="psnr_grey_db", label="PSNR (grey)",
        implementation=f"one mean, peak 1, {_GREY}",
        function=Imported(f"{_CODE}:psnr_grey_of"),
        definition="As PSNR, of the grey pictures, as PUT has it.",
        note="blind to colour",
    ),
    _l1(
        name="l1_grey", label="L1 (grey)",
        implementation=f"mean absolute difference, {_GREY}",
        function=Imported(f"{_CODE}:l1_grey_of"),
        definition="As L1, of the grey pictures, as PUT has it.",
        note="blind to colour",
    ),
    _l1(
        name="l1_relative", label="L1 (relative)",
        implementation="sum of absolute differences by the sum of both pictures, RGB",
        function=Imported(f"{_CODE}:l1_relative_of"),
        definition="Sum of the absolute differences, by the sum of all levels of both pictures, as "
        "PEN-Net has it.",
        reference=_PENNET,
        note="the same difference counts for more in a dark picture",
    ),
    _l1(
        name="l1_relative_grey", label="L1 (relative, grey)",
        implementation=f"sum of absolute differences by the sum of both pictures, {_GREY}",
        function=Imported(f"{_CODE}:l1_relative_grey_of"),
        definition="As L1 (relative), of the grey pictures, as EdgeConnect and ICT have it.",
        reference=_EDGE_CONNECT,
        note="blind to colour; the same difference counts for more in a dark picture",
    ),
    _psnr_kept(
        name="psnr_kept_db", label="PSNR (kept)",
        implementation=f"one mean over known pixels, peak 255, {_RAW}",
        function=Imported(f"{_CODE}:psnr_kept_of"),
        definition="As PSNR, of the pixels that were to be kept, before they are pasted back; "
        "infinite where none changed.",
        note="says how well a method keeps, not how well it fills; of the picture that is scored "
        "where a protocol scores it unpasted",
    ),
    _psnr_kept(
        name="psnr_brushnet_db", label="PSNR (kept, BrushNet's)", limits=(-4.78, 1000.0),
        implementation=f"squares summed over RGB by the number of known pixels, peak 255, {_RAW}",
        function=Imported(f"{_CODE}:psnr_brushnet_of"),
        definition="As PSNR (kept), but the squares of three channels are divided by the number "
        "of pixels; 1000 where none changed.",
        reference=_BRUSHNET,
        note="4.77 dB (10 log10 of 3) below PSNR (kept); one fill that changed nothing lifts a "
        "mean by far",
    ),
    _psnr(
        name="psnr_misato_db", label="PSNR (MISATO)", limits=(0.0, 70.0),
        implementation="-10 log10(mean square in [0, 1] + 1e-7), over RGB",
        function=Imported(f"{_CODE}:psnr_misato_of"),
        definition="As PSNR, with 1e-7 added to the mean square: 70 for equal pictures.",
        reference=_MISATO,
    ),
    _kept(
        name="mse_kept", label="MSE (kept)", direction="lower", limits=(0.0, 1.0),
        implementation=f"one mean over known pixels and RGB, levels by 255, {_AS_KEPT}",
        function=Imported(f"{_CODE}:mse_kept_of"),
        definition="Mean squared difference in [0, 1] of the pixels that were to be kept, before "
        "they are pasted back.",
        note="says how well a method keeps, not how well it fills; whether BrushNet's divides by "
        "pixels or by values, three times as many, is not known here",
    ),
    _lpips(
        name="lpips_kept_squeeze", label="LPIPS (SqueezeNet, kept)",
        region="known", needs_truth=False,
        network="lpips-squeeze",
        weights=f"{CHECKPOINTS['lpips-squeeze'].sha256}+{LPIPS_HEADS['squeeze']}",
        implementation=f"lpips package, v0.1, SqueezeNet 1.1, the hole black, {_AS_KEPT}",
        function=Imported("bench.metrics.perceptual:lpips_kept_of"),
        definition="As LPIPS (SqueezeNet), of the pixels that were to be kept, before they are "
        "pasted back, the hole being black in both pictures.",
        note="as BrushNet's evaluation has it: mean over the whole picture, so a large hole lowers "
        "it",
    ),
    _lpips(
        name="lpips_float", label="LPIPS (AlexNet, float)", region="picture",
        network=LPIPS_NETWORK,
        weights=f"{CHECKPOINTS[LPIPS_NETWORK].sha256}+{LPIPS_HEADS['alex']}",
        implementation="lpips package, v0.1, AlexNet, of the pasted picture as floats, clipped",
        function=Imported("bench.metrics.perceptual:lpips_float_of"),
        definition="As LPIPS (AlexNet), of the fill before it is rounded to 8 bits, as MI-GAN's "
        "evaluation has it.",
        note="of no fill of which only the 8-bit picture is known, as of one of an earlier run",
    ),
    _record(
        name="grad_misato", label="Gradients at the edge (MISATO)", region="ring",
        direction="lower", limits=(0.0, 2885.0), unit="grey levels",
        implementation="OpenCV's grey and Sobel 3x3, levels of 255, mean length of the difference "
        "of gradients where Canny (100, 200) finds edges of the mask",
        function=Imported(f"{_CODE}:grad_misato_of"),
        definition="Mean length of the difference between the gradients of fill and photo at the "
        "edge of the hole.",
        reference=_MISATO,
        note="written from a description that states neither grey nor colour, nor sizes: "
        "comparable with MISATO's figures only as far as these choices are theirs",
    ),
    _network(
        name="clip_similarity", label="CLIP similarity", region="picture",
        direction="higher", limits=(-1.0, 1.0), version="1",
        network=CLIP, weights=f"{CLIP}, no SHA-256 published",
        implementation="cosine of the projected features of CLIP ViT-L/14 at 336 pixels by timm, "
        "middle square, bicubic",
        function=Imported(f"{_CODE}:clip_similarity_of"),
        definition="Cosine similarity of the features that CLIP finds in fill and photo.",
        reference=_MISATO,
        note="which CLIP MISATO's evaluation takes, and of which part of the picture, is not known "
        "here: not comparable with its figures; of a picture that is not square only the middle is "
        "seen",
    ),
)  # fmt: skip
