"""Floating-point operations against counts by hand."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench.machine import flops


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (lambda: torch.ones(3, 4) @ torch.ones(4, 5), 2 * 3 * 4 * 5),
        (lambda: F.conv2d(torch.ones(2, 3, 8, 8), torch.ones(4, 3, 3, 3)), 2 * 2 * 36 * 4 * 27),
        (lambda: torch.fft.fft2(torch.ones(2, 8, 4) + 0j), 2 * 5 * 32 * 5),
        (lambda: torch.fft.rfft2(torch.ones(2, 8, 4)), 2 * 5 * 32 * 5 // 2),
        (lambda: torch.fft.irfft2(torch.ones(2, 8, 3) + 0j, s=(8, 4)), 2 * 5 * 32 * 5 // 2),
        (lambda: torch.ones(5) + 1, 0),
    ],
)
def test_counts_by_hand(work, expected):
    output, found = flops.count(work)
    assert isinstance(output, torch.Tensor)
    assert found == expected


def test_attention_is_counted_however_it_is_computed():
    q = torch.ones(1, 2, 16, 8)
    _, found = flops.count(lambda: F.scaled_dot_product_attention(q, q, q))
    assert found == 2 * 2 * 2 * 16 * 16 * 8


def test_backward_costs_twice_forward_but_for_the_first_layers_input():
    layers = nn.Sequential(nn.Conv2d(2, 4, 3), nn.Conv2d(4, 2, 3))
    x = torch.ones(1, 2, 9, 9)
    _, forward = flops.count(lambda: layers(x))
    _, both = flops.count(lambda: layers(x).sum().backward())
    first = 2 * 49 * 4 * 18
    assert both == 3 * forward - first


def test_gradients_of_gradients_are_followed():
    x = torch.ones(1, 1, 6, 6, requires_grad=True)
    weight = torch.ones(1, 1, 3, 3, requires_grad=True)

    def penalty():
        (slope,) = torch.autograd.grad(F.conv2d(x, weight).square().sum(), x, create_graph=True)
        slope.square().sum().backward()

    _, found = flops.count(penalty)
    assert found > 2 * 16 * 9 * 3
    assert math.isfinite(found)
