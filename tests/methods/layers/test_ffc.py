"""Fast Fourier convolution: values, missing parts, precision, gradients, the lean copy."""

import numpy as np
import pytest
import torch
from torch import nn

from methods.layers.ffc import (
    FFC,
    FFCBNAct,
    FFCResBlock,
    FourierUnit,
    Join,
    SpectralTransform,
    split,
)
from methods.layers.ffc_attention import FFCChannelAttention, FFCSpatialAttention
from methods.layers.ffc_lean import Lean
from methods.verification import Part


def filled(module, gain=1.0):
    Part("module", None, "module", "", {"": gain}).fill(module)
    return module.eval()


def pair(height=8, width=12, near=8, far=24, batch=1, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, near + far, height, width)
    return tuple((torch.rand(shape, generator=generator) * 2 - 1).split((near, far), 1))


def numpy_fourier_unit(unit, x):
    """The same by definition, in float64."""
    weight = unit.conv_layer.weight.detach().numpy()[:, :, 0, 0].astype(np.float64)
    norm = {
        name: tensor.numpy().astype(np.float64) for name, tensor in unit.bn.state_dict().items()
    }
    spectrum = np.fft.rfft2(x.numpy().astype(np.float64), norm="ortho")
    out = np.zeros((len(x), len(weight), *spectrum.shape[2:]))
    for channel in range(x.shape[1]):
        for offset, part in enumerate((spectrum.real, spectrum.imag)):
            column = weight[:, 2 * channel + offset]
            out += column[None, :, None, None] * part[:, channel, None]
    scale = norm["weight"] / np.sqrt(norm["running_var"] + 1e-5)
    out = (out - norm["running_mean"][:, None, None]) * scale[:, None, None]
    out = np.maximum(out + norm["bias"][:, None, None], 0)
    return np.fft.irfft2(out[:, 0::2] + 1j * out[:, 1::2], s=x.shape[-2:], norm="ortho")


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (6, 1)])
def test_a_fourier_unit_is_a_convolution_of_the_spectrum(size):
    unit = filled(FourierUnit(3, 5))
    x = torch.rand(2, 3, *size) * 2 - 1
    with torch.inference_mode():
        found = unit(x)
    assert np.abs(found.numpy() - numpy_fourier_unit(unit, x)).max() < 1e-5


def test_one_fourier_unit_sees_the_whole_picture():
    unit = filled(FourierUnit(2, 2))
    x = torch.rand(1, 2, 16, 16)
    changed = x.clone()
    changed[..., 0, 0] += 1
    with torch.inference_mode():
        moved = (unit(changed) - unit(x)).abs()
    assert (moved > 1e-6).float().mean() > 0.99


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_fourier_unit_computes_in_full_precision_whatever_is_around_it(dtype):
    unit = filled(FourierUnit(4, 4))
    x = torch.rand(1, 4, 6, 10).to(dtype)
    with torch.inference_mode():
        expected = unit(x.float())
        with torch.autocast("cpu", torch.bfloat16):
            found = unit(x)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


def test_a_residual_block_runs_and_learns_under_autocast():
    block = FFCResBlock(16, 0.75)
    with torch.autocast("cpu", torch.bfloat16):
        near, far = block(pair(near=4, far=12, batch=2))
    (near.float().mean() + far.float().mean()).backward()
    assert all(parameter.grad.isfinite().all() for parameter in block.parameters())


def test_gradients_of_a_spectral_transform_are_right():
    torch.manual_seed(0)
    module = SpectralTransform(2, 4).double().eval()
    x = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, (x,))


@pytest.mark.parametrize("shape", [(1, 8, 4, 6), (1, 8, 5, 5), (1, 6, 4, 4)])
def test_quadrants_are_refused_where_there_are_none(shape):
    channels = shape[1]
    module = SpectralTransform(4, 2 * channels, enable_lfu=True).eval()
    with pytest.raises(ValueError, match="expected square maps of even side"):
        module(torch.rand(shape[0], 4, *shape[2:]))


def test_shares_are_rounded_down_as_floats_are():
    assert split(100, 0.29) == (72, 28)
    assert split(512, 0.75) == (128, 384)
    assert split(7, 0) == (7, 0)
    assert split(7, 1) == (0, 7)


def test_a_part_without_channels_is_zero_and_has_no_path():
    near, far = pair(near=8, far=8)
    only_local = FFC(8, 4, 3, 0, 0, padding=1)
    assert only_local.convl2g is only_local.convg2l is only_local.convg2g is None
    assert only_local((near, 0))[1] == 0
    only_global = FFC(8, 4, 3, 1, 1, padding=1)
    assert only_global((0, far))[0] == 0
    opened = FFCBNAct(8, 8, 3, 0, 0.5, stride=2, padding=1)
    assert [tuple(part.shape) for part in opened(near)] == [(1, 4, 4, 6), (1, 4, 4, 6)]


def test_a_part_is_the_sum_of_its_two_paths():
    near, far = pair()
    module = filled(FFC(32, 32, 3, 0.75, 0.75, padding=1))
    with torch.inference_mode():
        whole = module((near, far))
        alone = module((near, torch.zeros_like(far))), module((torch.zeros_like(near), far))
    assert torch.allclose(whole[0], alone[0][0] + alone[1][0], atol=1e-5)
    assert not torch.allclose(whole[0], alone[0][0], atol=1e-2)


def network(attention=False):
    ca, sa = (FFCChannelAttention(32, 0.75), FFCSpatialAttention()) if attention else (None, None)
    layers = [
        nn.ReflectionPad2d(3),
        FFCBNAct(4, 16, 7),
        FFCBNAct(16, 32, 3, 0, 0.75, stride=2, padding=1),
        FFCResBlock(32, 0.75, ca, sa),
        Join(),
        nn.ConvTranspose2d(32, 16, 3, 2, 1, 1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ReflectionPad2d(3),
        nn.Conv2d(16, 3, 7),
        nn.Sigmoid(),
    ]
    return filled(nn.Sequential(*layers))


@pytest.mark.parametrize("attention", [False, True])
@pytest.mark.parametrize("shape", [(1, 4, 16, 16), (3, 4, 18, 26), (1, 4, 6, 30)])
def test_the_lean_copy_computes_the_same(attention, shape):
    plain = network(attention)
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    given = x.clone()
    with torch.inference_mode():
        expected, found = plain(x), Lean(plain)(x)
    assert expected.std() > 1e-3
    assert (found - expected).abs().max() < 2e-6
    assert found.is_contiguous()
    assert torch.equal(x, given)


@pytest.mark.parametrize("kept", ["ca", "sa"])
def test_the_lean_copy_takes_either_attention_alone(kept):
    plain = network(attention=True)
    for block in plain.modules():
        if isinstance(block, FFCResBlock):
            setattr(block, "sa" if kept == "ca" else "ca", None)
    x = torch.rand((1, 4, 16, 16), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected, found, without = plain(x), Lean(plain)(x), network()(x)
    assert (found - expected).abs().max() < 2e-6
    assert (found - without).abs().max() > 1e-4


def test_the_lean_copy_leaves_the_network_as_it_was_and_has_nothing_to_train():
    plain = network()
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    lean = Lean(plain)
    with torch.inference_mode():
        lean(torch.rand(1, 4, 16, 16))
    after = plain.state_dict()
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert all(parameter.requires_grad for parameter in plain.parameters())
    assert not any(parameter.requires_grad for parameter in lean.parameters())


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (nn.Dropout(), "expected layers of LaMa, found Dropout"),
        (nn.BatchNorm2d(3), "expected layers of LaMa, found BatchNorm2d"),
        (nn.Conv2d(3, 3, 3, padding=1), "expected a bias, no padding"),
        (FFCBNAct(8, 8, 3, 1, 1, padding=1), "expected a local part"),
        (FFCBNAct(8, 8, 3, 0.5, 0.5, stride=2, padding=1), "without LFU and stride"),
    ],
)
def test_what_has_no_lean_form_is_refused(layer, message):
    with pytest.raises(ValueError, match=message):
        Lean(nn.Sequential(nn.Sigmoid(), layer).eval())


def test_a_network_in_training_mode_has_no_lean_form():
    with pytest.raises(ValueError, match="expected a network in eval mode"):
        Lean(network().train())
