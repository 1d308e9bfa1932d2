from __future__ import annotations

import torch
import torch.nn.functional as F

from methods.layers.elu import elu


def test_it_is_pytorchs_to_rounding():
    values = torch.cat([torch.linspace(-30, 30, 10_001), torch.tensor([-torch.inf, torch.inf])])
    with torch.inference_mode():
        assert torch.allclose(elu(values), F.elu(values), rtol=0, atol=1.2e-7)
    assert elu(torch.tensor([torch.nan])).isnan().all()


def test_gradients_and_other_numbers_are_pytorchs_own():
    values = torch.linspace(-3, 3, 101, requires_grad=True)
    (own,) = torch.autograd.grad(elu(values).sum(), values)
    (theirs,) = torch.autograd.grad(F.elu(values).sum(), values)
    assert torch.equal(own, theirs)
    for kind in (torch.bfloat16, torch.float64):
        assert torch.equal(elu(values.detach().to(kind)), F.elu(values.detach().to(kind)))


def test_its_input_is_left_alone():
    values = torch.linspace(-3, 3, 101)
    before = values.clone()
    elu(values)
    assert torch.equal(values, before)
