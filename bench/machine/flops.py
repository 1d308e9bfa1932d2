"""Floating-point operations of a piece of torch code, fast Fourier transforms included."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

T = TypeVar("T")
RULE = "rule 1: 2 a multiply-add, 5 N log2 N a complex Fourier transform, half of it a real one"


@dataclass(frozen=True)
class Operations:
    """What a piece of work took.

    Attributes:
        products: Operations of matrix products, convolutions and attention.
        fourier: Operations of Fourier transforms.
        traffic: Bytes that its operations read and wrote, each tensor each time, views left out:
            what must pass through memory while no operation is joined with the next.
    """

    products: int
    fourier: int
    traffic: int


def measure(work: Callable[[], T]) -> tuple[T, Operations]:
    """Run a piece of work and count its operations; a multiplication and an addition are two.

    Counted are matrix products, convolutions and attention by torch's own formulas, and Fourier
    transforms: 5 N log2 N for a complex transform of N points, half of it for a real one (the
    usual count of the FFTW benchmark). Everything else is cheap beside them and not counted.
    (torch's own counter knows no Fourier transform and cannot follow gradients of gradients.)

    Returns:
        What the work gave, and the counts.
    """
    with _Counter() as counter:
        done = work()
    return done, Operations(counter.products, counter.fourier, counter.traffic)


def count(work: Callable[[], T]) -> tuple[T, int]:
    """Run a piece of work; gives what it gave, and all its operations as `measure` counts them."""
    done, operations = measure(work)
    return done, operations.products + operations.fourier


class _Counter(TorchDispatchMode):
    """Look at every operation that reaches the library."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products = self.fourier = self.traffic = 0

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: Sequence[Any] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        named = named or {}
        packet = function._overloadpacket
        if packet not in _PRODUCTS and packet not in _FOURIER:
            with self:  # what is made of other operations is counted by these
                parts = function.decompose(*arguments, **named)
            if parts is not NotImplemented:
                return parts
        output = function(*arguments, **named)
        if packet in _FOURIER:
            self.fourier += _FOURIER[packet](*arguments)
        elif packet in _PRODUCTS:
            self.products += int(_PRODUCTS[packet](*arguments, **named, out_val=output))
        if not function.is_view:
            self.traffic += sum(map(_bytes, tree_leaves((arguments, named, output))))
        return output


def _bytes(leaf: Any) -> int:
    return leaf.numel() * leaf.element_size() if isinstance(leaf, torch.Tensor) else 0


def _complex(x: torch.Tensor, axes: Sequence[int], *_: Any) -> int:
    return _transforms(x.shape, axes)


def _real(x: torch.Tensor, axes: Sequence[int], *_: Any) -> int:
    return _transforms(x.shape, axes) // 2


def _to_real(x: torch.Tensor, axes: Sequence[int], norm: int, last: int) -> int:
    full = list(x.shape)
    full[axes[-1]] = last
    return _transforms(full, axes) // 2


def _transforms(shape: Sequence[int], axes: Sequence[int]) -> int:
    points = math.prod(shape[axis] for axis in axes)
    return round(5 * math.prod(shape) * math.log2(points))


_ATEN = torch.ops.aten
_PRODUCTS: dict[Any, Callable[..., int]] = {
    **flop_registry,
    # torch's registry lacks these two, which some processors take.
    _ATEN._scaled_dot_product_flash_attention_for_cpu: flop_registry[
        _ATEN._scaled_dot_product_flash_attention
    ],
    _ATEN._scaled_dot_product_flash_attention_for_cpu_backward: flop_registry[
        _ATEN._scaled_dot_product_flash_attention_backward
    ],
}
_FOURIER: dict[Any, Callable[..., int]] = {
    _ATEN._fft_c2c: _complex,
    _ATEN._fft_r2c: _real,
    _ATEN._fft_c2r: _to_real,
}
