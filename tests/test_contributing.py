"""The contributor's pages: examples that stand alone are run, files that they name exist."""

import re
from pathlib import Path

import numpy as np
import pytest

from bench.cli import main
from bench.metrics.meter import Meter
from bench.metrics.pair import Original, Pair
from methods.conformance import check

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "contributing").glob("*.md"))


@pytest.fixture
def example(tmp_path):
    """Write the example of a page into a file, as a reader would."""

    def write(page: str, file: str) -> Path:
        text = (ROOT / "docs" / "contributing" / page).read_text("utf-8")
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        (tmp_path / file).write_text(code, "utf-8")
        return tmp_path / file

    return write


def test_the_example_of_a_method_keeps_every_rule_with_any_reach(example):
    path = example("method.md", "nearby.py")
    for parameters in ("", "(reach=1)", "(reach=31)"):
        results = check(f"mine={path}:Nearby{parameters}")
        assert {each.status for each in results} == {"passed"}


def test_the_example_of_a_metric_measures_what_it_says(example):
    path = example("metric.md", "tint.py")
    photo = np.full((32, 32, 3), 100, np.uint8)
    hole = np.zeros((32, 32), np.bool_)
    hole[8:24, 8:24] = True
    output = photo.copy()
    output[hole] += np.array([1, 30, 2], np.uint8)
    meter = Meter([f"tint={path}:tint"])
    assert meter.measure(Pair(output, Original(photo), hole)).values["tint"] == 30
    assert meter.measure(Pair(photo, Original(photo), hole)).values["tint"] == 0


@pytest.mark.slow
def test_the_commands_for_both_work(example, monkeypatch, tmp_path, capsys):
    example("method.md", "nearby.py")
    example("metric.md", "tint.py")
    monkeypatch.chdir(tmp_path)
    words = "--methods a=nearby.py:Nearby --metrics tint=tint.py:tint --executor inline --no-report"
    assert main(["run", "--limit", "2", "--out", "runs/own", *words.split()]) == 0
    assert main(["compare", "runs/own", "--metrics", "tint"]) == 0
    assert "tint" in capsys.readouterr().out


@pytest.mark.parametrize("path", [ROOT / "CONTRIBUTING.md", *PAGES], ids=lambda path: path.name)
def test_files_that_a_page_names_exist(path):
    text = path.read_text("utf-8")
    for link in re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", text):
        assert (path.parent / link).exists(), link
    made_here = re.compile("toy|slowest|nearby|tint|runs/")
    for name in re.findall(r"`((?:bench|methods|reports|tests|docs)/[\w/.-]*\w)`", text):
        assert made_here.search(name) or (ROOT / name).exists(), name
