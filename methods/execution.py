"""Ways to run a network that change its speed and may change its fills; each is a row of its own.

They are asked for like variants, ``lama:small@bf16``, and joined by ``+``:
``lama:small@bf16+channels_last``. This module is read by the command line, so it imports torch
late.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from bench.errors import BenchError

if TYPE_CHECKING:
    import torch
    from torch import nn

EXECUTIONS = {
    "bf16": "bfloat16",
    "tf32": "TF32",
    "channels_last": "channels last",
    "compile": "compiled",
    "graph": "CUDA graph",
}
"""What is done to convolutions and matrix products, to the order in memory, or to the launching."""
_CUDA_ONLY = ("tf32", "graph")


def split(variant: str) -> tuple[str, tuple[str, ...]]:
    """Take what follows the ``@`` of a name apart.

    Returns:
        The method's own variant, empty for none, and the ways to run its network.

    Raises:
        BenchError: If two variants are named, or a way twice.
    """
    parts = variant.split("+") if variant else []
    own = [part for part in parts if part not in EXECUTIONS]
    ways = tuple(part for part in parts if part in EXECUTIONS)
    if len(own) > 1 or len(set(ways)) < len(ways):
        raise BenchError(
            f"variant {variant!r}: expected one variant of the method at most, joined by + with "
            f"different ones of {', '.join(EXECUTIONS)}"
        )
    return "".join(own), ways


def in_words(ways: Sequence[str]) -> str:
    """The ways, for the title of a method."""
    return ", ".join(EXECUTIONS[way] for way in ways)


def apply(network: nn.Module, ways: Sequence[str], device: torch.device) -> nn.Module:
    """Bring a network into the form that is run.

    Args:
        network: On its device, in eval mode; it is changed.
        ways: Keys of `EXECUTIONS`.
        device: Where it is.

    Raises:
        BenchError: If the device has no such way.
    """
    import torch

    missing = [way for way in _CUDA_ONLY if way in ways and device.type != "cuda"]
    if missing:
        raise BenchError(
            f"{', '.join(missing)}: expected a CUDA device, which alone has it, found {device}"
        )
    if "bf16" in ways:
        _halve(network)
    if "channels_last" in ways:
        network = network.to(memory_format=torch.channels_last)
    if "compile" in ways:
        network.compile(dynamic=False)
    if "graph" in ways:
        from methods.recording import Recording

        network.forward = Recording(network.forward)
    return network


@contextlib.contextmanager
def one_by_one(network: nn.Module) -> Iterator[None]:
    """Do the operations of a network one by one for a while, so that they can be counted."""
    from methods.recording import Recording

    compiled, network._compiled_call_impl = network._compiled_call_impl, None
    recording = network.forward
    if isinstance(recording, Recording):
        network.forward = recording.function
    try:
        yield
    finally:
        network._compiled_call_impl = compiled
        if isinstance(recording, Recording):
            network.forward = recording


def _halve(module: nn.Module) -> None:
    """Store the weights that are used in bfloat16 in it, so that none is converted at each call."""
    import torch
    from torch import nn

    if getattr(module, "full_precision", False):
        return
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        module.to(torch.bfloat16)
    for name in getattr(module, "halved", ()):
        if hasattr(module, name):
            setattr(module, name, getattr(module, name).to(torch.bfloat16))
    for child in module.children():
        _halve(child)


@contextlib.contextmanager
def running(ways: Sequence[str], device: torch.device) -> Iterator[None]:
    """The context that a network is run in; single precision is single precision unless asked."""
    import torch

    with contextlib.ExitStack() as stack:
        if device.type == "cuda":
            stack.enter_context(_tf32("tf32" in ways))
        if "bf16" in ways:
            # What a recording refers to must outlive the context, and so be no cached conversion.
            kept = "graph" not in ways
            stack.enter_context(torch.autocast(device.type, torch.bfloat16, cache_enabled=kept))
        yield


@contextlib.contextmanager
def _tf32(allowed: bool) -> Iterator[None]:
    """Allow TF32 or not; torch itself allows it to convolutions unless told."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high" if allowed else "highest")
    try:
        with torch.backends.cudnn.flags(
            enabled=True,
            benchmark=torch.backends.cudnn.benchmark,
            deterministic=torch.backends.cudnn.deterministic,
            allow_tf32=allowed,
        ):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
