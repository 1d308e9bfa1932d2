"""What the tests know of each network: a quick one, its files, what it must be."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

import methods
from methods.card import SizeRule
from methods.networks.context_encoder.method import ContextEncoder, ContextEncoderAny
from methods.networks.deepfill.method import DeepFill
from methods.networks.hifill.method import HiFill
from methods.networks.ict.method import ICT
from methods.networks.lama.method import LaMa
from methods.networks.pennet.method import PENNet
from methods.networks.pluralistic.method import Pluralistic
from methods.pretrained import Pretrained
from methods.verification import Part
from methods.weights import Checkpoint
from tests.support import published_files as files

# 8 x 8 x 8 colours, spread evenly.
CUBE = np.stack(np.meshgrid(*[np.linspace(0, 255, 8).round()] * 3), -1).reshape(512, 3)
CONTRAST = 2.2  # of ICT's upsampler below, before its tanh
SLOW = pytest.mark.slow

State = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Network:
    """A network at a size that is quick.

    Attributes:
        name: Of its method.
        kind: The method's class, its files free to be any.
        gain: Of the rule that fills it.
        forms: What writes each published form of its files, by ``CHOICE`` or ``CHOICE FORM``.
        changed: Other values than those of the rule.
        missing: A tensor without which no file is accepted.
        misshapen: One whose shape is to be wrong, if that is tried.
        shape: Height and width of the photo that is filled.
        predict: What the fill must be, from the loaded method, pictures and masks.
    """

    name: str
    kind: type[Pretrained]
    gain: Mapping[str, float]
    forms: Mapping[str, Callable[[Path, State], None]]
    changed: Callable[[torch.nn.Module], None] = lambda network: None
    missing: str = ""
    misshapen: str = ""
    shape: tuple[int, int] = (64, 64)
    predict: Callable[..., torch.Tensor] | None = None

    @functools.cached_property
    def method(self) -> Pretrained:
        """Made, not loaded, with the first form's weights."""
        return self.make(next(iter(self.forms)))

    def make(self, form: str) -> Pretrained:
        return self.kind(f"{self.name}:{form.partition(' ')[0]}")

    @functools.cached_property
    def module(self) -> torch.nn.Module:
        """The network, filled by rule."""
        network = self.method.build(self.method.config)
        Part("network", None, "keys.json", "", self.gain).fill(network)
        self.changed(network)
        return network.eval()

    @property
    def state(self) -> dict[str, torch.Tensor]:
        return self.module.state_dict()


def reduced(kind, config=None, side=0, **changes):
    """A class whose checkpoints are any files, and whose network and pictures may be small."""
    given = tuple(
        replace(each, config=each.config if config is None else config, sha256="", bytes=0)
        for each in changes.pop("checkpoints", kind.card.checkpoints)
    )
    size = SizeRule("fixed", side=side) if side else kind.card.size

    class Reduced(kind):
        card = replace(kind.card, checkpoints=given, size=size, **changes)

    return Reduced


def own(name):
    """A method whose weights are in ``own.safetensors``, as this project writes them."""
    network = NETWORKS[name]
    (first, *_) = network.method.checkpoints
    checkpoint = replace(first, name="own", file="own.safetensors", choice="own", part="")

    class Own(network.kind):
        card = replace(network.kind.card, checkpoints=(checkpoint,), weights=("own",))

    return Own(name)


def scene(height=64, width=64, seed=0):
    photo = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    hole = np.zeros((height, width), bool)
    hole[height * 5 // 16 : height * 5 // 8, width // 4 : width * 3 // 4] = True
    return photo, hole


def tensors(photo, hole):
    """Pictures and masks of a scene, ``(1, 3, H, W)`` and ``(1, 1, H, W)``."""
    images = torch.from_numpy(photo / np.float32(255)).permute(2, 0, 1)[None]
    return images, torch.from_numpy(hole).float()[None, None]


def lama_predicts(method, images, masks):
    planes = torch.cat([images * (1 - masks), masks], 1)[0].permute(1, 2, 0).numpy()
    height, width = planes.shape[:2]
    padded = np.pad(planes, ((0, -height % 8), (0, -width % 8), (0, 0)), mode="symmetric")
    predicted = NETWORKS["lama"].module(torch.from_numpy(padded).permute(2, 0, 1)[None])
    return predicted[..., :height, :width]


def deepfill_predicts(method, images, masks):
    order = [0, 1, 2] if "port" in method.name else [2, 1, 0]
    _, fine, _ = method.network((images[:, order] * 2 - 1) * (1 - masks), masks)
    return (fine[:, order] + 1) / 2


def pennet_predicts(method, images, masks):
    signed = (images * 2 - 1).where(masks == 0, 1)
    return (method.network(torch.cat([signed, masks], 1), masks)[1] + 1) / 2


def pluralistic_predicts(method, images, masks):
    valid = 1 - masks
    prior, features = method.network.encoder(valid * (images * 2 - 1))
    noise = torch.randn(prior.loc.shape, generator=torch.Generator().manual_seed(7))
    code = prior.loc + prior.scale * noise
    return (method.network.generator(code, features[-1], features[2], valid)[-1] + 1) / 2


def show_the_prior(stages):
    """Make an upsampler that packs the pixels of the prior into channels and unpacks them."""
    network = stages.upsampler
    stages.palette.copy_(torch.from_numpy(CUBE))
    with torch.no_grad():
        for tensor in network.state_dict().values():
            tensor.zero_()
        for c in range(3):
            network.encoder[1].weight[c, 3 + c, 3, 3] = 1
            network.decoder[5].weight[c, c, 3, 3] = CONTRAST
        network.decoder[5].bias.fill_(-CONTRAST / 2)
        for down, up, channels in (
            (network.encoder[3], network.decoder[2], 3),
            (network.encoder[5], network.decoder[0], 12),
        ):
            for place in range(4 * channels):
                c, (row, column) = place // 4, divmod(place % 4, 2)
                down.weight[place, c, row + 1, column + 1] = 1
                up.weight[place, c, row + 1, column + 1] = 1


PLURALISTIC_SMALL = {"base_width": 8, "largest_width": 16, "latent": 4}
ICT_SMALL = {
    "grid": 8, "layers": 2, "width": 32, "heads": 4, "upsampler_width": 12, "upsampler_blocks": 1
}  # fmt: skip
_DEEPFILL = {each.choice: each.file for each in methods.card("deepfill").checkpoints}
_PORT, _OFFICIAL = _DEEPFILL["port-imagenet"], _DEEPFILL["official-imagenet"]
_RENAMED = {
    "as in training": lambda name: name,
    "below a scope": lambda name: f"tower_0/{name}",
    "without a scope": lambda name: name.removeprefix("generator/"),
    "other names, same order": lambda name: (
        f"export/{sum(map(ord, name))}_{len(name)}_{name[-30:].replace('/', '.')}"
    ),
}
_ALL = [
    Network(
        "context_encoder",
        reduced(ContextEncoder, {"nef": 4, "ngf": 4, "nc": 3, "bottleneck": 16}),
        {"": 1.0},
        {"streetview": files.saved("netG_streetview.pth", files.context_encoder, zipped=False)},
        missing="main.14.weight",
        misshapen="main.20.weight",
    ),
    Network(
        "context_encoder_any",
        reduced(
            ContextEncoderAny,
            checkpoints=(Checkpoint("any", "any.pth", choice="any", config={"nef": 4, "ngf": 4}),),
            weights=("any",),
        ),
        {"": 1.0},
        {"any": files.saved("any.pth")},
        missing="main.14.weight",
        misshapen="main.15.weight",
    ),
    Network(
        "lama",
        reduced(LaMa, files.LAMA),
        {"": 1.0} | {f"model.{block}.": 0.5 for block in (5, 6, 7)},
        {
            "lama-fourier": files.saved("lama-fourier.ckpt", files.lama_training),
            "big-lama": files.lama_zip,
            "big-lama-torchscript": files.lama_torchscript,
        },
        missing="model.19.bias",
        misshapen="model.1.bn_l.bias",
        shape=(37, 50),
        predict=lama_predicts,
    ),
    Network(
        "pennet",
        reduced(PENNet, side=64),
        {"": 1.0},
        {
            "places2": files.saved("pennet-places2.pth", lambda state: {"netG": state}),
            "places2 bare": files.saved("pennet-places2.pth"),
            "places2 parallel": files.saved("pennet-places2.pth", files.parallel),
        },
        missing="torgb1.0.bias",
        misshapen="decoder.2.bias",
        predict=pennet_predicts,
    ),
    Network(
        "deepfill",
        reduced(DeepFill),
        {"": 0.8},
        {
            "port-imagenet": files.saved(_PORT),
            "mmagic-places2": files.saved(
                _DEEPFILL["mmagic-places2"],
                lambda state: {"state_dict": files.deepfill_mmagic(state), "meta": {}},
            ),
            "official-places2": files.saved(
                _DEEPFILL["official-places2"], files.deepfill_tensorflow
            ),
        }
        | {
            f"official-imagenet {form}{'' if zipped else ' old'}": files.saved(
                _OFFICIAL, wrap, zipped
            )
            for form, wrap in {
                "bare": dict,
                "wrapped": lambda state: {"state_dict": dict(state)},
                "parallel": files.parallel,
                "trainer": files.deepfill_trainer,
                "TensorFlow": files.deepfill_tensorflow,
            }.items()
            for zipped in (True, False)
        },
        missing="fine_generator.allconv17.conv.bias",
        misshapen="coarse_generator.conv1.conv.bias",
        shape=(72, 80),
        predict=deepfill_predicts,
    ),
    Network(
        "hifill",
        reduced(HiFill, side=64),  # four patches a side instead of 32
        {"": 1.1, "c_": 1.8},
        {f"places2 {form}": files.hifill(rename) for form, rename in _RENAMED.items()},
    ),
    Network(
        "pluralistic",
        reduced(Pluralistic, PLURALISTIC_SMALL),
        {"": 1.0},
        {"place2_random": files.pluralistic},
        missing="generator.attn1.gamma",
        misshapen="generator.attn1.query_conv.bias",
        shape=(64, 96),
        predict=pluralistic_predicts,
    ),
    Network(
        "ict",
        reduced(ICT, ICT_SMALL, 64),
        {"": 1.0},
        {
            "places2": files.ict,
            "places2 bare": files.ict_bare(True),
            "places2 bare old": files.ict_bare(False),
        },
        changed=show_the_prior,
        missing="transformer.ln_f.bias",
        misshapen="upsampler.decoder.5.bias",
    ),
]
NETWORKS = {each.name: each for each in _ALL}
