"""Write a small run folder with real pictures and real numbers, for tests of the report.

Fills come from OpenCV, numbers from scikit-image; only LPIPS is made up where a test asks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from PIL import Image
from skimage import data
from skimage.draw import ellipse, line
from skimage.metrics import structural_similarity

from tests.support import run_builder

TIERS = ("small", "region", "large")
HOSTILE_NAMES = (
    "<script>alert(1)</script>.png",
    '"onerror=x".png',
    "../../etc",
    "a'b&c.png",
    "n" * 251 + ".png",
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.\N{HEBREW LETTER ALEF}\N{HEBREW LETTER BET}",
    "\N{GRINNING FACE}.png",
    "two\nlines.png",
    "=HYPERLINK(1).png",
    "\x07bell.png",
    "Same.png",
    "same.png",
)
_METHODS = (
    ("shiftmap", "Shift-map", "patch-based"),
    ("telea", "Telea", "diffusion-based"),
    ("ns", "Navier\N{EN DASH}Stokes", "diffusion-based"),
    ("fussy", "Fussy <b>method</b>", "CNN"),
    ("mean", "Mean colour", "floor"),
    ("original", "Original", "ceiling"),
    ("lama:big-lama", "LaMa", "Fourier"),
)
_METRICS = ("psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "lpips", "swd", "fid")
_NO_WEIGHTS = "its weights are not here; run: inpaint-bench weights fetch"


def write_run(
    folder: Path,
    *,
    names: Sequence[str] = ("astronaut.png", "coffee.png", "chelsea.png"),
    side: int = 48,
    tiers: Sequence[str] = TIERS,
    lpips: bool = False,
) -> Path:
    """Write a complete run folder.

    Args:
        folder: Where; must not exist.
        names: Photo ids, one photo each.
        side: Side of the square photos in pixels.
        tiers: Which tiers.
        lpips: Whether LPIPS counts as measured (made-up numbers).
    """
    plan, rows = [], []
    for index, name in enumerate(names):
        photo = _photo(index, side)
        for tier in tiers:
            hole = _hole(tier, side, index)
            plan.append(_plan_row(folder, name, tier, photo, hole))
            rows.extend(_case_rows(folder, plan[-1], photo, hole, index))
    for number, row in enumerate(plan):
        row |= {"case": number, "keep": True}
    cases = pd.DataFrame(rows)
    cases["lpips"] = 1 - cases["ssim"] if lpips else np.nan
    absent = {name: f"{_NO_WEIGHTS} {name}" for name in ("fid", *(() if lpips else ("lpips",)))}
    metrics = run_builder.metrics(_METRICS, absent)
    metrics.loc[metrics["metric"] == "swd", "note"] = "64 random directions"
    facts = run_builder.header(
        f"photos:0123456789/{len(names)} size:sample paste:known-8bit",
        photo_set="bundled",
        protocol={"seed": 0, "tiers": list(TIERS), "photos": "<b>folder</b>"},
    )
    return run_builder.write(
        folder, facts, plan=plan, cases=cases, metrics=metrics, methods=_methods(),
        inputs=_inputs(plan), sets=_sets(cases),
    )  # fmt: skip


def _photo(index: int, side: int) -> np.ndarray:
    sources = (data.astronaut, data.coffee, data.chelsea, data.rocket)
    full = sources[index % len(sources)]()
    shift = 17 * (index // len(sources))
    short = min(full.shape[:2]) - shift
    square = np.ascontiguousarray(full[shift : shift + short, shift : shift + short])
    return cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA)


def _hole(tier: str, side: int, index: int) -> np.ndarray:
    rng = np.random.default_rng([index, len(tier), side])
    hole = np.zeros((side, side), np.uint8)
    if tier == "small":
        for _ in range(3):
            hole[line(*rng.integers(0, side, 4))] = 1
        return cv2.dilate(hole, np.ones((2, 2), np.uint8)).astype(bool)
    reach = side * (0.26 if tier == "region" else 0.38)
    centre = rng.uniform(0.4 * side, 0.6 * side, 2)
    hole[ellipse(*centre, reach, reach * 0.9, shape=hole.shape)] = 1
    return hole.astype(bool)


def _fills(photo: np.ndarray, hole: np.ndarray) -> dict[str, np.ndarray]:
    blank = np.where(hole[..., None], 0, photo).astype(np.uint8)
    mask = hole.astype(np.uint8)
    mean = photo[~hole].mean(axis=0).round().astype(np.uint8)
    fills = {
        "shiftmap": np.roll(blank, len(blank) // 3, axis=1),  # one shift for all, quickly found
        "telea": cv2.inpaint(blank, mask, 3, cv2.INPAINT_TELEA),
        "ns": cv2.inpaint(blank, mask, 3, cv2.INPAINT_NS),
        "fussy": cv2.blur(cv2.inpaint(blank, mask, 9, cv2.INPAINT_TELEA), (5, 5)),
        "mean": np.broadcast_to(mean, photo.shape),
        "original": photo,
    }
    return {name: np.where(hole[..., None], fill, photo) for name, fill in fills.items()}


def _plan_row(
    folder: Path, name: str, tier: str, photo: np.ndarray, hole: np.ndarray
) -> dict[str, Any]:
    row = {
        "photo": name, "cluster": name, "tier": tier, "draw": 0,
        "height": photo.shape[0], "width": photo.shape[1],
        "photo_sha": _sha(photo), "mask_sha": _sha(hole), "mask_source": "generated",
        "family": "strokes" if tier == "small" else "blob", "parameters": "{}",
        "hole_share": float(hole.mean()),
        "hole_width": float(2 * cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 5).max()),
        "components": int(cv2.connectedComponents(hole.astype(np.uint8))[0] - 1),
        "border": bool(hole[[0, -1]].any() or hole[:, [0, -1]].any()),
    }  # fmt: skip
    row["case_key"] = f"{name}|{tier}|{row['photo_sha']}|{row['mask_sha']}"
    _save(folder / "photos" / f"{row['photo_sha']}.png", photo)
    _save(folder / "masks" / f"{row['mask_sha']}.png", hole)
    return row


def _case_rows(
    folder: Path, plan: dict[str, Any], photo: np.ndarray, hole: np.ndarray, index: int
) -> list[dict[str, Any]]:
    keys = {name: plan[name] for name in ("photo", "tier", "draw", "cluster", "case_key")}
    rows = []
    for place, (method, fill) in enumerate(_fills(photo, hole).items()):
        row = keys | {"method": method, "sample": 0, "status": "ok", "reason": "", "output": ""}
        row |= {"hole_share": plan["hole_share"], "hole_width": plan["hole_width"]}
        row |= {"seconds": 0.002 * (place + 1) + 0.0001 * index, "cpu_seconds": 0.002}
        row["peak_bytes"] = 2**20 * (150 + place)
        if method == "fussy" and index % 2:
            row |= {"status": "declined", "reason": "takes sides of at least 512 pixels"}
            rows.append(row)
            continue
        path = f"outputs/{method}/{plan['tier']}/{_sha(np.array([index]))}-0.png"
        _save(folder / path, fill)
        rows.append(row | {"output": path} | _measured(photo, fill, hole))
    return rows


def _measured(photo: np.ndarray, fill: np.ndarray, hole: np.ndarray) -> dict[str, float]:
    error = np.abs(photo.astype(float) - fill) / 255
    ssim, ssim_map = structural_similarity(photo, fill, channel_axis=2, full=True)
    with np.errstate(divide="ignore"):
        psnr, psnr_hole = (-10 * np.log10(np.square(e).mean()) for e in (error, error[hole]))
    return {
        "psnr_db": float(psnr), "psnr_hole_db": float(psnr_hole),
        "ssim": float(ssim), "ssim_hole": float(ssim_map[hole].mean()),
        "l1": float(error.mean()), "l1_hole": float(error[hole].mean()),
    }  # fmt: skip


def _methods() -> pd.DataFrame:
    lama = "lama:big-lama"
    titles = {name: title for name, title, _ in _METHODS}
    return run_builder.methods(
        {name: family for name, _, family in _METHODS},
        title=titles,
        summary={name: f"Fills holes the way of {title}." for name, title in titles.items()},
        paper=dict.fromkeys(("telea", "ns"), "A. Author, A way to fill holes, 2004"),
        url={"telea": "https://doi.org/10.1080/10867651.2004.10487596",
             "fussy": "javascript:alert(1)"},
        timed={"original": False},
        status={lama: "unavailable"},
        reason={lama: f"{_NO_WEIGHTS} {lama}"},
    )  # fmt: skip


def _inputs(plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    used = {row["photo"]: row for row in plan}
    rows = [
        {"path": name, "kind": "photo", "status": "ok", "sha256": row["photo_sha"],
         "height": row["height"], "width": row["width"]}
        for name, row in used.items()
    ]  # fmt: skip
    refused = {"path": "torn<img src=x>.jpg", "kind": "photo", "status": "refused",
               "reason": "torn.jpg: the file ends early; save it again"}  # fmt: skip
    return [*rows, refused]


def _sets(cases: pd.DataFrame) -> pd.DataFrame:
    """Stand-in for a set metric: the mean error, so that better methods have lower values."""
    done = cases[cases["status"] == "ok"]
    return pd.DataFrame(
        {"method": method, "tier": tier, "metric": "swd", "value": group["l1"].mean(),
         "low": np.nan, "high": np.nan, "n": len(group), "note": ""}
        for (method, tier), group in done.groupby(["method", "tier"])
    )  # fmt: skip


def _sha(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()[:16]


def _save(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG")
