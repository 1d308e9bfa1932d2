"""Metrics of one's own and of installed packages, from their names to the tables."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bench.cli import main
from bench.errors import BenchError
from bench.gate import baseline
from bench.metrics import METRICS
from bench.metrics.meter import resolve_metrics
from bench.metrics.plug_ins import RESERVED, installed, name_of, resolve
from bench.metrics.record import CaseMetric
from tests.support import commands

OWN = '''
import numpy as np

from bench.metrics.record import case_metric
from own_scale import SCALE


@case_metric(direction="lower", label="Worst pixel", unit="levels", region="hole")
def worst(output, photo, hole):
    """Largest difference in the hole."""
    return np.abs(output[hole].astype(int) - photo[hole]).max() * SCALE


def picky(output, photo, hole):
    output[:] = 0
    if hole.mean() > 0.3:
        raise ValueError("the hole is too large")
    return float("nan") if hole.mean() > 0.1 else 7


picky.direction = "higher"


def undirected(output, photo, hole):
    return 0


@case_metric(direction="higher")
def alike(output, photo, hole):
    return 1


METRIC = [worst, alike]
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The current directory with metrics of the user's."""
    (tmp_path / "own_metrics.py").write_text(OWN)
    (tmp_path / "own_scale.py").write_text("SCALE = 1  # of levels\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    forget()


def forget():
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def install(folder, monkeypatch, **points):
    """Install a package with entry points, as a wheel would."""
    site = folder / "site"
    info = site / "own_package-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join(["[inpaint_bench.metrics]", *lines, ""]))
    monkeypatch.syspath_prepend(site)


def test_a_module_and_a_file_give_the_same_metric_under_the_label(own):
    by_module = resolve("mine=own_metrics:worst")
    by_file = resolve("mine=own_metrics.py:worst")
    assert isinstance(by_module, CaseMetric)
    assert (by_module.name, by_module.label, by_module.direction) == (
        "mine", "Worst pixel", "lower",
    )  # fmt: skip
    assert by_module.definition == "Largest difference in the hole."
    assert by_module.version == by_file.version
    assert resolve("my_own=own_metrics:picky").label == "my_own"


def test_its_code_and_that_of_its_neighbours_is_in_the_signature_but_comments_are_not(own):
    def signature():
        forget()
        return resolve("mine=own_metrics.py:worst").signature

    first = signature()
    (own / "own_metrics.py").write_text(f"# A comment\n{OWN.replace('Largest', 'The largest')}")
    (own / "own_scale.py").write_text("SCALE = 1\n")
    assert signature() == first
    (own / "own_scale.py").write_text("SCALE = 2\n")
    assert signature() != first


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("PSNR", "did you mean psnr_db"),
        ("ssim_hol", "did you mean ssim_hole"),
        ("Lpipz", "did you mean lpips"),
        ("own_metrics:worst", "LABEL=module:function"),
        ("PSNR_dB=own_metrics:worst", "a built-in metric"),
        ("status=own_metrics:worst", "something else in the tables"),
        ("mine=own_metrics", "expected module:function"),
        ("=own_metrics:worst", "expected a name"),
        ("m-1=own_metrics:worst", "expected a name"),
        ("mine=own_metrics:undirected", r'@case_metric\(direction="lower"\)'),
        ("mine=own_metrics:nothing", "no attribute 'nothing'"),
        ("mine=own_metrics:SCALE", "expected a function or a record"),
        ("mine=own_nowhere:worst", "No module named 'own_nowhere'"),
        ("mine=nowhere/own.py:worst", "nowhere/own.py"),
        ("mine=math:sin", r"expected a function of \(output, photo, hole\)"),
        ("mine=bench.metrics.set_table:SETS", "expected a function or a record"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_what_to_do(own, text, words):
    with pytest.raises(BenchError, match=words):
        resolve(text)


def test_a_wrong_direction_and_two_metrics_of_one_name_are_refused(own):
    (own / "own_wrong.py").write_text(OWN.replace('direction="lower"', 'direction="down"'))
    with pytest.raises(BenchError, match="expected higher or lower as direction, found 'down'"):
        resolve("mine=own_wrong.py:worst")
    with pytest.raises(BenchError, match="have one name"):
        resolve_metrics(["mine=own_metrics:worst", "mine=own_metrics:alike"])


def test_names_are_checked_before_anything_heavy_is_loaded(tmp_path):
    code = (
        "import sys\nfrom bench.cli import main\n"
        "status = main(['run', '--metrics', 'PSNR', '--methods', 'mean', '--out', 'never'])\n"
        "print(status, *({'torch', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.split() == ["2"]
    assert "did you mean psnr_db?" in done.stderr
    assert not (tmp_path / "never").exists()


def test_own_metrics_are_in_the_tables_of_a_run_by_workers_and_lose_no_fill(own, photos):
    asked = "psnr_db,worst=own_metrics:worst,picky=own_metrics.py:picky"
    done = commands.run(own / "out", photos, "--methods", "mean", "--metrics", asked, cwd=own)
    assert done.returncode == 0, done.stderr
    rows = pd.read_parquet(own / "out/cases.parquet")
    assert (rows["status"] == "ok").all()
    assert rows["worst"].between(0, 255).all()
    assert (rows.query("method == 'original'")["worst"] == 0).all()
    # Nothing it does to its pictures reaches another metric.
    assert (rows.query("method == 'original'")["psnr_db"] == float("inf")).all()
    share = rows["hole_share"]
    assert (rows.loc[share < 0.1, "picky"] == 7).all()
    assert rows.loc[share > 0.3, "note"].str.contains("picky: ValueError: the hole is too").all()
    between = share.between(0.11, 0.29)
    assert rows.loc[between, "note"].str.contains("picky: expected a finite value, found nan").all()
    table = pd.read_parquet(own / "out/metrics.parquet").set_index("metric")
    assert table.loc["worst", ["label", "unit", "direction", "status"]].tolist() == [
        "Worst pixel", "levels", "lower", "ok",
    ]  # fmt: skip
    assert table.loc["worst", "version"].startswith("code ")
    assert set(rows) - set(METRICS) - {"worst", "picky", "expected"} <= RESERVED


def test_other_code_measures_kept_fills_again(own, photos):
    command = ["--methods", "mean", "--metrics", "psnr_db,worst=own_metrics:worst"]
    commands.run(own / "out", photos, *command, cwd=own)
    first = commands.cases(own / "out")
    (own / "own_scale.py").write_text("SCALE = 2\n")
    commands.run(own / "out", photos, *command, cwd=own)
    again = commands.cases(own / "out")
    assert (again["worst"] == 2 * first["worst"]).all()
    assert (again["seconds"].dropna() == first["seconds"].dropna()).all()  # of the fills


def test_compare_and_gate_know_own_metrics(own, photos, capsys):
    asked = "psnr_db,worst=own_metrics:worst"
    commands.run(own / "out", photos, "--methods", "mean,telea", "--metrics", asked, cwd=own)
    assert main(["compare", "out", "--metrics", "worst"]) == 0
    assert "worst (lower is better)" in capsys.readouterr().out
    assert main(["gate", "out", "out"]) == 0
    assert "metric worst: not gated: no tolerance" in capsys.readouterr().out
    assert main(["baseline", "update", "out", "--file", "base.json"]) == 0
    assert baseline.read(Path("base.json")).metrics["metric"].tolist() == ["psnr_db"]


def test_installed_packages_add_metrics_by_name(own, monkeypatch, capsys, photos):
    install(own, monkeypatch, sharpest="own_metrics:picky", several="own_metrics")
    monkeypatch.syspath_prepend(own)
    metrics, broken = installed()
    assert (set(metrics), broken) == ({"sharpest", "worst", "alike"}, {})
    assert name_of("sharpest") == "sharpest"
    assert resolve("worst").label == "Worst pixel"
    with pytest.raises(BenchError, match="installed package"):
        name_of("worst=own_metrics:alike")
    with pytest.raises(BenchError, match="did you mean sharpest"):
        name_of("sharpes")
    assert main(["list"]) == 0
    assert "Worst pixel" in capsys.readouterr().out
    environment = {"PYTHONPATH": f"{own}:{own / 'site'}"}
    done = commands.run(
        own / "out", photos, "--methods", "mean", "--metrics", "worst", env=environment
    )
    assert done.returncode == 0, done.stderr
    assert pd.read_parquet(own / "out/cases.parquet")["worst"].notna().all()


def test_a_broken_or_taken_one_of_a_package_is_a_reason_and_not_the_end(own, monkeypatch, capsys):
    install(
        own, monkeypatch, broken="own_broken:f", ssim="own_metrics:worst", fine="own_metrics:worst",
        vague="own_metrics:undirected",
    )  # fmt: skip
    (own / "own_broken.py").write_text("import a_module_nobody_has")
    monkeypatch.syspath_prepend(own)
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "No module named 'a_module_nobody_has'" in shown
    assert "'ssim' is the name of a built-in metric" in shown
    assert "does not say which values are better" in shown
    metrics, broken = installed()
    assert (set(metrics), set(broken)) == ({"fine"}, {"broken", "ssim", "vague"}), broken
    with pytest.raises(BenchError, match=r"cannot be used: .*a_module_nobody_has"):
        name_of("broken")
    assert resolve("ssim") is METRICS["ssim"]


@pytest.mark.parametrize("option", [["--weights", "lpips-alex={}"], ["--lpips-weights", "{}"]])
def test_weights_are_given_by_the_name_of_the_network(option, tmp_path, photos, capsys):
    wrong = tmp_path / "wrong.pth"
    wrong.write_bytes(b"wrong")
    out = ["--out", str(tmp_path / "out"), "--images", str(photos), "--size", "64"]
    given = [word.format(wrong) for word in option]
    assert main(["run", *out, "--methods", "mean", "--metrics", "lpips", *given]) == 2
    assert f"{wrong}: expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("lpips-alx=f", "Did you mean lpips-alex?"),
        ("lama/big-lama=f", "inpaint-bench weights add"),
        ("lpips-alex", "expected NAME=FILE"),
    ],
)
def test_weights_of_no_metric_are_refused(given, words, capsys):
    assert main(["run", "--weights", given]) == 2
    assert words in capsys.readouterr().err
