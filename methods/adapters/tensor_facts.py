"""What must be known of a network in a file to give it pictures, and their way in and out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple, Self

import torch

from bench.errors import BenchError, ContractError, require_one_of

RANGES = {"0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0), "0..255": (0.0, 255.0)}
MASKS = {
    "0..1": (0.0, 1.0), "0..255": (0.0, 255.0), "-1..1": (-1.0, 1.0), "-0.5..0.5": (-0.5, 0.5),
}  # fmt: skip
BLANKS = {"black": 0.0, "grey": 0.5, "white": 1.0}
# Mean and spread that torchvision's models expect of RGB in [0, 1].
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TYPES = ("float32", "float16", "uint8", "bool", "int64")

ALLOWED: dict[str, tuple[Any, ...]] = {
    "inputs": ("image, mask", "mask, image", "image+mask", "mask+image", "image+mask, mask",
               "image"),
    "layout": ("NCHW", "NHWC"),
    "dtype": ("float32", "float16", "uint8"),
    "values": (*RANGES, "imagenet"),
    "channels": ("RGB", "BGR"),
    "blank": (*BLANKS, "mean", "three bytes of RGB"),
    "hole": (1, 0),
    "mask_dtype": _TYPES,
    "mask_dims": (4, 3),
    "mask_values": tuple(MASKS),
    "output": ("a name or a number",),
    "returns": tuple(RANGES),
    "returns_channels": ("RGB", "BGR"),
    "pastes": (True, False),
}  # fmt: skip


Call = Callable[[list[torch.Tensor]], Mapping[str, torch.Tensor]]


class Port(NamedTuple):
    """An input of a network.

    Attributes:
        name: As the file has it.
        dtype: As `Facts` writes it; empty if the file does not say.
        shape: Its sides, None for one that is not fixed; empty if the file does not say.
    """

    name: str
    dtype: str = ""
    shape: tuple[int | None, ...] = ()


class Opened(NamedTuple):
    """A file that was read.

    Attributes:
        inputs: In order.
        call: Runs it: inputs in order; outputs by name.
        by: What runs it and its version, where that is not torch.
    """

    inputs: list[Port]
    call: Call
    by: str = ""


@dataclass(frozen=True)
class Facts:
    """How a network takes a picture and its hole, and gives back a fill.

    Attributes:
        inputs: The order of the inputs; ``+`` joins channels of one input.
        layout: ``NCHW`` or ``NHWC``, of all inputs; that of outputs is seen.
        dtype: Of the picture.
        values: What black and white are in it; ``imagenet`` is normalised as for classifiers.
        channels: Order of its colours.
        blank: What hole pixels are in it: a colour, ``mean`` (of the known pixels), or three bytes.
        hole: 1 where the mask is highest in the hole, 0 where it is highest in what is known.
        mask_dtype: Of the mask.
        mask_dims: 3 if the mask has no axis of channels.
        mask_values: Its lowest and highest value.
        output: Which output is the fill.
        returns: What black and white are in it.
        returns_channels: Order of its colours.
        pastes: Whether known pixels come back unchanged.
    """

    inputs: str = "image, mask"
    layout: str = "NCHW"
    dtype: str = "float32"
    values: str = "0..1"
    channels: str = "RGB"
    blank: str = "black"
    hole: int = 1
    mask_dtype: str = "float32"
    mask_dims: int = 4
    mask_values: str = "0..1"
    output: str = "0"
    returns: str = "0..1"
    returns_channels: str = "RGB"
    pastes: bool = False

    def but(self, **changes: Any) -> Self:
        """The same with some changed."""
        return replace(self, **changes)

    @property
    def given(self) -> Self:
        """The same but for how outputs are read: what decides what the network is given."""
        return self.but(output="", returns="", returns_channels="", pastes=False)

    def __str__(self) -> str:
        """In one line, for readers and for identities."""
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())


def checked(facts: Mapping[str, Any], where: str) -> dict[str, Any]:
    """See that what is stated are facts with values they can have.

    Args:
        facts: As a user gave them.
        where: They were given.

    Raises:
        BenchError: If one is not.
    """
    found = dict(facts)
    for name, value in facts.items():
        require_one_of(name, ALLOWED, f"{where}: facts")
        if name == "output":
            found[name] = str(value)
        elif name == "blank" and isinstance(value, list | tuple):
            found[name] = ",".join(map(str, value))
        elif name == "inputs":
            found[name] = ", ".join(each.strip() for each in str(value).split(","))
        is_colour = name == "blank" and _bytes(str(found[name]))
        of_a_kind = any(type(each) is type(found[name]) for each in ALLOWED[name])
        if name != "output" and not is_colour and not (of_a_kind and found[name] in ALLOWED[name]):
            words = ", ".join(map(str, ALLOWED[name]))
            raise BenchError(f"{where}: {name}: expected one of {words}, found {value!r}")
    return found


def blanked(facts: Facts, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The picture, RGB in ``[0, 1]``, with its hole in the colour that the network expects."""
    return torch.where(mask > 0, _blank(facts.blank, image, mask), image)


def encode(facts: Facts, image: torch.Tensor, mask: torch.Tensor) -> list[torch.Tensor]:
    """Bring a picture and its hole into the form of the network's inputs.

    Args:
        facts: Of the network.
        image: ``(1, 3, H, W)``, RGB in ``[0, 1]``; its hole pixels do not matter.
        mask: ``(1, 1, H, W)``, 1 in the hole.
    """
    picture = blanked(facts, image, mask)
    if facts.values == "imagenet":
        mean, spread = (image.new_tensor(each).view(1, 3, 1, 1) for each in _IMAGENET)
        picture = (picture - mean) / spread
    else:
        low, high = RANGES[facts.values]
        picture = picture * (high - low) + low
    picture = picture.flip(1) if facts.channels == "BGR" else picture
    low, high = MASKS[facts.mask_values]
    marked = (mask if facts.hole else 1 - mask) * (high - low) + low
    parts = {"image": _typed(picture, facts.dtype), "mask": _typed(marked, facts.mask_dtype)}
    inputs = []
    for names in facts.inputs.split(", "):
        joined = [parts[name] for name in names.split("+")]
        tensor = joined[0] if len(joined) == 1 else torch.cat(
            [_typed(each, facts.dtype) for each in joined], 1
        )  # fmt: skip
        if names == "mask" and facts.mask_dims == 3:
            tensor = tensor[:, 0]
        elif facts.layout == "NHWC":
            tensor = tensor.permute(0, 2, 3, 1)
        inputs.append(tensor.contiguous())
    return inputs


def is_picture(output: torch.Tensor, height: int, width: int) -> bool:
    """Whether an output can be a fill of one picture of that size."""
    shape = tuple(output.shape)
    return shape[-3:] in ((3, height, width), (height, width, 3)) and shape[:-3] in ((), (1,))


def decode(facts: Facts, outputs: Mapping[str, torch.Tensor], like: torch.Tensor) -> torch.Tensor:
    """Turn an output into a fill.

    Args:
        facts: Of the network.
        outputs: All it gave, by name.
        like: The picture it was given, ``(1, 3, H, W)``.

    Returns:
        float32 RGB of the same shape, black 0 and white 1.

    Raises:
        ContractError: If there is no such output, or it is no picture of that size.
    """
    height, width = like.shape[-2:]
    if facts.output not in outputs:
        raise ContractError(f"output {facts.output!r}: expected one of {', '.join(outputs)}")
    found = outputs[facts.output]
    if not is_picture(found, height, width):
        raise ContractError(
            f"output {facts.output!r}: expected (1, 3, {height}, {width}) or (1, {height}, {width},"
            f" 3), found {tuple(found.shape)}"
        )
    planes = found.reshape(found.shape[-3:]).to(torch.float32)
    by_layout = {"NCHW": planes.shape[0] == 3, "NHWC": planes.shape[-1] != 3}
    planes = planes if by_layout[facts.layout] else planes.permute(2, 0, 1)
    low, high = RANGES[facts.returns]
    planes = (planes[None] - low) / (high - low)
    return planes.flip(1) if facts.returns_channels == "BGR" else planes


def _typed(planes: torch.Tensor, name: str) -> torch.Tensor:
    kind: torch.dtype = getattr(torch, name)
    whole = not (kind.is_floating_point or kind is torch.bool)
    return (planes.round().clamp(0, 255) if whole else planes).to(kind)


def _bytes(text: str) -> list[int]:
    parts = [each.strip() for each in text.split(",")]
    usable = len(parts) == 3 and all(each.isdecimal() and int(each) < 256 for each in parts)
    return [int(each) for each in parts] if usable else []


def _blank(name: str, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The colour of hole pixels, ``(1, 3, 1, 1)``."""
    if name == "mean":
        known = 1 - mask
        return (image * known).sum((2, 3), keepdim=True) / known.sum().clamp_min(1)
    colour = [each / 255 for each in _bytes(name)] or [BLANKS[name]] * 3
    return image.new_tensor(colour).view(1, 3, 1, 1)
