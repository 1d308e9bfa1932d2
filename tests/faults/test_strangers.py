"""A folder that holds things of the names of the product: none of them is taken for it."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import bench
from tests.support.commands import FAST
from tests.support.trainings import SIDE

HOME = Path(bench.__file__).parents[1]
PACKAGES = ("bench", "masks", "methods", "reports")
STRANGER = "raise RuntimeError('a stranger was imported')\n"
MINE = """
import lying_beside
from methods.base import Card, Inpainter

class Mine(Inpainter):
    card = Card("mine", "Mine", "other")

    def infer(self, images, masks, generator):
        return images + lying_beside.GREY * masks
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    """A user's folder, with a method of their own in it."""
    folder = tmp_path / "here"
    (folder / "methods").mkdir(parents=True)
    (folder / "methods" / "notes.txt").touch()
    (folder / "reports").mkdir()
    (folder / "reports" / "__init__.py").write_text(STRANGER)
    (folder / "masks.py").write_text(STRANGER)
    (folder / "random.py").write_text(STRANGER)
    (folder / "my_method.py").write_text(MINE)
    (folder / "methods" / "mine.py").write_text(MINE)
    for place in (folder, folder / "methods"):
        (place / "lying_beside.py").write_text("GREY = 0.5\n")
    return folder


@pytest.fixture
def script(tmp_path) -> list[str]:
    """The console script as pip writes it; Python looks for modules beside it first."""
    path = tmp_path / "bin" / "inpaint-bench"
    path.parent.mkdir()
    path.write_text(
        "import sys\nfrom bench.cli import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
    )
    return [sys.executable, str(path)]


def as_installed(tmp_path: Path) -> dict[str, str]:
    """The environment where the packages lie in a folder of libraries, as a wheel puts them."""
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for name in PACKAGES:
        (libraries / name).symlink_to(HOME / name)
    return {**os.environ, "PYTHONPATH": str(libraries)}


def run(command: list[str], folder: Path, **options) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_run(program: list[str], folder: Path, photos: Path, **options) -> None:
    """Run methods of the product, of a module and of a file, in worker processes, with a report."""
    words = ["--images", str(photos), "--tiers", "region", *FAST, "--out", "out"]
    words.remove("--no-report")
    own = "telea, module=my_method:Mine, file=methods/mine.py:Mine"
    run([*program, "run", *words, "--methods", own, "--workers", "2"], folder, **options)
    table = pd.read_parquet(folder / "out/cases.parquet")
    assert set(table["status"]) == {"ok"}, set(table["reason"])
    assert set(table["method"]) == {"telea", "module", "file", "original"}
    assert (folder / "out/report/index.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("installed", [False, True])
def test_strangers_are_not_taken_for_the_product(script, folder, photos, tmp_path, installed):
    (folder / "bench").mkdir()  # an empty folder is found by Python as a package as well
    options = {"env": as_installed(tmp_path)} if installed else {}
    check_run(script, folder, photos, **options)


@pytest.mark.slow
def test_the_module_is_as_safe_as_the_script(folder, photos):
    check_run([sys.executable, "-m", "bench"], folder, photos)


@pytest.mark.slow
def test_stopwatches_are_not_misled(script, folder):
    (folder / "bench.py").write_text(STRANGER)
    words = ["--methods", "mean,module=my_method:Mine,file=methods/mine.py:Mine", "--device", "cpu"]
    words += ["--sizes", "32", "--tiers", "region", "--short", "--limit", "1", "--out", "out"]
    run([*script, "latency", *words], folder)
    table = pd.read_parquet(folder / "out/latency.parquet")
    assert {"mean", "module", "file"} <= set(table.loc[table["p50_ms"].notna(), "method"])


@pytest.mark.slow
def test_processes_of_a_training_are_not_misled(script, folder, archive):
    (folder / "bench").mkdir()
    words = ["--images", str(archive), "--budget", "4", "--batch", "4", "--crop", str(SIDE)]
    words += ["--devices", "2", "--networks", "none", "--out", "out"]
    run([*script, "train", "lama", *words], folder)
    assert list((folder / "out").glob("*.safetensors"))


def test_what_was_imported_before_is_told_by_name(folder):
    (folder / "masks.py").write_text("MINE = True\n")
    code = "import sys; sys.path.insert(0, ''); import masks, bench"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert "expected masks to be a package of inpaint-bench, found" in done.stderr
    assert str(folder / "masks.py") in done.stderr
