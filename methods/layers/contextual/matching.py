"""How much every query looks like every key: the first half of contextual attention.

The windows that are compared overlap, so the inner product of two windows is a sum of products of
pixels that other pairs of windows share. One matrix of all products of pixels is computed, and
the sums over windows are additions of that matrix to itself, shifted. This takes a ninth of the
multiplications of comparing windows, and no copy of the windows.

Shapes here: batch, rows and columns of the queries, rows and columns of the keys.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Matching:
    """Queries and keys, ready to be compared strip by strip.

    Attributes:
        queries: ``(B, C, h, w)``.
        keys: ``(B, C, h', w')``.
        weights: ``(B, 1, h' w')``, one over the norm of each key's window.
        valid: ``(B, 1, h' w')``, False for keys that may not be copied.
        ksize: Side of the windows, odd.
        fuse_k: How many neighbours in a row support each other, odd; 1 for none.
        scale: Factor of the scores in the softmax.
        masked_logit: Takes the place of the score of keys that may not be copied.
    """

    queries: torch.Tensor
    keys: torch.Tensor
    weights: torch.Tensor
    valid: torch.Tensor
    ksize: int
    fuse_k: int
    scale: float
    masked_logit: float

    def shares(self, first: int, last: int) -> torch.Tensor:
        """Attention of the queries in rows ``first`` to ``last - 1``.

        Returns:
            ``(B, last - first, w, h', w')``; what keys that may not be copied would get is lost,
            so that the shares of a query can sum to less than 1.
        """
        shares = torch.softmax(self.logits(first, last).flatten(3), -1)
        valid = self.valid[:, :, None]
        # The softmax needs its result for gradients.
        shares = shares * valid if shares.requires_grad else shares.mul_(valid)
        return shares.unflatten(3, self.keys.shape[2:])

    def logits(self, first: int, last: int) -> torch.Tensor:
        """What the softmax is taken of, ``(B, last - first, w, h', w')``."""
        scores = self._column_fused(first, last) if self.fuse_k > 1 else self._scores(first, last)
        valid = self.valid.view(len(scores), 1, 1, *self.keys.shape[2:])
        if self.masked_logit == 0:
            return scores.mul_(valid.to(scores.dtype) * self.scale)
        # Not torch.where, which copies a number to the device: no CUDA graph can hold that.
        return (scores * self.scale).masked_fill_(~valid, self.masked_logit)

    def _column_fused(self, first: int, last: int) -> torch.Tensor:
        """Scores, fused along rows and then along columns."""
        height, width = self.queries.shape[2:]
        key_height, key_width = self.keys.shape[2:]
        reach = self.fuse_k // 2
        top, bottom = max(first - reach, 0), min(last + reach, height)
        once = self._row_fused(top, bottom)
        total = once[:, first - top : last - top].clone()
        for shift, query_turn, key_turn in _with_turns(reach):
            # Column by column, the pixel after the last of a column is the first of the next.
            to_y, from_y = _shifted(first, last, 0, height, shift - query_turn * height)
            if to_y.start >= to_y.stop:
                continue
            # The other end of the columns may lie outside of the strip.
            inside = top <= from_y.start and from_y.stop <= bottom
            source = (
                once[:, from_y.start - top : from_y.stop - top]
                if inside
                else self._row_fused(from_y.start, from_y.stop)
            )
            to_x, from_x = _shifted(0, width, 0, width, query_turn)
            to_key_y, from_key_y = _shifted(
                0, key_height, 0, key_height, shift - key_turn * key_height
            )
            to_key_x, from_key_x = _shifted(0, key_width, 0, key_width, key_turn)
            total[:, to_y, to_x, to_key_y, to_key_x] += source[:, :, from_x, from_key_y, from_key_x]
        return total

    def _row_fused(self, first: int, last: int) -> torch.Tensor:
        """Scores, fused along rows; the pixel after the last of a row is the first of the next."""
        height, width = self.queries.shape[2:]
        count = self.keys.shape[2:].numel()
        reach = self.fuse_k // 2
        rows = -(-reach // width)
        top, bottom = max(first - rows, 0), min(last + rows, height)
        scores = self._scores(top, bottom)
        total = scores[:, first - top : last - top].clone()
        flat, flat_scores = total.view(len(total), -1, count), scores.view(len(scores), -1, count)
        for shift in _shifts(reach):
            to_query, from_query = _shifted(
                first * width, last * width, top * width, bottom * width, shift
            )
            to_key, from_key = _shifted(0, count, 0, count, shift)
            flat[:, to_query, to_key] += flat_scores[:, from_query, from_key]
        return total

    def _scores(self, first: int, last: int) -> torch.Tensor:
        """Inner products of windows, over the norm of the key's."""
        (height, width), (key_height, key_width) = self.queries.shape[2:], self.keys.shape[2:]
        reach = self.ksize // 2
        top, bottom = max(first - reach, 0), min(last + reach, height)
        pixels = self.queries[:, :, top:bottom].flatten(2).transpose(1, 2)
        products = (pixels @ self.keys.flatten(2)).view(
            -1, bottom - top, width, *self.keys.shape[2:]
        )
        rows = products[:, first - top : last - top].clone()
        for shift in _shifts(reach):
            to_y, from_y = _shifted(first, last, top, bottom, shift)
            to_key, from_key = _shifted(0, key_height, 0, key_height, shift)
            rows[:, to_y, :, to_key] += products[:, from_y, :, from_key]
        del products
        both = rows.clone()
        for shift in _shifts(reach):
            to_x, from_x = _shifted(0, width, 0, width, shift)
            to_key, from_key = _shifted(0, key_width, 0, key_width, shift)
            both[:, :, to_x, :, to_key] += rows[:, :, from_x, :, from_key]
        return both * self.weights.view(-1, 1, 1, key_height, key_width)


def key_weights(keys: torch.Tensor, ksize: int, smoothed: bool) -> torch.Tensor:
    """One over the norm of the window around each key.

    Args:
        keys: ``(B, C, h', w')``.
        ksize: Side of the windows.
        smoothed: Whether 1e-4 is added to each square; otherwise the norm is 1e-4 at least.

    Returns:
        ``(B, 1, h' w')``.
    """
    squares = keys.square().sum(1, keepdim=True)
    sums = F.avg_pool2d(squares, ksize, 1, ksize // 2, divisor_override=1).flatten(2)
    if smoothed:
        return (sums + keys.shape[1] * ksize**2 * 1e-4).rsqrt()
    return sums.clamp_min(1e-8).rsqrt()  # within the root, whose slope at 0 is infinite


def clear(mask: torch.Tensor, ksize: int) -> torch.Tensor:
    """Tell which windows hold nothing of a mask: ``(B, 1, h', w')`` to bool ``(B, 1, h' w')``."""
    return F.max_pool2d(mask, ksize, 1, ksize // 2).flatten(2) == 0


def _shifts(reach: int) -> Iterator[int]:
    return (shift for shift in range(-reach, reach + 1) if shift)


def _with_turns(reach: int) -> Iterator[tuple[int, int, int]]:
    """Shifts, each without and with a turn of the queries and of the keys into another column."""
    for shift in _shifts(reach):
        sign = 1 if shift > 0 else -1
        for query_turn in (0, sign):
            for key_turn in (0, sign):
                yield shift, query_turn, key_turn


def _shifted(first: int, last: int, low: int, high: int, shift: int) -> tuple[slice, slice]:
    """Where ``i`` in ``first..last`` has ``i + shift`` in ``low..high``.

    Returns:
        The former, counted from ``first``, and the latter, counted from ``low``.
    """
    start = max(first, low - shift)
    stop = max(start, min(last, high - shift))
    return slice(start - first, stop - first), slice(start + shift - low, stop + shift - low)
