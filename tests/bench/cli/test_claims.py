"""Whether published figures come out here, too, as ``check METHOD --protocol NAME`` says it."""

from __future__ import annotations

import pandas as pd
import pytest
from PIL import Image
from skimage import data

from bench.cli import main
from tests.support.made_up_protocols import NAME, catalogue

ROW = {"figures": {"psnr_db": 20.0}}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name in ("astronaut", "coffee", "chelsea"):
        picture = Image.fromarray(getattr(data, name)())
        picture.resize((32, 32)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The run folder of all that is asked below: made by the first, continued by the others."""
    return tmp_path_factory.mktemp("check") / "run"


def ask(photos, out, *more: str, method: str = "telea") -> int:
    words = ["check", method, "--protocol", NAME, "--images", str(photos), "--out", str(out)]
    return main([*words, "--offline", "--workers", "1", *more])


def last(capsys) -> tuple[list[str], str]:
    """The lines of figures, and the last."""
    lines = capsys.readouterr().out.splitlines()
    known = ("reproduced:", "differs:", "cannot be told:")
    return [line for line in lines if line.startswith(known)], lines[-1]


def test_each_figure_is_reproduced_or_differs_or_cannot_be_told(photos, out, tmp_path, capsys):
    with catalogue(tmp_path, ROW, size="32"):
        assert ask(photos, out) == 1
    assert last(capsys)[1] == (
        "telea by made-up: 0 of 1 figures reproduced, 1 differ, of 0 it cannot be told"
    )
    cases = pd.read_parquet(out / "cases.parquet").query("method == 'telea'")
    means = cases[["psnr_db", "ssim"]].mean()
    right = {"figures": {"psnr_db": means["psnr_db"] + 0.09, "ssim": 1.015 * means["ssim"]}}
    with catalogue(tmp_path, right, size="32"):
        assert ask(photos, out) == 0
    assert [line.partition(",")[0] for line in last(capsys)[0]] == [
        "reproduced: PSNR", "reproduced: SSIM"
    ]  # fmt: skip
    right["figures"]["fid"] = 1.0
    with catalogue(tmp_path, right, size="32"):
        assert ask(photos, out) == 3
    lines, words = last(capsys)
    assert "its fid was not measured" in lines[-1]
    assert words.endswith("2 of 3 figures reproduced, 0 differ, of 1 it cannot be told")


def test_other_pictures_than_were_published_tell_nothing(photos, out, tmp_path, capsys):
    with catalogue(tmp_path, ROW, size="32", expects=4):
        assert ask(photos, out) == 3
    [line], _ = last(capsys)
    assert "the run has 3 pictures, made-up has 4" in line


def test_what_cannot_be_told_of_any_run_is_said_without_one(photos, tmp_path, capsys):
    with catalogue(tmp_path, ROW, reproduces="not reproducible"):
        assert ask(photos, tmp_path / "run") == 3
    assert "Nobody has the photos" in capsys.readouterr().out
    assert not (tmp_path / "run").exists()


def test_a_method_of_ones_own_is_held_against_the_row_it_is_told(photos, out, tmp_path, capsys):
    with catalogue(tmp_path, ROW, size="32", expects=4):
        assert ask(photos, out, method="mean") == 2
        error = capsys.readouterr().err
        assert ask(photos, tmp_path / "own", "--as", "Theirs", method="mean") == 3
    assert "nothing is known to be published of 'mean'" in error
    assert "Published: Theirs" in error
    assert last(capsys)[1].startswith("mean by made-up: ")


@pytest.mark.parametrize("options", [["--images", "x"], ["--as", "x"], ["--offline"]])
def test_options_of_a_run_are_refused_without_a_protocol(options, capsys):
    assert main(["check", "mean", *options]) == 2
    assert f"{options[0]}: for --protocol only" in capsys.readouterr().err
