"""The gate's verdicts on known changes, under both rules; `docs/gate.md` has what came out.

python -m tests.support.gate_verdicts FOLDER_OF_PHOTOS OUT [LIMIT]
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

import methods
from bench.folder.read import read_run
from bench.gate import baseline, baseline_file
from bench.gate.formats import sentence
from bench.gate.judge import judge
from bench.statistics import CASE
from methods.base import Inpainter, PictureInpainter
from methods.card import Card

WEIGHTS = Path(methods.__file__).parent / "small" / "lama-small.safetensors"
METRICS = (
    "texture_structure,lpips_untrained,lpips_untrained_hole,psnr_db,psnr_hole_db,ssim,ssim_hole,"
    "l1,l1_hole,ms_ssim,gmsd,drift"
)


class Telea(PictureInpainter):
    """The first method of most comparisons."""

    card = Card("mine", "Mine", "other")

    def fill_picture(self, picture, hole, generator):
        return cv2.inpaint(picture, hole.astype(np.uint8), 3, cv2.INPAINT_TELEA)


class MeanColour(Telea):
    """13.5 dB on the photos of the complaint, where Telea has 18.1."""

    def fill_picture(self, picture, hole, generator):
        filled = picture.copy()
        filled[hole] = picture[~hole].mean(0).round()
        return filled


class Unseeded(Telea):
    """Grain from a generator of its own, which is another at every start."""

    def fill_picture(self, picture, hole, generator):
        grain = np.random.default_rng().normal(0, 6, picture.shape)
        return np.clip(super().fill_picture(picture, hole, generator) + grain, 0, 255).astype("u1")


class Network(Inpainter):
    """A small LaMa, with noise of so much on its output."""

    card = Card("mine", "Mine", "other")
    noise = 0.0

    @cache  # noqa: B019
    def network(self) -> Inpainter:
        found = methods.get("lama:small")
        found.load()
        return found

    def infer(self, images, masks, generator):
        filled = self.network().infer(*self.network().prepare(images, masks), generator)
        return filled + self.noise * torch.randn(filled.shape, generator=generator)


class FloatNoise(Network):
    """As another library may sum."""

    noise = 1e-6


RUNS = {
    "mean colour": "mine=tests.support.gate_verdicts:MeanColour",
    "telea": "mine=tests.support.gate_verdicts:Telea",
    "unseeded": "mine=tests.support.gate_verdicts:Unseeded",
    "unseeded again": "mine=tests.support.gate_verdicts:Unseeded",
    "network": "mine=tests.support.gate_verdicts:Network",
    "network, noise 1e-6": "mine=tests.support.gate_verdicts:FloatNoise",
    "float32": f"mine=lama:{WEIGHTS}(config=small)",
    "bf16": f"mine=lama@bf16:{WEIGHTS}(config=small)",
}
PAIRS = [
    ("mean colour", "telea"), ("telea", "mean colour"), ("telea", "telea, 1 % more error"),
    ("network", "network, noise 1e-6"), ("float32", "bf16"), ("unseeded", "unseeded again"),
]  # fmt: skip


def run(out: Path, method: str, *options: str) -> Path:
    """A run of one method, unless it is there."""
    if not (out / "run.json").exists():
        command = [sys.executable, "-m", "bench", "run", "--out", str(out), "--methods", method,
                   "--metrics", METRICS, "--offline", "--no-report", *options]  # fmt: skip
        subprocess.run(command, check=True)
    return out


def with_more_error(source: Path, folder: Path, share: float) -> None:
    """Fills that are that much farther from the photo; what 8 bits cannot hold is dithered."""
    rng = np.random.default_rng(0)
    run = read_run(source, ("cases",))
    truths = run.cases[run.cases["method"] == "original"].set_index(CASE)["output"]
    for row in run.cases[run.cases["method"] == "mine"].to_dict("records"):
        name = f"{row['tier']}/{row['photo']}-{row['draw']}.png"
        fill = np.asarray(Image.open(source / row["output"], formats=["PNG"]), float)
        photo = np.asarray(
            Image.open(source / truths[tuple(row[key] for key in CASE)], formats=["PNG"]), float
        )
        worse = np.floor(fill + share * (fill - photo) + rng.random(fill.shape) * (fill != photo))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.clip(worse, 0, 255).astype("u1")).save(folder / name)


def verdict(old: Path, new: Path, rule: str, file: Path) -> tuple[str, str]:
    """The outcome and its sentence, by a baseline file of the rule."""
    file.unlink(missing_ok=True)
    baseline_file.update_baseline(file, baseline.read_run(old), [rule])
    value: dict[str, Any] = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(value | {"lead": "texture_structure"}))
    found = judge(baseline.read(file), baseline.read_run(new))
    return found.outcome, sentence(found)


def main(photos: str, out: Path, limit: str = "100") -> None:
    """Print a table of the verdicts."""
    options = ["--images", photos, "--limit", limit]
    folders = {name: run(out / name, text, *options) for name, text in RUNS.items()}
    name = "telea, 1 % more error"
    if not (out / name / "run.json").exists():
        with_more_error(folders["telea"], out / "fills", 0.01)
    folders[name] = run(out / name, f"mine=folder:{out / 'fills'}", *options)
    print("| before | after | rule | outcome | in words |\n|---|---|---|---|---|")
    for old, new in PAIRS:
        for rule in ("cases", "mean"):
            outcome, words = verdict(folders[old], folders[new], rule, out / "baseline.json")
            print(f"| {old} | {new} | `{rule}` | {outcome} | {words} |")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
