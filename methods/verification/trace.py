"""Look at the layers of a network while it runs."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch


def traced(
    network: torch.nn.Module, names: Collection[str], *inputs: torch.Tensor
) -> tuple[Any, dict[str, torch.Tensor]]:
    """Run a network in eval mode, keeping what the modules of these names give.

    Names that no module has are left to the caller.
    """
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Any:
        return lambda module, arguments, output: seen.__setitem__(name, output)

    hooks = [
        module.register_forward_hook(keep(name))
        for name, module in network.named_modules()
        if name in names
    ]
    try:
        with torch.inference_mode():
            output = network.eval()(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return output, seen
