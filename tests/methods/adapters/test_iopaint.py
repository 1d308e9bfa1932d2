"""IOPaint as a method: what it is asked, what it lacks, and its own OpenCV model for real."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import methods
from bench.errors import BenchError
from bench.folder.store import RunFolder
from bench.planning.pictures import hole_of, photo_of
from tests.support import commands

ROOT = Path(__file__).parents[3]
FLAGS = {"INPAINT_NS": cv2.INPAINT_NS, "INPAINT_TELEA": cv2.INPAINT_TELEA}


def test_without_iopaint_it_is_said_how_to_install_it(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BenchError, match=r"(?s)iopaint: .*-m venv .*pip install iopaint") as raised:
        methods.get("mine=iopaint:cv2")
    page = (ROOT / "docs/methods/iopaint.md").read_text("utf-8")
    assert all(line in page for line in str(raised.value).splitlines()[1:3])


def test_settings_are_part_of_what_it_is():
    texts = ["", ", steps=20", ", cv2_radius=5", ", strategy=Crop", ", seed=None"]
    made = [methods.get(f"mine=iopaint:mat(python={sys.executable}{each})") for each in texts]
    assert len({each.identity for each in made}) == len(texts)
    assert "sd_steps 20" in made[1].card.summary
    assert [each.card.stochastic for each in made] == [False] * 4 + [True]
    assert made[0].card.title == "mat (IOPaint)"


def test_an_environment_without_iopaint_is_said(tmp_path):
    method = methods.get(f"mine=iopaint:cv2(python={sys.executable})")
    with pytest.raises(BenchError, match=r"version: .*iopaint"):
        method.load()


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """The interpreter of an environment that IOPaint was installed in."""
    folder = tmp_path_factory.mktemp("iopaint") / "iopaint-env"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin/pip"), "install", "-q", "iopaint"]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"IOPaint cannot be installed here: {done.stderr[-500:]}")
    return folder / "bin/python"


@pytest.mark.nightly
@pytest.mark.parametrize("flag", FLAGS)
def test_its_opencv_model_gives_the_fills_of_opencv(python, tmp_path, flag):
    asked = f"mine=iopaint:cv2(python={python}, cv2_flag={flag}, cv2_radius=5)"
    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", "--methods", asked, "--limit", "3",
         "--metrics", "psnr_db,drift", "--out", str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/report/index.html").is_file()
    store = RunFolder(tmp_path / "out")
    plan = pd.read_parquet(tmp_path / "out/plan.parquet").set_index("case_key")
    rows = commands.cases(tmp_path / "out").loc["mine"]
    assert set(rows["status"]) == {"ok"}
    assert set(rows["drift"]) == {0}
    assert len(rows) == 9
    for row in rows.itertuples():
        case = plan.loc[row.case_key]
        hole = hole_of(case["mask_sha"], store)
        photo = np.where(hole[..., None], 0, photo_of(case["photo_sha"], store)).astype(np.uint8)
        wanted = cv2.inpaint(photo, hole.astype(np.uint8) * 255, 5, FLAGS[flag])
        assert np.array_equal(store.read_picture(row.output), wanted)
    table = pd.read_parquet(tmp_path / "out/methods.parquet").set_index("method")
    assert re.fullmatch(r"IOPaint, \d+\.\d+\.\d+", table.loc["mine", "implementation"])


@pytest.mark.nightly
def test_a_setting_that_it_does_not_know_is_refused(python):
    method = methods.get(f"mine=iopaint:cv2(python={python}, cv2_radiu=5)")
    with pytest.raises(BenchError, match=r"knows no cv2_radiu; it knows .*cv2_radius"):
        method.load()
