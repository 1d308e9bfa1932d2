"""Published generators of holes once more, plainly: OpenCV's lines, floats, another random stream.

Written from the same descriptions as `masks.published`, and of no line of it.
"""

import math
from itertools import pairwise

import cv2
import numpy as np

# Least and greatest number, width, length of strokes; boxes: margin, sides, numbers.
LAMA = {
    ("lama-thin", 256): (4, 50, 10, 40, None),
    ("lama-thin", 512): (4, 70, 20, 100, None),
    ("lama-medium", 256): (4, 5, 50, 100, (0, 10, 50, 1, 5)),
    ("lama-medium", 512): (4, 10, 100, 200, (0, 30, 150, 1, 5)),
    ("lama-thick", 256): (1, 5, 100, 200, (10, 30, 150, 1, 3)),
    ("lama-thick", 512): (1, 5, 250, 450, (10, 30, 300, 1, 4)),
}
# Boxes of half a side, of a side, strokes; shares strictly between.
FREE_FORM = {
    **{("comodgan", size): (10, 5, 20, 0, 1) for size in (256, 512)},
    **{
        (f"comodgan-h{n}", size): (10, 5, 20, n / 5, (n + 1) / 5)
        for n in range(5)
        for size in (256, 512)
    },
    ("mat-small", 256): (2, 2, 3, 0, 1), ("mat-large", 256): (4, 2, 8, 0, 1),
    ("mat-small", 512): (3, 2, 4, 0, 1), ("mat-large", 512): (5, 3, 9, 0, 1),
}  # fmt: skip


def lama(rng, height, width, least, most, thick, length, boxes):
    """A hole of LaMa's mixture, before its limit."""
    mask = np.zeros((height, width), np.uint8)
    if boxes and rng.random() > 1 / 1.3:
        margin, small, large, fewest, many = boxes
        for _ in range(rng.integers(fewest, many + 1)):
            wide, tall = rng.integers(small, min(large + 1, min(height, width) - 2 * margin), 2)
            left = rng.integers(margin, width - margin - wide + 1)
            top = rng.integers(margin, height - margin - tall + 1)
            mask[top : top + tall, left : left + wide] = 1
        return mask > 0
    for stroke in range(rng.integers(least, most + 2)):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        for _ in range(1 + rng.integers(5)):
            angle = 0.01 + rng.integers(4)
            angle = angle if stroke % 2 else 2 * math.pi - angle
            far, line = 10 + rng.integers(length), 5 + int(rng.integers(thick))
            to_x = int(np.clip(int(x + far * math.sin(angle)), 0, width))
            to_y = int(np.clip(int(y + far * math.cos(angle)), 0, height))
            cv2.line(mask, (x, y), (to_x, to_y), 1, line)
            x, y = to_x, to_y
    return mask > 0


def lama_square(rng, height, width, *settings):
    """One of five holes of a picture whose square holds at most a half; None where none does."""
    kept = []
    for _ in range(5):
        mask = lama(rng, height, width, *settings)
        side = min(height, width)
        while True:
            top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
            square = mask[top : top + side, left : left + side]
            if square.any():
                break
        kept += [square] if square.mean() <= 0.5 else []
    return kept[rng.integers(len(kept))] if kept else None


def free_form(rng, side, half, full, strokes, low, high):
    """A hole of CoModGAN and MAT; drawn until its share lies strictly between."""
    part = min(1, low + high + 1e-9)
    counts = [int(count * part) for count in (half, full, strokes)]
    while True:
        mask = np.zeros((side, side), np.uint8)
        for count, longest in zip(counts[:2], (side // 2, side), strict=True):
            for _ in range(rng.integers(count) if count else 0):
                tall, wide = rng.integers(longest, size=2)
                top = rng.integers(-(tall // 2), side - tall + tall // 2 + 1)
                left = rng.integers(-(wide // 2), side - wide + wide // 2 + 1)
                mask[max(top, 0) : max(top + tall, 0), max(left, 0) : max(left + wide, 0)] = 1
        mask |= _brush(rng, side, rng.integers(counts[2]) if counts[2] else 0)
        if low < mask.mean() < high:
            return mask > 0


def _brush(rng, side, strokes):
    mask, mean = np.zeros((side, side), np.uint8), math.hypot(side, side) / 8
    for _ in range(strokes):
        least, most = 2 * math.pi / 5 + rng.uniform(0, 2 * math.pi / 15, 2) * (-1, 1)
        path = [rng.integers(side, size=2).astype(float)]
        width = int(rng.uniform(12, 48))
        for vertex in range(rng.integers(4, 18)):
            angle = rng.uniform(least, most)
            angle = angle if vertex % 2 else 2 * math.pi - angle
            far = np.clip(rng.normal(mean, mean // 2), 0, 2 * mean)
            step = far * np.array([math.cos(angle), math.sin(angle)])
            path.append(np.clip(path[-1] + step, 0, side))
        ends = [tuple(map(int, place)) for place in path]
        for a, b in pairwise(ends):
            cv2.line(mask, a, b, 1, width)
        for place in ends:
            cv2.circle(mask, place, width // 2, 1, -1)
    for axis in (0, 1):
        mask = np.flip(mask, axis) if rng.integers(2) else mask
    return mask
