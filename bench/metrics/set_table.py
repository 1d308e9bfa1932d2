"""The records of metrics of sets of fills, part of `bench.metrics.table`."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version

from bench.metrics.networks import (
    CLIP,
    DINOV2_L,
    FID_CLEAN,
    FID_FLOAT,
    FID_NETWORK,
    FID_PYTORCH,
    FID_UNTRAINED,
    TORCHVISION,
)
from bench.metrics.record import NOT_NEGATIVE, FeatureMetric, Imported, PatchMetric
from methods.weights import CHECKPOINTS

SWD_SIDE = 32  # smallest side of a picture, in pixels

_INCEPTION = "Inception v3 (2015-12-05), 2048 features"
_SAME_CASES = "against the photos of the same cases"
_TESTS = "untrained features: for tests, never comparable with published values"
_inception = partial(
    FeatureMetric, direction="lower", region="picture",
    version=f"torch-fidelity {version('torch-fidelity')}",
)  # fmt: skip
_fid = partial(
    _inception, limits=NOT_NEGATIVE, implementation=f"{_INCEPTION}, closed formula",
    function=Imported("bench.metrics.distribution:fid"), statistic="frechet",
    reference="Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter, GANs trained by a two "
    "time-scale update rule, NeurIPS 2017",
)  # fmt: skip
_kid = partial(
    _inception,
    implementation=f"{_INCEPTION}, cubic kernel, unbiased, no fill with its own photo",
    function=Imported("bench.metrics.distribution:kid"), statistic="cubic kernel",
    reference="Bińkowski, Sutherland, Arbel and Gretton, Demystifying MMD GANs, ICLR 2018",
)  # fmt: skip
_ids = partial(
    _inception, direction="higher", limits=(0.0, 1.0),
    version=f"torch-fidelity {version('torch-fidelity')}, scikit-learn {version('scikit-learn')}",
    implementation=f"{_INCEPTION}, LinearSVC(dual=False) of scikit-learn",
    statistic="discriminative",
    reference="Zhao, Cui, Sheng, Dong, Liang, Chang and Xu, Large scale image completion via "
    "co-modulated generative adversarial networks, ICLR 2021",
)  # fmt: skip
_vit = partial(FeatureMetric, direction="lower", region="picture", limits=NOT_NEGATIVE, version="1")
_FEW = "below 2048 pictures the SVM tells nearly any fills apart"
_published = {"network": FID_NETWORK, "weights": CHECKPOINTS[FID_NETWORK].sha256}
_torchvision = {"network": TORCHVISION, "weights": CHECKPOINTS[TORCHVISION].sha256}
_misato = partial(
    _ids, **_torchvision,
    version=f"torchvision {version('torchvision')}, scikit-learn {version('scikit-learn')}",
    reference="Wang, Cao, Dong, Yu, Wang and Fu, Towards enhanced image inpainting: mitigating "
    "unwanted object insertion and preserving color consistency, CVPR 2025",
    note="how MISATO's code resizes and scales pictures, and to which set it fits the components, "
    "is not known here; another scale than U-IDS and P-IDS",
)  # fmt: skip
_OF_TORCHVISION = (
    "Inception v3 of torchvision, 2048 features; 299x299 by torch's bilinear resize, [-1, 1]"
)
_random = {"network": FID_UNTRAINED, "weights": "untrained seed 0"}

SETS = (
    PatchMetric(
        name="swd", label="Sliced Wasserstein distance", direction="lower", region="hole",
        limits=NOT_NEGATIVE, version="1", minimum_side=SWD_SIDE,
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
        name="fid_pytorch", label="FID (pytorch-fid)", network=FID_PYTORCH,
        weights=_published["weights"], version="1",
        implementation=f"{_INCEPTION}, 299x299 by torch's bilinear resize of [0, 1]; closed "
        "formula",
        definition="As FID, of pictures resized as pytorch-fid does, as LaMa has it.",
        note=f"{_SAME_CASES}; falls with n; another number than FID, whose samples lie elsewhere",
    ),
    _fid(
        name="fid_pytorch_float", label="FID (pytorch-fid, float)", network=FID_FLOAT,
        weights=_published["weights"], version="1",
        implementation=f"{_INCEPTION}, 299x299 by torch's bilinear resize of [0, 1], of the pasted "
        "picture as floats, clipped; closed formula",
        definition="As FID (pytorch-fid), of fills before they are rounded to 8 bits, as MI-GAN's "
        "evaluation has it.",
        note=f"{_SAME_CASES}; falls with n; a fill that was kept without its features is made anew "
        "for it",
    ),
    _fid(
        name="fid_clean", label="FID (clean-fid)", network=FID_CLEAN,
        weights=_published["weights"], version="1",
        implementation=f"{_INCEPTION}, 299x299 by Pillow's bicubic resize of each channel as "
        "floats, smoothed, clipped; closed formula",
        definition="As FID, of pictures resized as clean-fid does, as the NTIRE 2022 challenge has "
        "it.",
        reference="Parmar, Zhang and Zhu, On aliased resizing and surprising subtleties in GAN "
        "evaluation, CVPR 2022",
        note=f"{_SAME_CASES}; falls with n; another number than FID, whose resize does not smooth",
    ),
    _fid(
        name="fid_torchvision", label="FID (torchvision)", **_torchvision,
        version=f"torchvision {version('torchvision')}",
        implementation=f"{_OF_TORCHVISION}; closed formula",
        definition="As FID, by torchvision's Inception network, as EdgeConnect and MISATO have it.",
        note=f"{_SAME_CASES}; falls with n; on another scale than FID, never in one table with it; "
        "PEN-Net aligns corners when it resizes, and how MISATO does is not known here",
    ),
    *(
        _misato(
            name=f"{letter}_ids_misato{suffix}",
            label=f"{letter.upper()}-IDS (MISATO, {components})",
            implementation=f"{_OF_TORCHVISION}; first {components} principal components of both "
            "sets, LinearSVC(dual=False) of scikit-learn",
            function=Imported(f"bench.metrics.distribution:{letter}_ids_misato{suffix}"),
            definition=f"As {letter.upper()}-IDS, of the first {components} principal components "
            "of the features that torchvision's Inception network finds.",
        )
        for components, suffix in ((512, ""), (1024, "1024"))
        for letter in "up"
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
