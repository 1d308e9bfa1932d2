"""Write a small run folder with real pictures and real numbers, for tests of the report.

Fills come from OpenCV; only LPIPS is made up where a test asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from skimage import data
from skimage.draw import ellipse, line

import methods
from bench.metrics import METRICS
from bench.metrics.pair import Original, Pair
from masks.tiers import describe
from methods.card import Card
from tests.support import run_builder
from tests.support.run_builder import TIERS

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
_NAVIER = replace(methods.card("navier_stokes"), title="Navier\N{EN DASH}Stokes")
_CARDS = {
    "shiftmap": methods.card("shift_map"),
    "telea": methods.card("telea"),
    "ns": _NAVIER,
    "fussy": Card("fussy", "Fussy <b>method</b>", "CNN", url="javascript:alert(1)"),
    "mean": methods.card("mean"),
    "original": methods.card("original"),
    "lama:big-lama": methods.card("lama"),
}
_MEASURED = ("psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "texture_structure")
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
    plan = run_builder.plan(names, tiers, height=side, width=side, keep=True)
    plan["group"] = np.where(plan["photo"] == names[0], "<i>faces</i>, people", "things")
    photos = [_photo(index, side) for index in range(len(names))]
    rows, holes = [], []
    for place, facts in enumerate(plan.itertuples()):
        index = place // len(tiers)
        hole = _hole(facts.tier, side, index)
        run_builder.write_picture(folder / "photos" / f"{facts.photo_sha}.png", photos[index])
        run_builder.write_picture(folder / "masks" / f"{facts.mask_sha}.png", hole)
        seen = describe(hole)
        holes.append({"hole_share": seen.share, "hole_width": seen.width,
                      "components": seen.components, "border": seen.border,
                      "family": "strokes" if facts.tier == "small" else "blob"})  # fmt: skip
        rows += _fill_rows(folder, facts.tier, photos[index], hole, index)
    plan = plan.assign(**pd.DataFrame(holes))
    each = plan.loc[plan.index.repeat(len(rows) // len(plan))].reset_index(drop=True)
    cases = run_builder.fills(each, **pd.DataFrame(rows))
    cases["lpips"] = 1 - cases["ssim"] if lpips else np.nan
    absent = {name: f"{_NO_WEIGHTS} {name}" for name in ("fid", *(() if lpips else ("lpips",)))}
    facts = run_builder.header(
        f"photos:0123456789/{len(names)} size:sample paste:known-8bit",
        photo_set="bundled",
        protocol={"seed": 0, "tiers": list(TIERS), "photos": "<b>folder</b>"},
    )
    return run_builder.write(
        folder, facts, plan=plan, cases=cases, methods=_methods(), inputs=_inputs(plan),
        metrics=run_builder.metrics([*_MEASURED, "lpips", "swd", "fid"], absent),
        sets=_sets(cases),
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


def _fill_rows(
    folder: Path, tier: str, photo: np.ndarray, hole: np.ndarray, index: int
) -> list[dict[str, object]]:
    rows = []
    for place, (method, fill) in enumerate(_fills(photo, hole).items()):
        row = {"method": method, "status": "ok", "reason": "", "cpu_seconds": 0.002,
               "seconds": 0.002 * (place + 1) + 0.0001 * index,
               "peak_bytes": 2**20 * (150 + place)}  # fmt: skip
        if method == "fussy" and index % 2:
            row |= {"status": "declined", "reason": "takes sides of at least 512 pixels"}
        else:
            row["output"] = f"outputs/{method}/{tier}/{index}-0.png"
            run_builder.write_picture(folder / row["output"], fill)
            pair = Pair(fill, Original(photo), hole)
            row |= {name: METRICS[name].function(pair) for name in _MEASURED}
        rows.append(row)
    return rows


def _methods() -> pd.DataFrame:
    lama = "lama:big-lama"
    return run_builder.methods(
        _CARDS,
        timed={"original": False},
        status={lama: "unavailable"},
        reason={lama: f"{_NO_WEIGHTS} {lama}"},
    )


def _inputs(plan: pd.DataFrame) -> pd.DataFrame:
    refused = {"path": "torn<img src=x>.jpg", "kind": "photo", "status": "refused",
               "reason": "torn.jpg: the file ends early; save it again"}  # fmt: skip
    return pd.concat([run_builder.inputs(plan), pd.DataFrame([refused])], ignore_index=True)


def _sets(cases: pd.DataFrame) -> pd.DataFrame:
    """Stand-in for a set metric: the mean error, so that better methods have lower values."""
    done = cases[cases["status"] == "ok"]
    return pd.DataFrame(
        {"method": method, "tier": tier, "metric": "swd", "value": group["l1"].mean(),
         "n": len(group)}
        for (method, tier), group in done.groupby(["method", "tier"])
    )  # fmt: skip
