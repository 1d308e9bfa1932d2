"""Contextual attention: against a plain implementation, and by its properties.

The reference outputs of three published code bases are met in `test_deepfill`.
"""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from bench.errors import InputError
from methods.layers.contextual import VARIANTS, Settings, attend, contextual_attention
from methods.layers.contextual.attention import prepare
from methods.layers.contextual.flow import flow_to_image, offsets
from methods.layers.contextual.sampling import resize
from tests.support.plain_attention import attention

DEFAULT = Settings(ksize=3, rate=1, fuse_k=3, softmax_scale=10.0, variant=VARIANTS["torch"])


def features(*shape, seed=0, scale=0.1, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=dtype) * scale


def boxes(items, height, width):
    """A hole for each item, at another place."""
    mask = torch.zeros(items, 1, height, width, dtype=torch.float64)
    for i in range(items):
        mask[i, :, height // 3 : height // 2 + 1, (1 + i) * 2 : (1 + i) * 2 + 3] = 1
    return mask


# Each of the next eleven failed in the unfinished function that this one replaces.


def test_nothing_is_copied_from_under_the_mask():
    b = features(1, 4, 12, 12)
    mask = torch.zeros(1, 1, 12, 12, dtype=torch.float64)
    mask[..., :6] = 1
    changed = b.clone()
    changed[..., :5] += 100  # no window that is clear of the mask holds these
    f = features(1, 4, 12, 12, seed=1)
    with_mask = [contextual_attention(f, x, mask, fuse=False)[0] for x in (b, changed)]
    without = [contextual_attention(f, x, fuse=False)[0] for x in (b, changed)]
    assert (with_mask[0] - with_mask[1]).abs().max() < 1e-12
    assert (without[0] - without[1]).abs().max() > 1


def test_the_result_has_the_documented_shapes():
    f, b = features(2, 4, 8, 12), features(2, 4, 16, 4, seed=1)
    output, flow = contextual_attention(f, b, rate=2)
    assert output.shape == f.shape
    assert flow.shape == (2, 3, 8, 12)
    assert 0 <= flow.min() <= flow.max() <= 1


@pytest.mark.parametrize("rate", [1, 2, 3, 4])
@pytest.mark.parametrize("fuse_k", [0, 3])
def test_every_rate_agrees_with_the_plain_form(rate, fuse_k):
    f, b = features(2, 3, 4 * rate, 6 * rate), features(2, 3, 4 * rate, 6 * rate, seed=1)
    mask = boxes(2, 4 * rate, 6 * rate)
    expected, _ = attention(f, b, mask, rate=rate, fuse_k=fuse_k)
    found, _ = contextual_attention(f, b, mask, rate=rate, fuse=bool(fuse_k))
    assert (found - expected).abs().max() < 1e-12


def test_keys_are_normalised_over_channels_and_window_together():
    b = features(1, 5, 6, 7, scale=1)
    tf = Settings(3, 1, 1, 1.0, VARIANTS["tf"])
    scores = prepare(b, b, None, tf).logits(0, 6).reshape(42, 42)
    windows = torch.nn.functional.unfold(b, 3, padding=1)[0]
    assert torch.allclose(scores.diagonal(), windows.norm(dim=0))
    port = prepare(b, b, None, Settings(3, 1, 1, 1.0, VARIANTS["torch"])).logits(0, 6)
    smoothed = (windows.square() + 1e-4).sum(0).sqrt()
    assert torch.allclose(port.reshape(42, 42).diagonal(), windows.square().sum(0) / smoothed)


def test_queries_are_not_normalised():
    f, b = features(1, 4, 6, 6), features(1, 4, 6, 6, seed=1)
    once, twice = (prepare(x, b, None, DEFAULT).logits(0, 6) for x in (f, 2 * f))
    assert torch.allclose(twice, 2 * once)


@pytest.mark.parametrize("sizes", [((12, 8), (8, 8)), ((8, 8), (12, 16)), ((2, 4), (6, 2))])
@pytest.mark.parametrize("fuse_k", [0, 3])
def test_queries_and_keys_may_differ_in_number(sizes, fuse_k):
    (h, w), (kh, kw) = sizes
    f, b, mask = features(2, 3, h, w), features(2, 3, kh, kw, seed=1), boxes(2, kh, kw)
    expected, _ = attention(f, b, mask, rate=2, fuse_k=fuse_k)
    found, _ = contextual_attention(f, b, mask, rate=2, fuse=bool(fuse_k))
    assert (found - expected).abs().max() < 1e-12


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_mask_takes_shares_from_keys_not_from_queries(variant):
    b, mask = features(1, 4, 6, 6), boxes(1, 6, 6)
    settings = Settings(3, 1, 3, 1.0, VARIANTS[variant])
    shares = prepare(b, b, mask, settings).shares(0, 6).reshape(36, 36)
    touched = torch.nn.functional.max_pool2d(mask, 3, 1, 1).flatten() > 0
    assert touched.any()
    assert (shares[:, touched] == 0).all()
    assert (shares[:, ~touched] > 0).all()
    # Masked keys stay in the denominator with a score of 0, but for MMagic.
    assert (shares.sum(1) < 1 - 1e-6).all() == (variant != "mmagic")
    if variant == "mmagic":
        assert torch.allclose(shares.sum(1), torch.ones(36, dtype=torch.float64))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_types_are_kept_with_and_without_a_mask(dtype):
    f = features(1, 4, 8, 8, scale=1).to(dtype)
    wide = f.to(torch.promote_types(dtype, torch.float32))
    for mask in (None, torch.zeros(1, 1, 8, 8)):
        output, flow = contextual_attention(f, f, mask, rate=2, softmax_scale=0.1)
        assert output.dtype == flow.dtype == dtype
        # Whatever comes in, scores are computed in float32 at least.
        exact, _ = contextual_attention(wide, wide, mask, rate=2, softmax_scale=0.1)
        assert torch.equal(output, exact.to(dtype))


@pytest.mark.parametrize(
    ("f", "b", "settings", "message"),
    [
        ((1, 4, 9, 8), (1, 4, 8, 8), {"rate": 2}, "multiples of rate 2"),
        ((1, 4, 8, 8), (1, 4, 8, 7), {"rate": 2}, "multiples of rate 2"),
        ((1, 4, 0, 8), (1, 4, 8, 8), {}, "multiples of rate 1"),
        ((1, 4, 8, 8), (1, 5, 8, 8), {}, "equal B and C"),
        ((2, 4, 8, 8), (1, 4, 8, 8), {}, "equal B and C"),
        ((4, 8, 8), (4, 8, 8), {}, "equal B and C"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"stride": 2}, "stride: expected 1"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"ksize": 2}, "odd ksize"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"fuse_k": 4}, "odd ksize and fuse_k"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"rate": 0}, "rate from 1"),
        ((1, 4, 2, 8), (1, 4, 8, 8), {"rate": 2, "fuse_k": 5}, "fuse_k: expected at most 3"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"variant": "jax"}, "torch, tf, mmagic, found 'jax'"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"strip_rows": 0}, "strip_rows"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"mask": torch.zeros(1, 1, 4, 4)}, "resolution of b"),
        ((1, 4, 8, 8), (1, 4, 8, 8), {"mask": torch.zeros(2, 1, 8, 8)}, "resolution of b"),
    ],
)
def test_what_does_not_fit_is_refused(f, b, settings, message):
    with pytest.raises(InputError, match=message):
        contextual_attention(torch.zeros(f), torch.zeros(b), **settings)


@pytest.mark.parametrize("training", [True, False])
def test_training_has_no_effect(training):
    f = features(1, 4, 6, 6)
    expected, _ = attention(f, f, torch.zeros(1, 1, 6, 6, dtype=torch.float64))
    assert torch.allclose(contextual_attention(f, f, training=training)[0], expected)


@pytest.mark.parametrize(("ksize", "fuse_k"), [(1, 3), (3, 5), (5, 3), (5, 7)])
def test_other_windows_agree_with_the_plain_form(ksize, fuse_k):
    f, b, mask = features(2, 3, 8, 10), features(2, 3, 8, 10, seed=1), boxes(2, 8, 10)
    expected, shares = attention(f, b, mask, ksize=ksize, fuse_k=fuse_k, softmax_scale=3.0)
    settings = Settings(ksize, 1, fuse_k, 3.0, VARIANTS["torch"])
    found, best = attend(f, b, mask, settings)
    assert (found - expected).abs().max() < 1e-12
    assert torch.equal(best.flatten(1), shares.argmax(1))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("fuse_k", [1, 3, 5])
@pytest.mark.parametrize("strip_rows", [1, 2, 3, 5])
def test_strips_give_the_same_result(variant, fuse_k, strip_rows):
    f, b, mask = features(2, 3, 14, 10), features(2, 3, 10, 14, seed=1), boxes(2, 10, 14)
    settings = Settings(3, 2, fuse_k, 10.0, VARIANTS[variant])
    whole, best = attend(f, b, mask, settings, strip_rows=7)
    output, best_of_strips = attend(f, b, mask, settings, strip_rows=strip_rows)
    assert (output - whole).abs().max() < 1e-12
    assert torch.equal(best, best_of_strips)


class Watch(TorchDispatchMode):
    """Counts operations and finds the largest tensor that one gives."""

    def __init__(self):
        super().__init__()
        self.operations, self.largest = 0, 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.operations += 1
        if isinstance(result, torch.Tensor):
            self.largest = max(self.largest, result.numel())
        return result


def watched(f, mask, strip_rows):
    with torch.inference_mode(), Watch() as watch:
        contextual_attention(f, f, mask, strip_rows=strip_rows)
    return watch


def test_strips_bound_the_largest_tensor():
    f = features(1, 2, 24, 8)
    assert watched(f, None, 24).largest >= 192 * 192
    # Two rows, three more on either side for matching and fusing twice.
    assert watched(f, None, 2).largest <= 192 * (2 + 6) * 8


def test_a_batch_takes_as_many_operations_as_one_item():
    one = watched(features(1, 2, 8, 8), boxes(1, 8, 8), 8).operations
    assert one == watched(features(5, 2, 8, 8), boxes(5, 8, 8), 8).operations


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_item_does_not_depend_on_the_batch(variant):
    f, mask = features(3, 4, 8, 12), boxes(3, 8, 12)
    together, flow = contextual_attention(f, f, mask, rate=2, variant=variant, normalise="item")
    for i in range(3):
        each = slice(i, i + 1)
        alone, alone_flow = contextual_attention(
            f[each], f[each], mask[each], 3, 1, 2, variant=variant
        )
        assert torch.allclose(together[each], alone, atol=1e-14)
        assert torch.equal(flow[each], alone_flow)


def test_one_mask_serves_a_batch():
    f, mask = features(2, 4, 8, 8), boxes(1, 8, 8)
    shared, _ = contextual_attention(f, f, mask)
    assert torch.equal(shared, contextual_attention(f, f, mask.expand(2, -1, -1, -1))[0])


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_to_copy_from_gives_zeros(variant):
    f = features(2, 4, 8, 8)
    mask = torch.ones(2, 1, 8, 8)
    mask[1] = 0
    output, flow = contextual_attention(f, f, mask, rate=2, variant=variant)
    assert (output[0] == 0).all()
    assert (output[1] != 0).any()
    assert torch.isfinite(output).all()
    assert torch.isfinite(flow).all()


def test_features_without_content_are_no_fault():
    zero = torch.zeros(1, 4, 8, 8, requires_grad=True)
    for variant in VARIANTS:
        output, _ = contextual_attention(zero, zero, rate=2, variant=variant)
        (gradient,) = torch.autograd.grad(output.sum(), zero)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("variant", ["torch", "tf"])
def test_the_border_of_pasted_windows_is_darker(variant):
    ones = torch.ones(1, 1, 8, 8)
    output = contextual_attention(ones, ones, fuse=False, rate=2, variant=variant)[0][0, 0]
    # Windows at the border of the values hold zeros too, but every key looks alike in the middle.
    sharp = torch.eye(8)[None, None] * 100 + 1
    exact = contextual_attention(sharp, sharp, fuse=False, rate=2, variant=variant)[0][0, 0]
    assert (output[1:-1, 1:-1] > output[0, 1:-1]).all()
    assert exact[0, 0] == pytest.approx(float(sharp[0, 0, 0, 0]) / 4)


def test_mmagic_divides_by_the_number_of_windows():
    sharp = torch.eye(8)[None, None] * 100 + 1
    output, _ = contextual_attention(sharp, sharp, fuse=False, rate=2, variant="mmagic")
    assert float(output[0, 0, 0, 0]) == pytest.approx(float(sharp[0, 0, 0, 0]))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("fuse", [True, False])
def test_gradients_are_right(variant, fuse):
    f = features(2, 2, 6, 8, scale=0.3).requires_grad_()
    b = features(2, 2, 6, 4, seed=1, scale=0.3).requires_grad_()
    mask = torch.zeros(2, 1, 6, 4)
    mask[0, :, :2, :2] = 1

    def output(f, b, rows):
        return contextual_attention(
            f, b, mask, 3, 1, 2, 3, 3.0, fuse=fuse, variant=variant, strip_rows=rows
        )[0]

    assert torch.autograd.gradcheck(lambda f, b: output(f, b, None), (f, b), fast_mode=True)
    whole = torch.autograd.grad(output(f, b, None).square().sum(), (f, b))
    strips = torch.autograd.grad(output(f, b, 1).square().sum(), (f, b))
    assert all(torch.allclose(one, other) for one, other in zip(whole, strips, strict=True))


def test_autocast_does_not_touch_the_matching():
    f = features(1, 8, 8, 8, scale=3, dtype=torch.float32)
    expected, _ = contextual_attention(f, f, rate=2)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = contextual_attention(f, f, rate=2)
    assert torch.equal(found, expected)


def test_inputs_are_left_alone():
    f, mask = features(1, 4, 8, 8), boxes(1, 8, 8)
    before = f.clone(), mask.clone()
    with torch.inference_mode():
        contextual_attention(f, f, mask)
    assert torch.equal(f, before[0])
    assert torch.equal(mask, before[1])


def test_the_corner_aligned_half_takes_even_then_odd_pixels():
    row = torch.arange(16.0)[None]
    assert resize(row, (1, 8), corners=True).tolist() == [[0, 2, 4, 6, 9, 11, 13, 15]]
    assert resize(row, (1, 8)).tolist() == [[0, 2, 4, 6, 8, 10, 12, 14]]
    assert resize(row, (1, 1), corners=True).tolist() == [[0]]
    assert resize(torch.arange(2.0)[None], (1, 6), corners=True).tolist() == [[0, 0, 0, 1, 1, 1]]


def test_offsets_count_from_the_query():
    best = torch.tensor([[[0, 5], [4, 3]]])
    down, right = offsets(best.repeat(1, 1, 3)[:, :, :2], (2, 2))[0]
    assert down.tolist() == [[0, 2], [1, 0]]
    assert right.tolist() == [[0, 0], [0, 0]]


def test_the_wheel_has_its_colours_in_their_places():
    # Rows down, columns to the right, one pixel each way.
    flow = torch.tensor([[0, 0], [-9, 0], [9, 0], [0, -9], [0, 9]])
    picture = flow_to_image(flow.view(5, 2, 1, 1), "item").flatten(1) * 255
    # By hand: entries 28, 1, 41.5 and 14.5 of the wheel, counted from 1.
    expected = [[255, 255, 255], [0, 209, 255], [255, 0, 0], [88, 0, 255], [255, 229.5, 0]]
    assert (picture - torch.tensor(expected)).abs().max() <= 1


def test_farther_is_deeper():
    flow = torch.zeros(1, 2, 1, 5)
    flow[0, 0, 0] = torch.tensor([0.0, 1, 2, 3, 4])
    least = flow_to_image(flow).amin(1).flatten()
    assert least[0] == 1
    assert (least[1:] < least[:-1]).all()


def test_a_running_maximum_scales_later_items_by_earlier_ones():
    near, far = torch.zeros(1, 2, 1, 2), torch.zeros(1, 2, 1, 2)
    near[0, 0, 0, 0], far[0, 0, 0, 0] = 1, 10
    alone = flow_to_image(near)
    assert torch.equal(flow_to_image(torch.cat([near, far]))[:1], alone)
    assert not torch.equal(flow_to_image(torch.cat([far, near]))[1:], alone)
    assert torch.equal(flow_to_image(torch.cat([far, near]), "item")[1:], alone)


def test_places_too_far_away_count_as_not_moved():
    flow = torch.zeros(1, 2, 1, 2)
    flow[0, 1, 0, 0] = 2e7
    assert (flow_to_image(flow) == 1).all()
