"""The wheel holds all that the tree holds, and works in a fresh environment outside of it."""

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bench", "inpaint_bench", "masks", "methods", "reports")
BIN = "Scripts" if sys.platform == "win32" else "bin"
TYPED = """
from pathlib import Path

import numpy as np

import inpaint_bench as ib


class Grey(ib.Inpainter):
    card = ib.Card("grey", "Grey", "other")


photo, hole = np.zeros((64, 64, 3)), np.zeros((64, 64), bool)
filled = ib.fill(photo, hole, Grey)
values = ib.measure(ib.fill_details(photo, hole), photo, hole)
found = ib.run("photos", methods=["telea", Grey], out=Path("runs/mine"), tiers=["large"])
ranks = ib.compare(found, metrics=["psnr_db"]).ranks
levels: int = filled.max() + 1
worst: float = min(values.values())
seconds: float = ib.fill_details("a.png", "b.png").seconds
print(ranks, found.cases, ib.methods(), ib.metrics())
"""
WRONG = """
import inpaint_bench as ib

filled: str = ib.fill("a.png", "b.png")
ib.run(method="telea")
ib.measure("a.png", "b.png")
"""


def run(*command, **options):
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=900, **options
    )
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    found = run("git", "ls-files", "-z", *PACKAGES, cwd=ROOT).split("\0")
    return [name for name in found if name]


@pytest.fixture(scope="module")
def wheel(tracked, tmp_path_factory) -> Path:
    """The wheel of what is tracked, built where no earlier build lies about."""
    folder = tmp_path_factory.mktemp("tree")
    for name in [*tracked, "pyproject.toml", "README.md", "LICENSE"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    run(sys.executable, "-m", "pip", "wheel", folder, "--no-deps", "-w", folder / "dist")
    (path,) = (folder / "dist").glob("*.whl")
    return path


@pytest.fixture(scope="module")
def fresh(wheel, tmp_path_factory) -> Path:
    """The programs of an environment with this wheel, and the libraries of the one here."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=True)
    python = folder / BIN / "python"
    run(python, "-m", "pip", "install", "--no-deps", wheel)
    where = run(python, "-c", "import site; print(site.getsitepackages()[0])").strip()
    # As folders to look into only, so that what was installed from the tree is not found.
    libraries = [path for path in sys.path if "site-packages" in path]
    (Path(where) / "libraries.pth").write_text("\n".join(libraries))
    return folder / BIN


@pytest.mark.nightly
def test_the_wheel_holds_every_file(wheel, tracked):
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert held == set(tracked)
    assert wheel.stat().st_size < 40e6


@pytest.mark.nightly
def test_it_works_outside_of_the_tree(fresh, tmp_path):
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    options = {"cwd": tmp_path, "env": environment}
    code = "import inpaint_bench as ib, methods; print(ib.__file__, methods.__file__)"
    places = run(fresh / "python", "-c", code, **options).split()
    assert all(Path(place).is_relative_to(fresh.parent) for place in places)
    assert "lama:small" in run(fresh / "inpaint-bench", "list", **options)
    asked = ["--methods", "telea,lama:small", "--metrics", "psnr_db", "--limit", "2", "--offline"]
    run(fresh / "inpaint-bench", "run", *asked, "--out", "run", **options)
    assert (tmp_path / "run" / "report" / "index.html").exists()
    code = "import inpaint_bench as ib; print(set(ib.read_run('run').cases['status']))"
    assert run(fresh / "python", "-c", code, **options).strip() == "{'ok'}"
    gate = ["gate", "run", "run", "--markdown", "verdict.md"]
    run(fresh / "inpaint-bench", *gate, **options)


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("script", "wrong_lines"), [(TYPED, set()), (WRONG, {4, 5, 6})], ids=["right", "wrong"]
)
def test_what_a_user_writes_is_checked_for_types(script, wrong_lines, fresh, tmp_path):
    (tmp_path / "script.py").write_text(script)
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", fresh / "python"]
    done = subprocess.run(
        [*map(str, command), "script.py"], cwd=tmp_path, capture_output=True, text=True
    )
    found = {int(line) for line in re.findall(r"^script\.py:(\d+): error", done.stdout, re.M)}
    assert found == wrong_lines, done.stdout + done.stderr
