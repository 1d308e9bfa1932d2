"""Find the tensors of a network in a file, under whatever keys and prefixes it keeps them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from methods.weights.pickled import Inert, flat
from methods.weights.tensors import differences

if TYPE_CHECKING:
    import torch

    from methods.weights.tensors import Tensors


class Ambiguous(BenchError):
    """A file that holds the tensors of a network twice."""


def one_way(found: Any, own: Mapping[str, torch.Tensor], path: Path) -> Tensors:
    """Take the tensors that fit a network: bare, or below keys and prefixes, whatever they are.

    A generator alone, one of several networks (``state_dict/generator.``, ``netG/``), that of
    parallel training (``module.``), an averaged one (``params_ema/``), a TorchScript file: all are
    names with something before them.

    Args:
        found: What the file holds.
        own: The tensors of the network, by name; may be shapes alone.
        path: The file, for messages.

    Returns:
        Tensors by the network's names, perhaps unread; the nearest ones if none fit.

    Raises:
        Ambiguous: If there are several ways; it names them.
    """
    named = dict(flat(found))
    below = Counter(
        name[:cut]
        for name in named
        for cut in (0, *(joint.end() for joint in re.finditer(r"[./]", name)))
        if name[cut:] in own
    )
    ways = {prefix: _below(prefix, named, own) for prefix, _ in below.most_common()}
    fitting = [prefix for prefix, state in ways.items() if not differences(state, own)]
    if len(fitting) > 1:
        raise Ambiguous(
            f"{path}: has the tensors of the network in {len(fitting)} places: "
            f"{' and '.join(map(_in_words, fitting))}; which to take is not known. Save the one "
            "you mean in a file of its own"
        )
    nearest = next(iter(ways), "")
    return ways[fitting[0]] if fitting else ways.get(nearest, _below("", named, own))


def _below(prefix: str, named: Tensors, own: Mapping[str, torch.Tensor]) -> Tensors:
    within = {name.removeprefix(prefix): each
              for name, each in named.items() if name.startswith(prefix)}  # fmt: skip
    return {n: each for n, each in within.items() if n in own or not isinstance(each, Inert)}


def _in_words(prefix: str) -> str:
    return f"below {prefix.rstrip('/')}" if prefix else "bare"
