"""Write run folders of made-up numbers, for tests of comparisons."""

from pathlib import Path

import numpy as np
import pandas as pd

from bench.folder.header import Environment
from bench.folder.store import RunFolder
from tests.support import run_builder

PHOTOS = 30
FINGERPRINT = "photos:aa/30 masks:bb/60 size:256 paste:known-8bit metrics:cc"
# By method: family, gain over the photo's level, spread.
METHODS = {
    "plain": ("GAN", 0.0, 0.3),
    "twin": ("CNN", 0.0, 0.02),
    "good_one": ("Fourier", 1.0, 0.3),
    "gap|py": ("CNN", 0.5, 0.3),
    "mean": ("floor", -8.0, 0.3),
    "original": ("ceiling", np.inf, 0.0),
}
METRICS = ("psnr_db", "ssim_hole", "l1", "lpips", "swd", "kid_untrained", "fid_untrained")


def write_run(folder: Path, *, seed: int = 0, photos: int = PHOTOS, gain: float = 0.0) -> Path:
    """A run of made-up numbers: two draws a photo in the tier small; ``gap|py`` lacks cases."""
    plan = pd.DataFrame(
        {"photo": f"p{i // 2:03}.png", "tier": "small", "draw": i % 2, "cluster": f"p{i // 2:03}"}
        for i in range(2 * photos)
    )
    plan.insert(0, "case", range(len(plan)))
    plan["photo_sha"] = [_sha(i, "") for i in range(len(plan))]
    rng = np.random.default_rng(1)
    level = np.repeat(rng.normal(28, 4, photos), 2)
    tables = []
    for name, (_, better, spread) in METHODS.items():
        noise = np.random.default_rng([seed, len(tables)]).normal(0, spread, len(plan))
        db = level + better + noise + (gain if name == "plain" else 0)
        rows = plan.drop(columns=["case", "photo_sha"])
        rows = rows.assign(method=name, sample=0, status="ok", reason="")
        rows["output_sha"] = [_sha(i, name.replace("original", "")) for i in range(len(plan))]
        tables.append(rows.assign(psnr_db=db, ssim_hole=1 - 10 ** (-db / 40), l1=10 ** (-db / 20)))
    cases = pd.concat(tables, ignore_index=True)
    fails = (cases["method"] == "gap|py") & (cases["draw"] == 1) & (cases["photo"] < "p010")
    cases.loc[fails, ["status", "reason", "psnr_db", "ssim_hole", "l1"]] = [
        "declined", "too small", np.nan, np.nan, np.nan
    ]  # fmt: skip
    sets = pd.DataFrame(
        {"method": list(METHODS), "tier": "small", "metric": "swd", "value": range(6), "n": 60,
         "note": "noisy"}
    )  # fmt: skip
    return run_builder.write(
        folder,
        run_builder.header(
            FINGERPRINT,
            fill_keys={"plain": str(seed)},
            environment=Environment({"numpy": f"2.{seed}"}, python="3.12"),
        ),
        plan=plan,
        cases=cases,
        metrics=run_builder.metrics(METRICS, absent={"lpips": "no weights"}),
        methods=run_builder.methods({name: facts[0] for name, facts in METHODS.items()}),
        sets=sets,
    )


def write_features(folder: Path, photos: int, *, seed: int = 5) -> None:
    """Features near the photos' for good methods, far for bad ones."""
    original = np.random.default_rng(5).normal(size=(2 * photos, 6))
    rng = np.random.default_rng([5, seed])
    spreads = {"plain": 0.9, "twin": 0.9, "good_one": 0.3, "mean": 3.0, "original": 0.0}
    spreads["gap|py"] = 1.5
    pictures = {}
    for name, spread in spreads.items():
        own = original + spread * rng.normal(size=original.shape)
        for i, features in enumerate(own):
            sha = _sha(i, "" if name == "original" else name)
            pictures[sha] = {"fid-untrained": features}
    RunFolder(folder).write_features("f", pictures)


def _sha(case: int, method: str) -> str:
    """What stands for the hash of a picture; the ceiling's fills are the photos."""
    return f"{case}{method}"
