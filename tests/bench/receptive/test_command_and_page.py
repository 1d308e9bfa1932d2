"""Receptive fields as a command, a table of a run and a page of its report."""

import shutil
import subprocess
import sys

import html5lib
import pandas as pd
import pytest

from bench.cli import main
from bench.errors import InputError
from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.receptive import table as receptive_table
from bench.run.request import Request
from bench.run.runner import run
from reports.build import build

MODULE = "tests.bench.receptive.test_field"
SIDE = 32

# -- the command and the table ------------------------------------------------------------------

METHODS = (f"blur={MODULE}:Blur", f"reading={MODULE}:Reading", "mean", "telea", "lama")


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos):
    out = tmp_path_factory.mktemp("receptive") / "run"
    protocol = Protocol(photos=str(photos), size=64, tiers=("small", "large"))
    run(
        Request(out, protocol, METHODS[:4], ("texture_structure",), executor="inline", offline=True)
    )
    return out


@pytest.fixture(scope="module")
def measured(finished, photos):
    words = ["receptive", *METHODS[:4], "--images", str(photos), "--side", "64", "--out"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words, str(finished)], capture_output=True, text=True
    )
    assert done.returncode == 1, done.stderr  # Telea has none
    return finished, done.stdout


def test_the_command_prints_a_line_for_each_method_and_keeps_the_numbers(measured):
    folder, printed = measured
    store = RunFolder(folder)
    table = store.read_table("receptive.parquet").set_index("method")
    assert list(table.index) == ["blur", "reading", "mean", "telea"]
    assert "3 photos of 64 x 64" in printed
    assert table["status"].to_dict() == {
        "blur": "ok", "reading": "ok", "mean": "ok", "telea": "declined",
    }  # fmt: skip
    assert "telea    declined: has no receptive field" in printed
    assert table.loc["telea", ["r50", "r90", "r99", "r50_low", "r50_even"]].isna().all()
    mean = table.loc["mean"]
    assert mean["network_side"] == mean["side"] == 64
    assert mean["photos"] == 3
    assert f"{100 * mean['r90'] / 64:.1f} [{100 * mean['r90_low'] / 64:.1f}, " in printed
    assert mean["r90"] == mean["r90_even"]
    assert table.loc["reading", "r90_low"] <= table.loc["reading", "r90"]
    lines = [line.split() for line in printed.splitlines()]
    (even,) = [line[1:] for line in lines if line[0] == "(even)"]
    assert even[1] == f"{100 * mean['r90'] / 64:.1f}"
    (gap,) = [
        line for line in lines if line[0] == "mean" and line[-3:] == ["wider", "than", "blur"]
    ]
    assert float(gap[1]) == pytest.approx(
        100 * (mean["r50"] - table.loc["blur", "r50"]) / 64, abs=0.06
    )
    energy = store.read_array(mean["map"])
    assert energy.shape == (64, 64)
    edges = [int(mean[f"hole_{edge}"]) for edge in ("top", "bottom", "left", "right")]
    assert edges == [24, 40, 24, 40]


def test_weights_that_are_missing_and_faults_are_rows_too(photos):
    asked = receptive_table.made([METHODS[4], f"own={MODULE}:Detached"], "cpu")
    given = receptive_table.read(str(photos), SIDE, 1)
    rows = [result.row for result in receptive_table.results(asked, given)]
    assert [row["status"] for row in rows] == ["unavailable", "failed"]
    assert "weights" in rows[0]["reason"]
    assert "cut off" in rows[1]["reason"]


def test_only_methods_of_the_run_as_they_were_are_written_into_it(finished, tmp_path, capsys):
    assert main(["receptive", "noise", "--out", str(finished)]) == 2
    assert "expected methods of the run" in capsys.readouterr().err
    other = f"blur={MODULE}:Near"
    assert main(["receptive", other, "--out", str(finished)]) == 2
    assert "is not what the run" in capsys.readouterr().err
    assert main(["receptive", "mean", "--out", str(tmp_path / "none")]) == 2
    assert "none" in capsys.readouterr().err


def test_photos_that_cannot_be_read_are_named(tmp_path, capsys, photos):
    (tmp_path / "torn.png").write_bytes((photos / "a.png").read_bytes()[:300])
    assert main(["receptive", "mean", "--images", str(tmp_path), "--side", "32"]) == 2
    assert "torn.png" in capsys.readouterr().err
    (tmp_path / "whole.png").write_bytes((photos / "a.png").read_bytes())
    assert main(["receptive", "mean", "--images", str(tmp_path), "--side", "32"]) == 0
    shown = capsys.readouterr()
    assert "left out torn.png" in shown.err
    assert "1 photo of 32 x 32" in shown.out


# -- the page of the report ---------------------------------------------------------------------


def parsed(page):
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page.read_bytes())


def text_of(element):
    return " ".join(" ".join(element.itertext()).split())


@pytest.fixture(scope="module")
def report(measured):
    return measured[0] / "report"


def test_the_page_shows_the_table_the_maps_and_field_against_quality(measured, report):
    folder, _ = measured
    tree = parsed(report / "receptive.html")
    table = RunFolder(folder).read_table("receptive.parquet").set_index("method")
    first, second = tree.findall(".//tbody")
    for row, name in zip(first.findall("tr"), ("blur", "reading", "mean"), strict=True):
        facts = table.loc[name]
        cells = [text_of(cell) for cell in row.findall("td")]
        for cell, radius in zip(cells, ("r50", "r90", "r99"), strict=False):
            low, high = (100 * facts[f"{radius}_{end}"] / 64 for end in ("low", "high"))
            assert cell == f"{100 * facts[radius] / 64:.1f} % [{low:.1f}, {high:.1f}]"
        assert cells[3] == f"{100 * facts['known_share']:.1f} %"
    fields = table.loc[["blur", "reading", "mean"], "r90"].sort_values()
    shares = [float(row.findall("td")[0].get("data-value")) for row in second.findall("tr")]
    assert shares == pytest.approx(list(fields / 64))
    cases = pd.read_parquet(folder / "cases.parquet").query("tier == 'large'")
    shown = [float(row.findall("td")[1].get("data-value")) for row in second.findall("tr")]
    means = cases.groupby("method")["texture_structure"].mean()
    assert shown == pytest.approx([means[name] for name in fields.index])
    page = text_of(tree)
    assert "8-bit pictures, which no gradient passes" in page
    assert "a millionth of it" in page
    assert "no proof of a cause" in page
    assert f"50 % within {100 * table.loc['mean', 'r50'] / 64:.1f} %" in page
    assert 'href="receptive.html"' in (report / "index.html").read_text("utf-8")
    assert len(pd.read_csv(report / "data" / "receptive.csv")) == 4


def test_every_picture_says_what_it_shows_and_nothing_comes_from_a_network(measured, report):
    folder, _ = measured
    pictures = parsed(report / "receptive.html").findall(".//img")
    assert len(pictures) == 4
    table = RunFolder(folder).read_table("receptive.parquet").set_index("method")
    assert f"90 % of it within {table.loc['blur', 'r90']:.0f}" in pictures[1].get("alt")
    assert "by field, from the smallest: blur" in pictures[0].get("alt")
    for picture in pictures:
        text = (report / picture.get("src")).read_text("utf-8")
        assert "<script" not in text
        assert 'href="http' not in text
        assert picture.get("width")
    assert "energy, the largest is 1" in text


def test_the_same_run_gives_the_same_pictures(measured, report, tmp_path):
    folder, _ = measured
    one, other = report / "plots", build(folder, tmp_path / "other").parent / "plots"
    names = sorted(path.name for path in one.glob("field-*"))
    assert len(names) == 4
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in names)


@pytest.fixture
def copy(measured, tmp_path):
    return shutil.copytree(measured[0], tmp_path / "run")


def test_a_lost_map_and_other_weights_are_told(copy):
    (copy / "receptive" / "mean.npy").write_bytes(b"torn")
    store = RunFolder(copy)
    table = store.read_table("receptive.parquet")
    table.loc[table["method"] == "blur", "identity"] = "another"
    store.write_table("receptive.parquet", table)
    page = parsed(build(copy).parent / "receptive.html")
    assert "Its map is not in the run folder" in text_of(page)
    assert "blur CNN its field was measured with other code or weights" in text_of(page)
    assert len(page.findall(".//img")) == 2


def test_without_fields_or_large_holes_there_is_nothing_to_compare(copy):
    store = RunFolder(copy)
    for name in ("plan", "cases"):
        table = store.read_table(f"{name}.parquet")
        store.write_table(f"{name}.parquet", table[table["tier"] != "large"])
    assert "cannot be shown together" in text_of(parsed(build(copy).parent / "receptive.html"))
    table = store.read_table("receptive.parquet")
    store.write_table("receptive.parquet", table[table["method"] == "telea"])
    assert "No method has a field" in text_of(parsed(build(copy).parent / "receptive.html"))
    (copy / "receptive.parquet").unlink()
    report = build(copy).parent
    assert not (report / "receptive.html").exists()
    assert "receptive" not in (report / "index.html").read_text("utf-8")
    assert not (report / "data" / "receptive.csv").exists()


def test_a_method_that_the_run_does_not_know_is_named(copy):
    store = RunFolder(copy)
    table = store.read_table("receptive.parquet").replace({"method": {"blur": "stranger"}})
    store.write_table("receptive.parquet", table)
    with pytest.raises(InputError, match="stranger"):
        build(copy)
