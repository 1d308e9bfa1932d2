"""Weight files as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_MIB = 1 << 20


@dataclass(frozen=True)
class Checkpoint:
    """One weight file.

    Attributes:
        name: What users call it, such as ``lpips-alex``.
        file: File name in a weights folder.
        urls: Where to fetch it, tried in order; empty if it cannot be fetched.
        sha256: Hex digest, or its first characters (at least 8); empty if none is documented.
            Of none, a file that is put there is trusted when it is first met, and its digest
            recorded beside it; one that a server sends is not, unless the user states its hash.
        bytes: Size, known to 1 %; 0 if it is not documented.
        licence: Licence of the weights.
        origin: Who made them and from what.
        choice: What selects it, as in ``NAME:CHOICE``; files of one choice are used together.
        part: Which part of the network it holds, where a choice has several files.
        config: Settings of the network it is for.
        listed: Whether ``weights add`` knows it: not what is the user's own.
    """

    name: str
    file: str
    urls: tuple[str, ...] = ()
    sha256: str = ""
    bytes: int = 0
    licence: str = "not stated"
    origin: str = ""
    choice: str = ""
    part: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, hash=False)
    listed: bool = True

    @property
    def command(self) -> str:
        """What puts the file where it is looked for; empty if no command does."""
        if not self.listed:
            return ""
        if self.urls:
            return f"inpaint-bench weights fetch {self.name}"
        return f"inpaint-bench weights add {self.name} FILE"


def _torchvision(name: str, file: str, sha256: str, mebibytes: float, network: str) -> Checkpoint:
    return Checkpoint(
        name,
        file,
        (f"https://download.pytorch.org/models/{file}",),
        sha256,
        int(mebibytes * _MIB),
        "BSD-3-Clause",
        f"{network} of torchvision, trained on ImageNet (non-commercial research terms)",
    )


def _dinov2(letter: str, size: int) -> Checkpoint:
    file = f"dinov2_vit{letter}14_pretrain.pth"
    return Checkpoint(
        f"dinov2-vit{letter}14",
        file,
        (f"https://dl.fbaipublicfiles.com/dinov2/dinov2_vit{letter}14/{file}",),
        bytes=size,
        licence="Apache-2.0",
        origin=f"ViT-{letter}/14 of the authors of DINOv2, trained on LVD-142M",
    )


# What is known of files of networks that measure or judge; those of methods are on their cards.
CHECKPOINTS = {
    checkpoint.name: checkpoint
    for checkpoint in (
        _torchvision("lpips-alex", "alexnet-owt-7be5be79.pth", "7be5be79", 233.1, "AlexNet"),
        _torchvision("lpips-vgg", "vgg16-397923af.pth", "397923af", 527.8, "VGG-16"),
        _torchvision(
            "lpips-squeeze", "squeezenet1_1-b8a52dc0.pth", "b8a52dc0", 4.73, "SqueezeNet 1.1"
        ),
        _torchvision(
            "inception-torchvision",
            "inception_v3_google-0cc3c7bd.pth",
            "0cc3c7bd",
            103.9,
            "Inception v3",
        ),
        _torchvision("vgg19", "vgg19-dcbb9e9d.pth", "dcbb9e9d", 548.1, "VGG-19"),
        Checkpoint(
            "ade20k-resnet50dilated",
            "ade20k-resnet50dilated-ppm_deepsup-encoder_epoch_20.pth",
            licence="not stated for the weights; authors' code: BSD-3-Clause",
            origin="encoder of the authors' segmentation network for ADE20K "
            "(CSAILVision/semantic-segmentation-pytorch), whose server has no https: "
            "sceneparsing.csail.mit.edu/model/pytorch/ade20k-resnet50dilated-ppm_deepsup/"
            "encoder_epoch_20.pth",
        ),
        Checkpoint(
            "fid-inception",
            "weights-inception-2015-12-05-6726825d.pth",
            (
                "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
                "weights-inception-2015-12-05-6726825d.pth",
            ),
            "6726825d",
            95_628_359,
            "Apache-2.0",
            "Inception v3 of TensorFlow (2015-12-05), converted by torch-fidelity",
        ),
        Checkpoint(
            "clip-vit-l14-336",
            "clip-vit-large-patch14-336-pytorch_model.bin",
            (
                "https://huggingface.co/openai/clip-vit-large-patch14-336/resolve/main/"
                "pytorch_model.bin",
            ),
            bytes=1_711_974_081,
            licence="not stated for the weights; authors' code: MIT",
            origin="CLIP ViT-L/14 at 336 pixels of OpenAI, as openai/clip-vit-large-patch14-336 of "
            "the Hugging Face hub has it (pytorch_model.bin or model.safetensors)",
        ),
        _dinov2("l", 1_217_586_395),
        _dinov2("g", 4 * 1_136_480_768),
    )
}
