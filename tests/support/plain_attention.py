"""Contextual attention written down plainly: windows cut out, convolved, pasted; item by item."""

import torch
import torch.nn.functional as F


def same(planes, window, step):
    pads = []
    for length in (planes.shape[3], planes.shape[2]):
        outputs = -(-length // step)
        total = max(0, (outputs - 1) * step + window - length)
        pads += [total // 2, total - total // 2]
    return F.pad(planes, pads)


def windows(planes, window, step):
    """Filters (L, C, window, window) of one item."""
    columns = F.unfold(same(planes, window, step), window, stride=step)
    return columns[0].T.reshape(-1, planes.shape[1], window, window)


def fused(scores, keys, queries, fuse_k):
    """Scores (L, N), twice convolved with an identity matrix."""
    (kh, kw), (h, w) = keys, queries
    identity = torch.eye(fuse_k, dtype=scores.dtype)[None, None]
    scores = F.conv2d(scores[None, None], identity, padding=fuse_k // 2)
    scores = scores.view(kh, kw, h, w).permute(1, 0, 3, 2).reshape(1, 1, kh * kw, h * w)
    scores = F.conv2d(scores, identity, padding=fuse_k // 2)
    return scores.view(kw, kh, w, h).permute(1, 0, 3, 2).reshape(kh * kw, h * w)


def one_item(f, b, mask, ksize, rate, fuse_k, softmax_scale):
    values = windows(b, 2 * rate, rate)
    small_f, small_b = f[..., ::rate, ::rate], b[..., ::rate, ::rate]
    keys = windows(small_b, ksize, 1)
    norms = (keys.square() + 1e-4).sum((1, 2, 3), keepdim=True).sqrt()
    scores = F.conv2d(same(small_f, ksize, 1), keys / norms)[0].flatten(1)
    h, w = small_f.shape[2:]
    if fuse_k:
        scores = fused(scores, small_b.shape[2:], (h, w), fuse_k)
    small_mask = mask[..., ::rate, ::rate]
    valid = (windows(small_mask, ksize, 1).mean((1, 2, 3)) == 0).to(scores.dtype)[:, None]
    shares = torch.softmax(softmax_scale * scores * valid, 0) * valid
    pasted = F.conv_transpose2d(shares.view(1, -1, h, w), values, stride=rate) / 4
    start = rate // 2
    return pasted[..., start : start + f.shape[2], start : start + f.shape[3]], shares


def attention(f, b, mask, ksize=3, rate=1, fuse_k=3, softmax_scale=10.0):
    """Output, and shares (B, L, N), of variant torch; fuse_k 0 for no fusing."""
    items = [
        one_item(f[i : i + 1], b[i : i + 1], mask[i : i + 1], ksize, rate, fuse_k, softmax_scale)
        for i in range(len(f))
    ]
    outputs, shares = zip(*items, strict=True)
    return torch.cat(outputs), torch.stack(shares)
