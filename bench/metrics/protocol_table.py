"""The records of metrics as published protocols compute them, part of `bench.metrics.table`.

Each differs from the metric of the plain name; a table of a paper can only be compared with the
one it used.
"""

from __future__ import annotations

from functools import partial

from bench.metrics.record import NOT_NEGATIVE, CaseMetric, Imported

_CODE = "bench.metrics.protocol_variants"
_record = partial(CaseMetric, version="1", direction="higher", region="picture")
_psnr = partial(_record, unit="dB", limits=NOT_NEGATIVE)
_ssim = partial(_record, limits=(-1.0, 1.0))
_kept = partial(_psnr, region="known", needs_truth=False)

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

PROTOCOLS = (
    _ssim(
        name="ssim_lama", label="SSIM (LaMa)",
        implementation="11x11 Gaussian, sigma 1.5, population covariance, mean over RGB, borders "
        "padded with zeros, float64",
        function=Imported(f"{_CODE}:ssim_lama_of"),
        definition="As SSIM, of the whole map, whose border comes from pixels padded with zeros.",
        reference="Suvorov et al., Resolution-robust large mask inpainting with Fourier "
        "convolutions, WACV 2022",
        note="of pictures rounded to 8 bits; LaMa truncates them",
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
        note="blind to colour",
    ),
    _psnr(
        name="psnr_grey_db", label="PSNR (grey)",
        implementation=f"one mean, peak 1, {_GREY}",
        function=Imported(f"{_CODE}:psnr_grey_of"),
        definition="As PSNR, of the grey pictures, as PUT has it.",
        note="blind to colour",
    ),
    _record(
        name="l1_grey", label="L1 (grey)", direction="lower", limits=(0.0, 1.0),
        implementation=f"mean absolute difference, {_GREY}",
        function=Imported(f"{_CODE}:l1_grey_of"),
        definition="As L1, of the grey pictures, as PUT has it.",
        note="blind to colour",
    ),
    _kept(
        name="psnr_kept_db", label="PSNR (kept)",
        implementation=f"one mean over known pixels, peak 255, {_RAW}",
        function=Imported(f"{_CODE}:psnr_kept_of"),
        definition="As PSNR, of the pixels that were to be kept, before they are pasted back; "
        "infinite where none changed.",
        note="says how well a method keeps, not how well it fills",
    ),
    _kept(
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
        reference="Wang, Cao, Dong, Yu, Wang and Fu, Towards enhanced image inpainting: mitigating "
        "unwanted object insertion and preserving color consistency, CVPR 2025",
    ),
)  # fmt: skip
