"""The devices of a training, by Lightning Fabric: one process each, with its share of a batch."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from torch import nn

from bench.errors import BenchError


class _Averaging(DDPStrategy):
    """Fabric's data parallelism, but for `DistributedDataParallel` around each network.

    That averages gradients while they are computed, and so has to see every use of a network. Here
    critics are used several times a step, some for a gradient of a gradient, and a stage leaves
    parts of its network at rest; so `Learner` averages when all gradients are there.
    """

    def setup_module(self, module: nn.Module) -> nn.Module:  # type: ignore[override]
        """Leave the network as it is."""
        return module


def connect(device: torch.device, count: int, precision: Any) -> Fabric:
    """Make the Fabric that a training runs on.

    Args:
        device: Where it runs; with several, their kind.
        count: How many.
        precision: As Fabric writes it.

    Raises:
        BenchError: If this machine does not have so many.
    """
    if count == 1:
        one: Any = 1 if device.index is None else [device.index]
        return Fabric(accelerator=device.type, devices=one, precision=precision)
    if device.index is not None:
        raise BenchError(
            f"--device {device}: expected a kind, such as {device.type}, for --devices {count}; "
            "the first of that kind are taken"
        )
    here = {"cuda": torch.cuda.device_count(), "cpu": count}.get(device.type, 1)
    if count > here:
        raise BenchError(f"--devices: expected at most the {here} of {device.type}, found {count}")
    strategy = _Averaging(start_method="spawn")
    return Fabric(accelerator=device.type, devices=count, strategy=strategy, precision=precision)
