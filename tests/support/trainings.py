"""Small trainings for tests: pictures, an archive of them, a learner, the card of a result."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.training.job import TrainingJob
from bench.training.loop import _connect, _set_up
from bench.training.step import Learner

SIDE = 48


def picture(seed: int, height: int = 50, width: int = 70) -> bytes:
    """A PNG file of smooth waves."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 20
    colour = rng.uniform(40, 200, 3)
    pixels = colour + 40 * np.sin(x[..., None] * rng.uniform(1, 3) + y[..., None])
    stream = io.BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def write_archive(path: Path) -> None:
    """Ninety pictures."""
    with tarfile.open(path, "w") as tar:
        for number in range(90):
            data = picture(number)
            member = tarfile.TarInfo(f"photo_{number:03}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def card_of_file(weights: Path) -> dict:
    return json.loads(weights.with_suffix(".json").read_text("utf-8"))


def learner_of(job: TrainingJob) -> Learner:
    """What a training starts with."""
    return _set_up(job, _connect(job))[0]
