"""Sliced distance and CW-SSIM of one hole, written down plainly with SciPy, in double precision."""

import cv2
import numpy as np
from scipy import ndimage, signal, stats


def swd_hole(output, photo, hole):
    bands, weight, found = [], hole.astype(float), []
    planes = [picture.astype(float) / 255 for picture in (output, photo)]
    for level in range(5):
        inside = weight > (0.5 if level else 0)
        bands.append(([band(each, level) for each in planes], inside))
        planes, weight = [cv2.pyrDown(each) for each in planes], cv2.pyrDown(weight)
    for (mine, theirs), inside in bands:
        middles = np.argwhere(inside[3:-3, 3:-3])
        if min(inside.shape) >= 14 and len(middles) >= 16:
            found.append(distance(mine, theirs, middles) / (theirs[inside].std() + 0.01))
    if not found:
        pair = [np.pad(each, ((3, 3), (3, 3), (0, 0)), "reflect") for each in bands[0][0]]
        spread = bands[0][0][1][hole].std() + 0.01
        found.append(distance(*pair, np.argwhere(hole)) / spread)
    return np.mean(found)


def band(planes, level):
    if level == 4:
        return planes
    return planes - cv2.pyrUp(cv2.pyrDown(planes), dstsize=planes.shape[1::-1])


def distance(mine, theirs, corners):
    if len(corners) > 600:
        corners = corners[np.random.default_rng(1).choice(len(corners), 600, replace=False)]
    directions = np.random.default_rng(0).standard_normal((64, 147)).astype(np.float32)
    rows = [
        np.array([each[y : y + 7, x : x + 7].transpose(2, 0, 1).ravel() for y, x in corners])
        for each in (mine, theirs)
    ]
    return np.mean([
        stats.wasserstein_distance(*(each @ (d / np.linalg.norm(d)) for each in rows))
        for d in directions
    ])  # fmt: skip


def cw_ssim_hole(output, photo, hole):
    greys = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) / 255 for each in (output, photo)]
    found = []
    for wave in (4, 8, 16):
        for angle in np.pi * np.arange(6) / 6:
            kernel = gabor(wave, angle)
            a, b = (filtered(each, kernel) for each in greys)
            cross, power = a * b.conj(), abs(a) ** 2 + abs(b) ** 2
            alike, power = (
                ndimage.uniform_filter(each, 7, mode="mirror") for each in (cross, power)
            )
            found.append(((2 * abs(alike) + 1e-4) / (power + 1e-4))[hole].mean())
    return np.mean(found)


def filtered(grey, kernel):
    wide = np.pad(grey, len(kernel) // 2, "symmetric")
    return signal.fftconvolve(wide, kernel[::-1, ::-1], "valid")


def gabor(wave, angle):
    """A wave under a Gaussian of half its length, without response to what is flat."""
    reach = int(1.5 * wave)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    gaussian = np.exp(-2 * (x**2 + y**2) / wave**2)
    kernel = gaussian * np.exp(2j * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / wave)
    kernel -= gaussian * kernel.real.sum() / gaussian.sum()
    return kernel / abs(kernel.real).sum()
