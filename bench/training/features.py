"""Networks made elsewhere whose features some papers' terms compare; they never learn."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import nn

from methods import weights

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours


class Features(nn.Module):
    """A network whose weights have to be got first.

    Attributes:
        checkpoint: Its name in `weights.CHECKPOINTS`.
        needed: Why terms are left out without it.
        sha256: Of the file its weights are from.
    """

    checkpoint: ClassVar[str]
    needed: ClassVar[str]
    sha256: str

    @classmethod
    def read(cls, path: Path) -> Self:
        """Make the network with the weights of a file; what else the file holds is left aside.

        Raises:
            BenchError: If it is not the right file.
        """
        with torch.device("meta"):  # draws no numbers, so that first weights stay what they are
            network = cls()
        network.to_empty(device="cpu")
        found = weights.load(path, weights.CHECKPOINTS[cls.checkpoint])
        own = network.state_dict().keys()
        weights.put({name: each for name, each in found.items() if name in own}, network, str(path))
        network.sha256 = weights.digest(path)
        return network.to(memory_format=torch.channels_last).eval().requires_grad_(False)

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by layer of ``(N, 3, H, W)`` in ``[0, 1]``."""
        raise NotImplementedError


class SceneFeatures(Features):
    """The encoder of a segmentation network of ADE20K: ResNet-50, its last two stages dilated.

    Zhou et al., "Scene Parsing through ADE20K Dataset", CVPR 2017. It begins with three
    convolutions of 3 x 3 where torchvision's has one of 7 x 7; its stages have strides 4, 8, 8, 8.
    """

    checkpoint = "ade20k-resnet50dilated"
    needed = "needs the downloaded segmentation network of ADE20K"

    def __init__(self) -> None:
        """Make the layers, under the names of the checkpoint."""
        super().__init__()
        from torchvision.models import resnet50

        for number, (before, after) in enumerate(((3, 64), (64, 64), (64, 128)), 1):
            stride = 2 if number == 1 else 1
            convolution = nn.Conv2d(before, after, 3, stride, 1, bias=False)
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", nn.BatchNorm2d(after))
        stages = resnet50(replace_stride_with_dilation=[False, True, True])
        # The stem gives 128 channels, torchvision's 64.
        first = stages.layer1[0]
        first.conv1 = nn.Conv2d(128, 64, 1, bias=False)
        first.downsample[0] = nn.Conv2d(128, 256, 1, bias=False)
        for number in range(1, 5):
            self.add_module(f"layer{number}", stages.get_submodule(f"layer{number}"))

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """``layer1`` to ``layer4``."""
        maps = _normalised(pictures)
        for number in range(1, 4):
            convolved = self.get_submodule(f"conv{number}")(maps)
            maps = F.relu(self.get_submodule(f"bn{number}")(convolved))
        maps = F.max_pool2d(maps, 3, 2, 1)
        found = {}
        for name in ("layer1", "layer2", "layer3", "layer4"):
            found[name] = maps = self.get_submodule(name)(maps)
        return found


class ObjectFeatures(Features):
    """VGG-19 of torchvision, trained on ImageNet: Simonyan and Zisserman, ICLR 2015."""

    checkpoint = "vgg19"
    needed = "needs the downloaded VGG-19"

    def __init__(self) -> None:
        """Make the layers up to ``relu5_2``; none of the terms looks at later ones."""
        super().__init__()
        from torchvision.models import vgg19

        self.features = vgg19().features[:32]

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """``relu1_1`` to ``relu5_2``."""
        maps, found = _normalised(pictures), {}
        block, number = 1, 0
        for layer in self.features:
            maps = layer(maps)
            if isinstance(layer, nn.ReLU):
                number += 1
                found[f"relu{block}_{number}"] = maps
            elif isinstance(layer, nn.MaxPool2d):
                block, number = block + 1, 0
        return found


NETWORKS: dict[str, type[Features]] = {
    kind.checkpoint: kind for kind in (SceneFeatures, ObjectFeatures)
}


def locate(kind: type[Features] | None, wanted: str, path: Path | None) -> Path | None:
    """Find the weights of a network.

    Args:
        kind: The network; None for a recipe that needs none.
        wanted: ``found`` takes what is here, ``fetch`` gets what is not, ``none`` takes nothing.
        path: The file, or the folder that holds it; nothing else is searched if given.

    Returns:
        The verified file, or None.

    Raises:
        BenchError: If a file found is not the right one, is not at ``path``, or cannot be fetched.
    """
    if kind is None or wanted == "none":
        return None
    checkpoint = weights.CHECKPOINTS[kind.checkpoint]
    found = weights.find(checkpoint, path)
    return weights.fetch(checkpoint, kind.read) if found is None and wanted == "fetch" else found


def _normalised(pictures: torch.Tensor) -> torch.Tensor:
    mean, deviation = (pictures.new_tensor(each).view(3, 1, 1) for each in (_MEAN, _DEVIATION))
    return (pictures - mean) / deviation
