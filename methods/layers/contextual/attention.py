"""Contextual attention as a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from bench.errors import InputError
from methods.layers.contextual.flow import enlarge, flow_to_image, offsets
from methods.layers.contextual.matching import Matching, clear, key_weights
from methods.layers.contextual.pasting import Canvas
from methods.layers.contextual.sampling import resize

# Scores of one strip of queries, small enough for a cache. Fewer rows than these would not pay:
# each strip needs the scores of up to three more rows on both sides.
_STRIP_BYTES = 2 << 20
_STRIP_ROWS = 8


@dataclass(frozen=True)
class Variant:
    """What published code bases do differently.

    Attributes:
        corners: Features are thinned out with the corners kept, as in TensorFlow 1.
        smoothed: Keys are divided by a norm that 1e-4 is added to element by element; otherwise
            by a norm of at least 1e-4.
        masked_logit: What keys that may not be copied have in the softmax.
        overlaps: Pasted windows are divided by how many overlap; otherwise by 4, which leaves
            the border darker.
    """

    corners: bool = False
    smoothed: bool = False
    masked_logit: float = 0.0
    overlaps: bool = False


VARIANTS = {
    "torch": Variant(smoothed=True),
    "tf": Variant(corners=True),
    "mmagic": Variant(masked_logit=float("-inf"), overlaps=True),
}


@dataclass(frozen=True)
class Settings:
    """How to attend; the fields are as in `contextual_attention`, and ``fuse_k`` 1 is no fusing.

    Raises:
        InputError: If a number makes no sense.
    """

    ksize: int
    rate: int
    fuse_k: int
    softmax_scale: float
    variant: Variant

    def __post_init__(self) -> None:
        """Refuse what has no middle."""
        ksize, rate, fuse_k = self.ksize, self.rate, self.fuse_k
        if rate < 1 or ksize < 1 or fuse_k < 1 or not (ksize % 2 and fuse_k % 2):
            raise InputError(
                "expected rate from 1 and odd ksize and fuse_k from 1, found "
                f"rate {rate}, ksize {ksize}, fuse_k {fuse_k}"
            )


def contextual_attention(
    f: torch.Tensor,
    b: torch.Tensor,
    mask: torch.Tensor | None = None,
    ksize: int = 3,
    stride: int = 1,
    rate: int = 1,
    fuse_k: int = 3,
    softmax_scale: float = 10.0,
    training: bool = True,
    fuse: bool = True,
    *,
    variant: str = "torch",
    normalise: Literal["running", "item"] = "running",
    strip_rows: int | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Rebuild features from patches of others (Yu et al., CVPR 2018, section 4.1).

    Each window of ``f`` is compared with all windows of ``b``; a softmax of the scores says how
    much of each patch of ``b`` is pasted there. Scores of neighbours support each other (`fuse`).
    Queries are not normalised, unlike in the paper's formula: no published code does it.

    Differentiable but for the flow. Without gradients, only the scores of one strip of queries are
    held at a time.

    Args:
        f: Queries, ``(B, C, Hf, Wf)``; sides are multiples of ``rate``.
        b: Keys and values, ``(B, C, Hb, Wb)``, likewise.
        mask: ``(B, 1, Hb, Wb)`` or ``(1, 1, Hb, Wb)``; what is above 0 may not be copied, nor
            windows that touch it. Such keys have the score 0 in the softmax (variant mmagic:
            none), and their share is lost.
        ksize: Side of the windows that are compared, odd.
        stride: 1; published code works with no other.
        rate: By how much features are thinned out before they are compared.
        fuse_k: How many neighbours support each other, odd.
        softmax_scale: Factor of the scores.
        training: Without effect, as in all published code.
        fuse: Whether neighbours support each other.
        variant: Out of `VARIANTS`: ``torch`` (daa233's port), ``tf`` (official), ``mmagic``.
        normalise: How colours of the flow are scaled, see `flow_to_image`.
        strip_rows: Rows of queries in a strip, of ``Hf / rate``; by default as many as are quick.
            The result does not depend on it.

    Returns:
        The output, like ``f``, and the flow: a picture ``(B, 3, Hf, Wf)`` in ``[0, 1]`` that shows
        by its colour where each patch was mostly taken from.

    Raises:
        InputError: If shapes or settings do not fit.
    """
    if variant not in VARIANTS:
        raise InputError(f"variant: expected one of {', '.join(VARIANTS)}, found {variant!r}")
    if stride != 1:
        raise InputError(f"stride: expected 1, one key for each position, found {stride}")
    settings = Settings(ksize, rate, fuse_k if fuse else 1, softmax_scale, VARIANTS[variant])
    output, best = attend(f, b, mask, settings, strip_rows)
    moved = offsets(best, (b.shape[2] // rate, b.shape[3] // rate))
    flow = enlarge(flow_to_image(moved, normalise), rate, VARIANTS[variant].corners)
    return output, flow.to(f.dtype)


def attend(
    f: torch.Tensor,
    b: torch.Tensor,
    mask: torch.Tensor | None,
    settings: Settings,
    strip_rows: int | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Do the same as `contextual_attention`, without drawing.

    Returns:
        The output, and for each query the index of the key with the largest share,
        ``(B, Hf / rate, Wf / rate)``.
    """
    _check(f, b, mask, settings)
    if strip_rows is not None and strip_rows < 1:
        raise InputError(f"strip_rows: expected 1 or more, found {strip_rows}")
    with torch.autocast(f.device.type, enabled=False):  # scores reach hundreds
        matching = prepare(f, b, mask, settings)
        height, width = matching.queries.shape[2:]
        canvas = Canvas(b.to(matching.keys.dtype), height, width, settings.rate)
        rows = strip_rows or _quick_rows(matching)
        best = []
        for first in range(0, height, rows):
            shares = matching.shares(first, min(first + rows, height))
            best.append(shares.detach().flatten(3).argmax(-1))
            canvas.paste(shares, first)
        output = canvas.picture(settings.variant.overlaps)
    return output.to(f.dtype), torch.cat(best, 1)


def prepare(
    f: torch.Tensor, b: torch.Tensor, mask: torch.Tensor | None, settings: Settings
) -> Matching:
    """Thin out queries, keys and mask, in float32 at least."""
    rate, rules = settings.rate, settings.variant
    dtype = torch.promote_types(f.dtype, torch.float32)
    size = b.shape[2] // rate, b.shape[3] // rate
    queries = resize(f.to(dtype), (f.shape[2] // rate, f.shape[3] // rate), rules.corners)
    keys = resize(b.to(dtype), size, rules.corners)
    covered = b.new_zeros(1, 1, *size) if mask is None else resize(mask, size, rules.corners)
    return Matching(
        queries,
        keys,
        key_weights(keys, settings.ksize, rules.smoothed),
        clear((covered > 0).to(dtype), settings.ksize).expand(len(b), -1, -1),
        settings.ksize,
        settings.fuse_k,
        settings.softmax_scale,
        # Where nothing may be copied, minus infinity would give NaN; this gives nothing.
        max(rules.masked_logit, torch.finfo(dtype).min),
    )


def _quick_rows(matching: Matching) -> int:
    items, _, height, width = matching.queries.shape
    if torch.is_grad_enabled() and (matching.queries.requires_grad or matching.keys.requires_grad):
        return height  # all scores are kept anyway
    row_bytes = items * width * matching.valid.shape[2] * matching.keys.element_size()
    return max(_STRIP_ROWS, _STRIP_BYTES // row_bytes)


def _check(f: torch.Tensor, b: torch.Tensor, mask: torch.Tensor | None, settings: Settings) -> None:
    if f.ndim != 4 or b.ndim != 4 or f.shape[:2] != b.shape[:2]:
        raise InputError(
            "f and b: expected (B, C, H, W) with equal B and C, found "
            f"{tuple(f.shape)} and {tuple(b.shape)}"
        )
    sides, rate = (*f.shape[2:], *b.shape[2:]), settings.rate
    if any(side % rate or side == 0 for side in sides):
        raise InputError(f"sides of f and b: expected multiples of rate {rate}, found {sides}")
    rows = min(f.shape[2], b.shape[2]) // rate
    if settings.fuse_k // 2 > rows:
        raise InputError(
            f"fuse_k: expected at most {2 * rows + 1} for {rows} rows of windows, found "
            f"{settings.fuse_k}"
        )
    expected = (len(b), 1, *b.shape[2:])
    if mask is not None and mask.shape not in (expected, (1, *expected[1:])):
        raise InputError(
            f"mask: expected {expected} or {(1, *expected[1:])}, the resolution of b, found "
            f"{tuple(mask.shape)}"
        )
