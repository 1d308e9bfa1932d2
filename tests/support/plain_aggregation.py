"""Residual aggregation as it is described, all patches of the whole canvas at once."""

import cv2
import numpy as np

CELLS = 32


def keys_clear_of(hole):
    """Which cells and their neighbours hold no hole: ``(32, 32)``."""
    side = hole.shape[0] // CELLS
    covered = hole.reshape(CELLS, side, CELLS, side).any((1, 3))
    return cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0


def some_attention(hole, seed=0):
    """Shares of the clear keys for every query, ``(32, 32, 1024)``."""
    clear = keys_clear_of(hole).ravel()
    raised = np.exp(3 * np.random.default_rng(seed).standard_normal((CELLS, CELLS, CELLS**2)))
    raised *= clear
    return (raised / raised.sum(-1, keepdims=True)).astype(np.float32)


def aggregate(photo, hole, filled, attention, paste, multiple):
    """Take and give what `methods.networks.hifill.aggregation.aggregate` does."""
    height, width = photo.shape[:2]
    side = 512 * multiple
    large = cv2.resize(photo.astype(np.float32), (side, side))
    hidden = cv2.resize(hole.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
    keep = np.repeat(1 - hidden[..., None].astype(np.float32), 3, axis=2)
    small = large.reshape(512, multiple, 512, multiple, 3).mean((1, 3))
    residual = (large - cv2.resize(small, (side, side))) * keep
    patch = side // CELLS
    cut = residual.reshape(CELLS, patch, CELLS, patch, 3).transpose(0, 2, 1, 3, 4)
    mixed = attention.reshape(CELLS**2, -1) @ cut.reshape(CELLS**2, -1)
    mixed = mixed.reshape(CELLS, CELLS, patch, patch, 3).transpose(0, 2, 1, 3, 4)
    base = cv2.resize(filled, (side, side))
    result = cv2.resize(np.clip(base + mixed.reshape(base.shape), 0, 255), (width, height))
    weight = cv2.resize(paste.astype(np.float32), (width, height))[..., None]
    return result * weight + photo * (1 - weight)
