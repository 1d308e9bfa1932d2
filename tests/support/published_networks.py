"""The published networks, by the names and shapes of their files."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from methods.networks.context_encoder.network import CentreNetwork
from methods.networks.deepfill.network import Generator as DeepFillGenerator
from methods.networks.hifill.network import HiFillNetwork
from methods.networks.ict.transformer import Transformer
from methods.networks.ict.upsampler import Upsampler
from methods.networks.lama.network import Generator as LaMaGenerator
from methods.networks.pennet.network import PyramidContextEncoder
from methods.networks.pluralistic.network import Discriminator, Encoder, Generator
from tests.support import published_files as files
from tests.support.golden_files import FOLDER


@dataclass(frozen=True)
class Published:
    """A published network, by the names and shapes of its file.

    Attributes:
        file: Of its names and shapes, without ``.keys.json``.
        key: Which of its lists.
        make: Makes the network.
        parameters: How many numbers are trained.
        unused: Whether a name of the file stands for nothing that the network has.
    """

    file: str
    key: str
    make: Callable[[], torch.nn.Module]
    parameters: int
    unused: Callable[[str], bool] = field(default=lambda name: False)

    @property
    def shapes(self) -> dict[str, list[int]]:
        stored = json.loads((FOLDER / f"{self.file}.keys.json").read_text("utf-8"))[self.key]
        return {name: shape for name, shape in stored.items() if not self.unused(name)}


def _is_mask(name):
    return name.endswith(".attn.mask")


_RELAMA = "reduced (ngf 16, 3 blocks; goldens only)"
_ICT = "Transformer/FFHQ.pth", "Upsample/*/InpaintingModel_gen.pth"
PUBLISHED = [
    Published("context_encoder", "netG_streetview.pth", CentreNetwork, 71_124_544),
    Published("lama", "lama-fourier", LaMaGenerator, 27_048_835),
    Published("relama", _RELAMA, lambda: LaMaGenerator(**files.LAMA, attention=True), 726_025),
    Published("pennet", "netG", PyramidContextEncoder, 10_231_538),
    Published("deepfill", "gen_XXXXXXXX.pt", DeepFillGenerator, 3_601_542),
    Published("hifill", "generator", HiFillNetwork, 2_722_791),
    Published("pluralistic", "latest_net_E.pth", Encoder, 3_604_224, files.has_twin),
    Published("pluralistic", "latest_net_G.pth", Generator, 2_374_016, files.has_twin),
    Published("pluralistic", "latest_net_D.pth", Discriminator, 1_575_075, files.has_twin),
    Published("ict", _ICT[0], lambda: Transformer(2304, 30, 512, 8), 96_276_480, _is_mask),
    Published("ict", _ICT[1], Upsampler, 10_780_867, _is_mask),
]
