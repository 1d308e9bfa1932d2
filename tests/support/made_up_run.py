"""Write run folders of made-up numbers, for tests of comparisons."""

from pathlib import Path

import numpy as np
import pandas as pd

from bench.folder.header import Environment
from bench.folder.store import RunFolder
from tests.support import run_builder

PHOTOS = 30
FINGERPRINT = "photos:aa/30 masks:bb/60 size:256 paste:known-8bit metrics:cc"
# By method: family, gain over the photo's level, spread; how far its features are from the photo's.
METHODS = {
    "plain": ("GAN", 0.0, 0.3, 0.9),
    "twin": ("CNN", 0.0, 0.02, 0.9),
    "good_one": ("Fourier", 1.0, 0.3, 0.3),
    "gap|py": ("CNN", 0.5, 0.3, 1.5),
    "mean": ("floor", -8.0, 0.3, 3.0),
    "original": ("ceiling", np.inf, 0.0, 0.0),
}
_METRICS = ("psnr_db", "ssim_hole", "l1", "lpips", "swd", "kid_untrained", "fid_untrained")


def write_run(folder: Path, *, seed: int = 0, photos: int = PHOTOS, gain: float = 0.0) -> Path:
    """A run of made-up numbers: two draws a photo in the tier small; ``gap|py`` lacks cases."""
    plan = run_builder.plan((f"p{i:03}.png" for i in range(photos)), draws=2)
    level = np.repeat(np.random.default_rng(1).normal(28, 4, photos), 2)
    fills = []
    for name, (_, better, spread, _) in METHODS.items():
        noise = np.random.default_rng([seed, len(fills)]).normal(0, spread, len(plan))
        db = level + better + noise + (gain if name == "plain" else 0)
        fills.append(run_builder.fills(
            plan, name, psnr_db=db, ssim_hole=1 - 10 ** (-db / 40), l1=10 ** (-db / 20),
            output_sha=[_sha(name, i) for i in range(len(plan))],
        ))  # fmt: skip
    cases = pd.concat(fills, ignore_index=True)
    fails = (cases["method"] == "gap|py") & (cases["draw"] == 1) & (cases["photo"] < "p010")
    cases.loc[fails, ["status", "reason", "psnr_db", "ssim_hole", "l1"]] = [
        "declined", "too small", np.nan, np.nan, np.nan
    ]  # fmt: skip
    sets = ({"method": name, "tier": "small", "metric": "swd", "value": i, "n": 60, "note": "noisy"}
            for i, name in enumerate(METHODS))  # fmt: skip
    return run_builder.write(
        folder,
        run_builder.header(
            FINGERPRINT,
            fill_keys={"plain": str(seed)},
            environment=Environment({"numpy": f"2.{seed}"}, python="3.12"),
        ),
        plan=plan.assign(photo_sha=[_sha("original", i) for i in range(len(plan))]),
        cases=cases,
        metrics=run_builder.metrics(_METRICS, absent={"lpips": "no weights"}),
        methods=run_builder.methods({name: family for name, (family, *_) in METHODS.items()}),
        sets=sets,
    )


def write_features(folder: Path, photos: int, *, seed: int = 5, d: int = 6) -> None:
    """Features near the photos' for good methods, far for bad ones."""
    original = np.random.default_rng(5).normal(size=(2 * photos, d))
    rng = np.random.default_rng([5, seed])
    pictures = {}
    for name, (*_, away) in METHODS.items():
        own = original + away * rng.normal(size=original.shape)
        pictures |= {_sha(name, i): {"fid-untrained": own[i]} for i in range(len(own))}
    RunFolder(folder).write_features("f", pictures)


def _sha(method: str, case: int) -> str:
    """What stands for the hash of a picture; the ceiling's fills are the photos."""
    return f"{method}{case}"
