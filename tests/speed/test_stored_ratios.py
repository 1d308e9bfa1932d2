"""The comparison of measured ratios with stored ones, on what pytest-benchmark really writes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.speed.compare import MARGIN, main

ROOT = Path(__file__).parents[2]
BENCHMARKS = """
import json, os, pytest

FIGURES = json.loads(os.environ["FIGURES"])

@pytest.mark.parametrize("name", FIGURES)
def test_it(benchmark, name):
    benchmark(int)
    benchmark.extra_info.update(FIGURES[name])
"""


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Run benchmarks that keep what they are told to; gives the file that tells of them."""
    folder = tmp_path_factory.mktemp("benchmarks")
    (folder / "test_speed.py").write_text(BENCHMARKS)
    # Told of the cores that the tests share, pytest-benchmark would not measure.
    alone = {name: value for name, value in os.environ.items() if "XDIST" not in name}

    def run(**figures):
        report = folder / f"{len(list(folder.iterdir()))}.json"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        speed = ["--benchmark-min-rounds=1", "--benchmark-max-time=0", "--benchmark-warmup=off"]
        subprocess.run(
            [*words, *speed, f"--benchmark-json={report}", "test_speed.py"],
            cwd=folder,
            env={**alone, "FIGURES": json.dumps(figures)},
            check=True,
            capture_output=True,
        )
        return report

    return run


@pytest.fixture(scope="module")
def stored(measured, tmp_path_factory):
    path = tmp_path_factory.mktemp("stored") / "baseline.json"
    found = measured(quick={"ratio": 4.0, "against": "plain"}, overhead={"share": 0.1})
    assert main([str(path), str(found), "--store"]) == 0
    return path


def test_stored_are_names_and_ratios_only(stored):
    figures = json.loads(stored.read_text())
    assert [name.partition("::")[0] for name in figures] == ["test_speed.py"] * 2
    assert sorted(map(str, figures.values())) == ["{'ratio': 4.0}", "{'share': 0.1}"]


def test_what_is_as_good_as_stored_is_not_mentioned(stored, measured, capsys):
    found = measured(quick={"ratio": 4 / MARGIN + 0.1}, overhead={"share": 0.1 * MARGIN - 0.01})
    assert main([str(stored), str(found)]) == 0
    assert capsys.readouterr().out == "2 of 2 stored found\n"


def test_a_benchmark_that_vanished_or_kept_no_ratio_is_no_success(stored, measured, capsys):
    for found in (measured(overhead={"share": 0.1}), measured(quick={}, overhead={"share": 0.1})):
        assert main([str(stored), str(found)]) == 4
        told = capsys.readouterr().out
        assert "VANISHED" in told
        assert "[quick]" in told
        assert "1 of 2 stored found" in told


def test_what_is_new_and_what_is_worse_is_listed(stored, measured, capsys):
    found = measured(quick={"ratio": 2.0}, overhead={"share": 0.2}, further={"ratio": 9.0})
    assert main([str(stored), str(found)]) == 0
    *told, _ = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["new", "worse", "worse"]
    assert "9.00 times as fast" in told[0]
    assert any("4.00 times as fast stored, 2.00 times as fast now" in line for line in told)
    assert any("a share of 10.0% stored, a share of 20.0% now" in line for line in told)


def test_a_figure_of_another_kind_is_listed(stored, measured, capsys):
    found = measured(quick={"share": 0.5}, overhead={"share": 0.1})
    assert main([str(stored), str(found)]) == 0
    assert "changed" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "[]", '{"benchmarks": [{"fullname": "x"}]}'])
def test_files_of_another_kind_are_an_error(stored, tmp_path, content, capsys):
    path = tmp_path / "found.json"
    path.write_text(content)
    assert main([str(stored), str(path)]) == 2
    assert main([str(stored), str(tmp_path / "nothing.json")]) == 2
    assert "expected two files of benchmarks" in capsys.readouterr().err


def test_every_stored_benchmark_still_exists():
    stored = json.loads((ROOT / "tests/speed/baseline.json").read_text())
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/speed"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert stored
    assert set(stored) <= set(collected.stdout.splitlines())
