"""Names of tensors in published files, translated into those of the PyTorch port."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

_ENCODER = ("conv1", "conv2_downsample", "conv3", "conv4_downsample", "conv5", "conv6")
_DILATED = ("conv7_atrous", "conv8_atrous", "conv9_atrous", "conv10_atrous")
_DECODER = tuple(f"conv{number}" for number in range(11, 18))


def port_names(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Translate a file of any of the code bases.

    Args:
        tensors: Of a file of the port (bare, or the generator under ``netG.`` beside other
            networks), of MMagic (under ``stage1.`` and ``stage2.``, with or without
            ``generator.``), or the variables of a TensorFlow checkpoint (under ``inpaint_net/``).

    Returns:
        The generator's tensors by the port's names; kernels of TensorFlow are transposed.
    """
    if any(name.startswith("inpaint_net/") for name in tensors):
        return _from_tensorflow(tensors)
    bare = {name.removeprefix("generator."): name for name in tensors}
    if any(name.startswith(("stage1.", "stage2.")) for name in bare):
        return _from_mmagic({name: tensors[whole] for name, whole in bare.items()})
    if any(name.startswith("netG.") for name in bare):
        return {
            name.removeprefix("netG."): tensors[whole]
            for name, whole in bare.items()
            if name.startswith("netG.")
        }
    return dict(tensors)


def _from_mmagic(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    found = {}
    for name, tensor in tensors.items():
        layer, _, kind = name.partition(".conv.")
        if not name.startswith(("stage1.", "stage2.")) or name.endswith(".fuse_kernel"):
            continue  # a discriminator, or the identity matrix
        found[f"{_MMAGIC.get(layer, layer)}.conv.{kind}"] = tensor
    return found


def _mmagic_layers() -> dict[str, str]:
    dilated = [f"dilation_neck.dilation_convs.{index}" for index in range(len(_DILATED))]
    encoder = [f"enc{number}" for number in range(1, 1 + len(_ENCODER))]
    decoder = [f"dec{number}" for number in range(1, 1 + len(_DECODER))]
    attention = ("contextual_attention_neck.conv1", "contextual_attention_neck.conv2")
    groups = (
        ("stage1.encoder.", encoder, "coarse_generator.", _ENCODER),
        ("stage1.", dilated, "coarse_generator.", _DILATED),
        ("stage1.decoder.", decoder, "coarse_generator.", _DECODER),
        ("stage2.encoder_conv.", encoder, "fine_generator.", _ENCODER),
        ("stage2.", dilated, "fine_generator.", _DILATED),
        ("stage2.encoder_attention.", encoder, "fine_generator.pm", _ENCODER),
        ("stage2.", attention, "fine_generator.pm", ("conv9", "conv10")),
        ("stage2.decoder.", decoder, "fine_generator.all", _DECODER),
    )
    return {
        theirs + name: ours + layer
        for theirs, names, ours, layers in groups
        for name, layer in zip(names, layers, strict=True)
    }


_MMAGIC = _mmagic_layers()


def _from_tensorflow(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    found = {}
    for name, tensor in tensors.items():
        match = re.fullmatch(r"inpaint_net/(?:\w+/)?(\w+)/(kernel|bias)(?::0)?", name)
        if match is None:
            continue  # discriminators, the learning rate, what the optimiser keeps
        layer = match[1].removesuffix("_upsample_conv")
        if layer.startswith("xconv"):
            layer = f"fine_generator.{layer.removeprefix('x')}"
        elif layer.startswith(("pmconv", "allconv")):
            layer = f"fine_generator.{layer}"
        else:
            layer = f"coarse_generator.{layer}"
        if match[2] == "kernel":  # (height, width, in, out)
            found[f"{layer}.conv.weight"] = tensor.permute(3, 2, 0, 1).contiguous()
        else:
            found[f"{layer}.conv.bias"] = tensor
    return found
