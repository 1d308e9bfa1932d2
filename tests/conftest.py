import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from skimage import data

if TYPE_CHECKING:
    from bench.training.job import TrainingJob


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Photos and masks that may not be distributed; tests that need them skip without them."""
    given = os.environ.get("INPAINT_BENCH_DATA")
    folder = Path(given) if given else Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"no evaluation data at {folder}; set INPAINT_BENCH_DATA")
    return folder


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three small photos: a.png, b.png and nested/c.png."""
    folder = tmp_path_factory.mktemp("photos")
    (folder / "nested").mkdir()
    pictures = {"a.png": data.astronaut(), "b.png": data.chelsea(), "nested/c.png": data.coffee()}
    for name, pixels in pictures.items():
        Image.fromarray(pixels[100:228, 100:228]).save(folder / name)
    return folder


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of photos to train on."""
    from tests.support import trainings

    path = tmp_path_factory.mktemp("photos") / "some.tar"
    trainings.write_archive(path)
    return path


@pytest.fixture(scope="session")
def job(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> "TrainingJob":
    """A short training of LaMa, whatever networks are on this machine."""
    from bench.training.job import TrainingJob
    from tests.support.trainings import SIDE

    out = tmp_path_factory.mktemp("training") / "out"
    return TrainingJob(
        "lama", (archive,), out, 16, batch=4, crop=SIDE, block=8, terms_of_use="made here",
        networks="none",
    )  # fmt: skip


@pytest.fixture(scope="session")
def trained(job: "TrainingJob") -> Path:
    """The weights of `job`, trained."""
    from bench.training.loop import train

    return train(job)


@pytest.fixture(scope="session")
def full_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every kind of page, of photos with hostile names."""
    from tests.support.every_page import write_report

    return write_report(tmp_path_factory.mktemp("every page"))
