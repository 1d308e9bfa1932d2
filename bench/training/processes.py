"""What the processes of a training have to agree on; one that is alone agrees with itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import distributed


def mean(values: torch.Tensor) -> torch.Tensor:
    """Mean of a tensor over all processes, the same in each of them; no gradient flows through."""
    values = values.detach()
    if not _several():
        return values
    total = values.clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()


def average(tensors: Sequence[torch.Tensor]) -> None:
    """Put the mean over all processes in the place of each tensor, in one exchange."""
    if not _several():
        return
    flat = mean(torch.cat([each.flatten() for each in tensors]))
    parts = flat.split([each.numel() for each in tensors])
    for each, part in zip(tensors, parts, strict=True):
        each.copy_(part.view(each.shape))


def leave() -> None:
    """Leave the other processes, before this one ends.

    Threads of gloo may still hold the last exchange's tensors; to free one they need Python's lock,
    and in an interpreter that is ending this aborts the process. Fabric only does so for NCCL.
    """
    if _several():
        distributed.destroy_process_group()


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized()
