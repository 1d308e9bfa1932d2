"""Weight files as the authors of each network published them, from tensors under our names."""

import json
import re
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from torch import nn

from methods.networks.lama.network import Generator
from methods.networks.pluralistic.network import CompletionNetwork
from methods.networks.pluralistic.spectral import SpectralConvolution
from tests.support.frozen_graphs import frozen
from tests.support.golden_files import FOLDER

LAMA = {"blocks": 3, "ngf": 16}
TWINS = ("conv1", "conv2", "bypass")  # the first names of Pluralistic's layers that have two
PORT, MMAGIC, TENSORFLOW = json.loads((FOLDER / "deepfill.keys.json").read_text("utf-8")).values()
HIFILL = json.loads((FOLDER / "hifill.keys.json").read_text("utf-8"))
PLURALISTIC = json.loads((FOLDER / "pluralistic.keys.json").read_text("utf-8"))


def saved(file, wrap=dict, zipped=True):
    """A form: the tensors, wrapped, in one file of torch."""

    def write(folder: Path, state):
        torch.save(wrap(state), folder / file, _use_new_zipfile_serialization=zipped)

    return write


def parallel(state):
    return {f"module.{name}": tensor for name, tensor in state.items()}


def context_encoder(state):
    """As of 2017: no counters of batches, beside the epoch."""
    old = {name: tensor for name, tensor in state.items() if "num_batches" not in name}
    return {"epoch": 199, "state_dict": old}


def lama_training(state):
    tensors = {f"generator.{name}": tensor for name, tensor in state.items()}
    return {"epoch": 1, "state_dict": tensors | {"val_evaluator.lpips": torch.ones(3)}}


def lama_zip(folder, state):
    saved("best.ckpt", lama_training)(folder, state)
    with zipfile.ZipFile(folder / "big-lama.zip", "w") as archive:
        archive.write(folder / "best.ckpt", "big-lama/models/best.ckpt")


class Wrapper(nn.Module):
    """The form in which LaMa's network was made into a TorchScript file."""

    def __init__(self, generator):
        super().__init__()
        self.model = nn.Module()
        self.model.generator = generator

    def forward(self, image, mask):
        predicted = self.model.generator(torch.cat([image * (1 - mask), mask], 1))
        return mask * predicted + (1 - mask) * image


def lama_torchscript(folder, state):
    generator = Generator(**LAMA).eval()
    generator.load_state_dict(state)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own tracing
        inputs = torch.rand(1, 3, 24, 24), torch.ones(1, 1, 24, 24)
        torch.jit.trace(Wrapper(generator), inputs).save(str(folder / "big-lama.pt"))


def deepfill_mmagic(state, prefix="generator."):
    """The tensors under MMagic's names, and what else its files hold."""
    coarse, fine = "coarse_generator.", "fine_generator."
    # Its parts stand in another order.
    parts = [
        (f"{coarse}conv", 1, 6), (f"{coarse}conv", 11, 17), (f"{coarse}conv", 7, 10),
        (f"{fine}pmconv", 1, 6), (f"{fine}conv", 1, 6), (f"{fine}pmconv", 9, 10),
        (f"{fine}conv", 7, 10), (f"{fine}allconv", 11, 17),
    ]  # fmt: skip
    layers = [f"{part}{i}" for part, first, last in parts for i in range(first, last + 1)]
    ordered = [name for layer in layers for name in PORT if re.match(rf"{layer}[._]", name)]
    names = [name for name in MMAGIC if not name.endswith("fuse_kernel")]
    found = {
        prefix + name.removeprefix("generator."): state[ours]
        for name, ours in zip(names, ordered, strict=True)
        if ours in state
    }
    for name in state.keys() - PORT.keys():  # others are taken for those of the discriminator
        found[f"{prefix}stage2.decoder.{name}.conv.weight"] = state[name]
    (kernel,) = MMAGIC.keys() - set(names)
    found[prefix + kernel.removeprefix("generator.")] = torch.eye(3)[None, None]
    return found | {"disc.global_disc.fc.weight": torch.zeros(1, 4)}


def deepfill_tensorflow(state):
    """The variables of a TensorFlow checkpoint, and what else it holds."""
    found = {
        name: state[ours].permute(2, 3, 1, 0) if name.endswith("kernel") else state[ours]
        for name, ours in zip(TENSORFLOW, PORT, strict=True)
    }
    others = ("discriminator/conv1/kernel", "lr", "beta1_power")
    return found | {name: torch.zeros(1) for name in others}


def deepfill_trainer(state):
    bare = {f"netG.{name}": tensor for name, tensor in state.items()}
    return bare | {"localD.linear.bias": torch.zeros(1)}


def hifill_variables(state):
    """As TensorFlow has them."""
    return {
        name: (state[key].permute(2, 3, 1, 0) if state[key].ndim == 4 else state[key]).numpy()
        for name, key in HIFILL["tensorflow_to_key"].items()
    }


def hifill(rename=lambda name: name):
    def write(folder, state):
        data = frozen(hifill_variables(state), rename)
        (folder / "hifill-places2.pb").write_bytes(data)

    return write


def has_twin(name):
    return any(f"{twin}." in name for twin in TWINS)


def twin_of(name, network):
    """The name of the same tensor within its branch, looked up in the network."""
    path, kind, rest = next(name.partition(f"{twin}.") for twin in TWINS if f"{twin}." in name)
    block = network.get_submodule(path.removesuffix("."))
    branch = "shortcut" if kind == "bypass." else "model"
    places = [
        place
        for place, layer in block.get_submodule(branch).named_children()
        if isinstance(layer, SpectralConvolution)
    ]
    return f"{path}{branch}.{places[kind == 'conv2.']}.{rest}"


def pluralistic_part(file, network, state, prefix="module."):
    """A file's tensors as they are published: most under two names, after parallel training."""
    own = {name: twin_of(name, network) if has_twin(name) else name for name in PLURALISTIC[file]}
    found = {prefix + name: state[ours].clone() for name, ours in own.items() if ours in state}
    return found | {prefix + name: state[name] for name in state.keys() - set(own.values())}


def pluralistic(folder, state):
    with torch.device("meta"):
        network = CompletionNetwork()
    for letter, part in (("E", "encoder"), ("G", "generator")):
        bare = {n.removeprefix(f"{part}."): state[n] for n in state if n.startswith(f"{part}.")}
        file = pluralistic_part(f"latest_net_{letter}.pth", network.get_submodule(part), bare)
        torch.save(file, folder / f"pluralistic-place2_random-{letter}.pth")


def ict(folder, state, wrap=None, zipped=True):
    """The authors' files: with the masks that nothing uses, and all that training left."""
    parts = {part: {} for part in ("transformer", "upsampler")}
    for name in state.keys() - {"palette"}:
        part, _, rest = name.partition(".")
        parts[part][rest] = state[name]
    mask = torch.tril(torch.ones(64, 64))[None, None]
    masks = {f"blocks.{n}.attn.mask": mask for n in range(2)}
    moments = {n: {"exp_avg": torch.zeros(2)} for n in range(9)}
    whole = {
        "model": parts["transformer"] | masks,
        "epoch": 3,
        "optimizer": {"state": moments, "param_groups": [{"lr": 0.1}]},
        "tokens": 5,
        "best_validation_loss": 1.5,
    }
    transformer = whole if wrap is None else wrap(parts["transformer"])
    saved("ict-places2-transformer.pth", zipped=zipped)(folder, transformer)
    upsampler = {"iteration": 7, "generator": parallel(parts["upsampler"])}
    torch.save(upsampler, folder / "ict-places2-upsampler.pth")
    np.save(folder / "ict-palette.npy", (state["palette"].numpy() / 127.5 - 1).astype(np.float32))


def ict_bare(zipped):
    return lambda folder, state: ict(folder, state, dict, zipped)
