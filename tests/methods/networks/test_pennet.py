"""PEN-Net: its attention, and that all of it is trained."""

import torch

from methods.networks.pennet.network import AttentionTransfer, PyramidContextEncoder


def test_attention_takes_patches_from_clear_places_only():
    torch.manual_seed(0)
    low, high = torch.rand(1, 8, 16, 16), torch.rand(1, 4, 8, 8)
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., :32, :] = 1
    changed = low.clone()
    changed[..., :6, :] += 100  # far enough within the hole to be in no clear patch
    module = AttentionTransfer(8, 3, fuse=False)
    before, after = module(low, high, mask), module(changed, high, mask)
    assert (before - after).abs().max() < 1e-3
    assert module(low, high, 1 - mask)[..., :6, :].sub(before[..., :6, :]).abs().max() > 0.01


def test_attention_without_any_clear_place_gives_nearly_nothing():
    module = AttentionTransfer(4, 3, fuse=False)
    out = module(torch.rand(1, 4, 4, 4), torch.rand(1, 4, 2, 2), torch.ones(1, 1, 64, 64))
    assert 0 < out.abs().max() < 1e-7


def test_the_whole_network_is_trained_where_its_features_are_dead_too():
    network = PyramidContextEncoder((8, 8, 8, 8, 8, 8))
    mask = torch.zeros(2, 1, 128, 128)
    mask[..., 40:60, 20:90] = 1
    with torch.no_grad():
        network.dw_conv06[0].bias[:] = -100  # then all of its features are 0
    masked = torch.cat([torch.rand(2, 3, 128, 128) * (1 - mask) + mask, mask], 1)
    pyramid, output = network(masked, mask)
    (output.mean() + sum(picture.mean() for picture in pyramid)).backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())
    assert network.at_conv01.conv00[0].weight.grad.any()


def test_attention_is_as_sharp_in_half_precision_as_in_full():
    torch.manual_seed(0)
    high, mask = 30 * torch.randn(1, 16, 8, 8), torch.zeros(1, 1, 64, 64)
    module = AttentionTransfer(8, 3, fuse=False)
    expected = module._attention(high.bfloat16().float(), mask)
    with torch.autocast("cpu", torch.bfloat16):
        found = module._attention(high.bfloat16(), mask)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)
