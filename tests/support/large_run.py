"""Write run folders of made-up numbers that are as large as asked for, in bounded memory.

Columns and texts are those of real runs, so that files and tables weigh what real ones do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from bench.folder.schema import CASES
from bench.metrics import DEFAULT, METRICS
from methods.card import Card
from tests.support import run_builder
from tests.support.run_builder import TIERS, sha

_FAMILIES = ("CNN", "GAN", "transformer", "Fourier", "diffusion-based", "patch-based")
_METRICS = [name for name in DEFAULT if METRICS[name].scope == "case"]


def write_large_run(
    folder: Path, *, photos: int, methods: int = 12, pictures: bool = False, side: int = 256
) -> Path:
    """Write a complete run: a draw of each tier a photo.

    Args:
        folder: Where; must not exist.
        photos: Number of photos.
        methods: Number of methods, of which one is a floor and one the ceiling.
        pictures: Whether photos, holes and fills are there as pictures; all differ.
        side: Side of the pictures in pixels.
    """
    names = [*(f"method_{i:02}" for i in range(methods - 2)), "mean", "original"]
    plan = _plan(photos, side, pictures)
    families = {name: _FAMILIES[i % len(_FAMILIES)] for i, name in enumerate(names)}
    families |= {"mean": "floor", "original": "ceiling"}
    run_builder.write(
        folder,
        run_builder.header(f"photos:aa/{photos} masks:bb/{len(plan)} size:{side} metrics:cc"),
        plan=plan,
        methods=run_builder.methods(
            {
                name: Card(name, name.replace("_", " ").title(), family, "Made up.")
                for name, family in families.items()
            }
        ),
        metrics=run_builder.metrics([*_METRICS, "fid"]),
        inputs=run_builder.inputs(plan),
        sets=_sets(names, photos),
    )
    schema = CASES.arrow(CASES.frame([], _METRICS)).schema
    with pq.ParquetWriter(folder / CASES.file, schema) as writer:
        for number, name in enumerate(names):
            rows = _cases(plan, name, number, names, pictures)
            writer.write_table(CASES.arrow(CASES.typed(rows, _METRICS)))
    if pictures:
        for path, pixels in _pictures(plan, names, side):
            run_builder.write_picture(folder / path, pixels)
    return folder


def _plan(photos: int, side: int, pictures: bool) -> pd.DataFrame:
    names = (f"folder_{i % 100:02}/photo_{i:08}.jpg" for i in range(photos))
    low = np.tile([0.01, 0.1, 0.3], photos)  # by tier
    share = low * np.random.default_rng(0).uniform(1, 2, len(low))
    return run_builder.plan(
        names, TIERS, height=side, width=side, family="blob", hole_share=share,
        hole_width=side * np.sqrt(share), components=1, keep=pictures,
    )  # fmt: skip


def _cases(
    plan: pd.DataFrame, name: str, number: int, names: list[str], pictures: bool
) -> pd.DataFrame:
    """Rows of one method: a level of the photo and the hole, and a little of its own."""
    ceiling = name == "original"
    level = np.random.default_rng(1).normal(28, 4, len(plan)) - 10 * plan["hole_share"]
    noise = np.random.default_rng([2, number]).normal(0, 0.4, len(plan))
    db = level - 0.2 * number + noise - 6 * (name == "mean")
    error = np.zeros(len(plan)) if ceiling else 10 ** (-db / 20)
    rows = run_builder.fills(plan, name, worker=f"{8000 + number}-55dc4b0d", attempt=1)
    for metric in _METRICS:
        if METRICS[metric].unit:
            rows[metric] = np.inf if ceiling else db
        else:
            rows[metric] = 1 - error if METRICS[metric].direction == "higher" else error
    rows["seconds"] = 0.01 * (number + 1) * np.random.default_rng(3).uniform(0.9, 1.1, len(plan))
    rows["cpu_seconds"] = rows["measure_seconds"] = rows["seconds"]
    rows["peak_bytes"] = 2.0**20 * (150 + number)
    rows["output_sha"] = [sha(name, i) for i in range(len(plan))]
    rows["fill_key"], rows["measure_key"] = sha("fill", number), sha("measure")
    rows["output"] = ""
    if pictures:
        rows["output"] = [
            _fill_file(name, *facts) for facts in zip(plan["tier"], plan["photo_sha"], strict=True)
        ]
    # One method lacks some cases, in each tier another reason.
    if number == len(names) - 3:
        lost = np.arange(len(plan)) % 50 < len(TIERS)
        rows.loc[lost, [*_METRICS, "seconds"]] = np.nan
        rows.loc[lost, ["status", "reason", "output"]] = ["failed", "ran out of ink", ""]
    return rows


def _fill_file(name: str, tier: str, photo_sha: str) -> str:
    if name == "original":
        return f"photos/{photo_sha}.png"
    return f"outputs/{name}/{tier}/{photo_sha}-0.png"


def _sets(names: list[str], photos: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"method": name, "tier": tier, "metric": "fid", "value": 10.0 + i, "n": photos}
        for i, name in enumerate(names)
        for tier in TIERS
    )  # fmt: skip


def _pictures(plan: pd.DataFrame, names: list[str], side: int) -> Iterator[tuple[str, Any]]:
    """Photos of smooth noise, holes as discs, fills that blur the photo the more the worse."""
    rows, columns = np.indices((side, side))
    for case, facts in enumerate(plan.to_dict("records")):
        number = case // len(TIERS)
        rng = np.random.default_rng([4, number])
        coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8, 3)).astype(np.uint8))
        photo = np.array(coarse.resize((side, side), Image.Resampling.BICUBIC))
        photo[::2, ::2] ^= 7  # so that it weighs about what a photo does
        radius = side * np.sqrt(facts["hole_share"] / np.pi)
        hole = np.hypot(rows - side / 2, columns - side / 2) < radius
        if case % len(TIERS) == 0:
            yield f"photos/{facts['photo_sha']}.png", photo
        yield f"masks/{facts['mask_sha']}.png", hole
        for place, name in enumerate(names):
            if name != "original":
                shade = np.roll(photo, place + 1, axis=1)
                fill = np.where(hole[..., None], shade, photo)
                yield _fill_file(name, facts["tier"], facts["photo_sha"]), fill
