"""The exit status of a comparison of two runs, for CI."""

import numpy as np
import pytest

from bench.cli import main
from tests.support import run_builder

PLAN = run_builder.plan([f"p{i}" for i in range(20)], ("small", "large"))


def write(folder, **shifts):
    """A run of methods that are so many dB better."""
    noise = np.random.default_rng(len(folder.name)).normal(0, 0.1, len(PLAN))
    fills = (
        row
        for name, shift in shifts.items()
        for row in run_builder.fills(
            PLAN, name, psnr_db=20 + shift + noise, ssim_hole=0.5 + 0 * noise
        ).to_dict("records")
    )
    return str(
        run_builder.write(
            folder,
            run_builder.header("photos:aa/20 masks:bb/40"),
            plan=PLAN,
            inputs=run_builder.inputs(PLAN),
            cases=fills,
            metrics=run_builder.metrics(["psnr_db", "ssim_hole"]),
            methods=run_builder.methods(dict.fromkeys(shifts, "other")),
        )
    )


@pytest.fixture
def runs(tmp_path):
    old = write(tmp_path / "old", a=0.0, b=0.0)
    return old, write(tmp_path / "other", a=-1.0, b=1.0), write(tmp_path / "better", a=1.0, b=0.0)


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_method_that_is_significantly_worse_fails_and_is_named(form, runs, capsys):
    old, worse, better = runs
    asked = ["--metrics", "psnr_db", "--fail-if-worse", "--format", form]
    assert main(["compare", old, worse, *asked]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(" [")[0].rpartition(": ")[0] for line in said] == [
        "worse: a, small, psnr_db", "worse: a, large, psnr_db",
    ]  # fmt: skip
    assert main(["compare", old, better, *asked]) == 0
    assert "no method is significantly worse" in capsys.readouterr().err
    assert main(["compare", old, worse, "--metrics", "psnr_db"]) == 0
    assert main(["compare", old, worse, "--metrics", "ssim_hole", "--fail-if-worse"]) == 0


def test_it_wants_two_runs_with_something_to_compare(runs, tmp_path, capsys):
    assert main(["compare", runs[0], "--fail-if-worse"]) == 2
    assert "expected two runs, found one" in capsys.readouterr().err
