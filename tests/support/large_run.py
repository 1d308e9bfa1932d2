"""Write run folders of made-up numbers that are as large as asked for, in bounded memory.

Columns and texts are those of real runs, so that files and tables weigh what real ones do. Values
of methods on a case are correlated; a method lacks a fiftieth of its cases, another is flagged on
a tenth, a third has no value of one metric on some.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from PIL import Image

from bench.folder import shown_cases
from bench.folder.schema import CASES
from bench.folder.store import RunFolder, records
from bench.metrics import DEFAULT, METRICS
from methods.card import Card
from tests.support import run_builder
from tests.support.run_builder import TIERS, sha

_FAMILIES = ("CNN", "GAN", "transformer", "Fourier", "diffusion-based", "patch-based")
_KEPT = 500
_METRICS = [name for name in DEFAULT if METRICS[name].scope == "case"]


def write_large_run(
    folder: Path,
    *,
    photos: int,
    methods: int = 12,
    pictures: bool = False,
    side: int = 256,
    draws: int = 1,
    later: bool = False,
    fragments: Collection[int] | None = None,
) -> Path:
    """Write a complete run.

    Args:
        folder: Where; must not exist.
        photos: Number of photos.
        methods: Number of methods, of which one is a floor and one the ceiling.
        pictures: Whether photos, holes and fills are there as pictures; all differ. Of a large run
            those that a report surely shows and 500 more (a run keeps 5,000), and of these
            photos and holes.
        side: Side of the pictures in pixels.
        draws: Holes of each tier a photo.
        later: With other code of all methods: values differ a little, a fifth of the first method's
            fills are worse, and no case is lacking.
        fragments: Which methods, by their place, also have the fragments that workers write.
    """
    names = [*(f"method_{i:02}" for i in range(methods - 2)), "mean", "original"]
    plan = _plan(photos, side, pictures, draws)
    families = {name: _FAMILIES[i % len(_FAMILIES)] for i, name in enumerate(names)}
    families |= {"mean": "floor", "original": "ceiling"}
    run_builder.write(
        folder,
        run_builder.header(
            f"photos:aa/{photos} masks:bb/{len(plan)} size:{side} metrics:cc",
            fill_keys={name: _fill_key(name, later) for name in names},
            fills_per_case=dict.fromkeys(names, 1),
            measurements={sha("measure"): []},
            measure_key=sha("measure"),
        ),
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
            rows = _cases(plan, name, number, names, pictures, later)
            writer.write_table(CASES.arrow(CASES.typed(rows, _METRICS)))
            if number in (fragments or ()):
                _write_fragments(folder, rows.assign(case=plan["case"], written=number + 1))
    if pictures:
        for path, pixels in _pictures(plan, names, side):
            run_builder.write_picture(folder / path, pixels)
    return folder


def _plan(photos: int, side: int, pictures: bool, draws: int) -> pd.DataFrame:
    names = (f"folder_{i % 100:02}/photo_{i:08}.jpg" for i in range(photos))
    low = np.tile(np.repeat([0.01, 0.1, 0.3], draws), photos)  # by tier
    share = low * np.random.default_rng(0).uniform(1, 2, len(low))
    plan = run_builder.plan(
        names, TIERS, draws, height=side, width=side, family="blob", hole_share=share,
        hole_width=side * np.sqrt(share), components=1,
    )  # fmt: skip
    keep = shown_cases.surely_shown(plan) | (shown_cases.case_hashes(plan).rank() <= _KEPT)
    return plan.assign(keep=keep & pictures)


def _fill_key(name: str, later: bool) -> str:
    return sha("fill", name, later and name != "original")


def _cases(
    plan: pd.DataFrame, name: str, number: int, names: list[str], pictures: bool, later: bool
) -> pd.DataFrame:
    """Rows of one method: a level of the photo and the hole, and a little of its own."""
    ceiling = name == "original"
    level = np.random.default_rng(1).normal(28, 4, len(plan)) - 10 * plan["hole_share"]
    noise = np.random.default_rng([2, number]).normal(0, 0.4, len(plan))
    db = level - 0.2 * number + noise - 6 * (name == "mean")
    if later:
        db += np.random.default_rng([5, number]).normal(0, 0.002, len(plan))
        db -= 0.3 * (np.arange(len(plan)) % 5 == 0) * (number == 0)
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
    rows["output_sha"] = [sha(name, later, i) for i in range(len(plan))]
    if ceiling:
        rows["output_sha"] = plan["photo_sha"]
    rows["fill_key"], rows["measure_key"] = _fill_key(name, later), sha("measure")
    rows["output"] = rows["note"] = rows["flags"] = ""
    if pictures:
        facts = zip(plan["tier"], plan["photo_sha"], plan["draw"], plan["keep"], strict=True)
        rows["output"] = [fill_file(name, *fact) if keep else "" for *fact, keep in facts]
    turn = np.arange(len(plan))
    if number == 0:
        rows.loc[turn % 10 == 7, "flags"] = "changed 3.1 % of the known pixels (by up to 4 of 255)"
    if number == 1:
        small = turn % 40 == 9
        rows.loc[small, "ms_ssim"] = np.nan
        rows.loc[small, "note"] = "ms_ssim: needs sides of at least 161 pixels"
    # One method lacks some cases, in each tier another reason.
    if number == len(names) - 3 and not later:
        lost = turn % 50 < len(TIERS)
        rows.loc[lost, [*_METRICS, "seconds"]] = np.nan
        rows.loc[lost, ["status", "reason", "output"]] = ["failed", "ran out of ink", ""]
        rows.loc[lost, ["note", "flags", "output_sha"]] = ""
    return rows


def _write_fragments(folder: Path, rows: pd.DataFrame) -> None:
    store = RunFolder(folder)
    for start in range(0, len(rows), 256):
        part = records(rows.iloc[start : start + 256])
        store.write_fragment(f"{part[0]['worker']}-{start:08}", part)


def fill_file(name: str, tier: str, photo_sha: str, draw: int = 0) -> str:
    """Where the fill of a case is kept."""
    if name == "original":
        return f"photos/{photo_sha}.png"
    return f"outputs/{name}/{tier}/{photo_sha}-{draw}.png"


def _sets(names: list[str], photos: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"method": name, "tier": tier, "metric": "fid", "value": 10.0 + i, "n": photos}
        for i, name in enumerate(names)
        for tier in TIERS
    )  # fmt: skip


def _pictures(plan: pd.DataFrame, names: list[str], side: int) -> Iterator[tuple[str, Any]]:
    """Photos of smooth noise, holes as discs, fills that blur the photo the more the worse."""
    rows, columns = np.indices((side, side))
    before = ""
    for facts in records(plan[plan["keep"]]):
        rng = np.random.default_rng([4, int(facts["photo_sha"], 16)])
        coarse = Image.fromarray(rng.integers(0, 256, (side // 8, side // 8, 3)).astype(np.uint8))
        photo = np.array(coarse.resize((side, side), Image.Resampling.BICUBIC))
        photo[::2, ::2] ^= 7  # so that it weighs about what a photo does
        radius = side * np.sqrt(facts["hole_share"] / np.pi)
        hole = np.hypot(rows - side / 2, columns - side / 2) < radius
        if facts["photo"] != before:
            yield f"photos/{facts['photo_sha']}.png", photo
        before = facts["photo"]
        yield f"masks/{facts['mask_sha']}.png", hole
        for place, name in enumerate(names):
            if name != "original":
                shade = np.roll(photo, place + 1, axis=1)
                fill = np.where(hole[..., None], shade, photo)
                yield fill_file(name, facts["tier"], facts["photo_sha"], facts["draw"]), fill
