"""One report of several runs."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import html5lib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.cli import main
from bench.errors import BenchError, InputError
from bench.folder import side_by_side, thumbnails
from bench.folder.store import KEYS
from bench.planning.protocol import Protocol
from bench.run import runner
from bench.run.request import Request
from bench.statistics import headline_metric
from reports.build import build, read_run
from reports.results.ranking import rank
from tests.support import sample_run
from tests.support.reading import change_header, edit, texts

PRINT = "photos:0123456789/3 size:sample paste:known-8bit"


def text_of(path: Path) -> str:
    return texts(html5lib.parse(path.read_bytes()))


def keep_methods(folder: Path, *names: str) -> None:
    for table in ("cases", "methods", "sets"):
        edit(folder, table, lambda t: t[t["method"].isin([*names, "original"])])


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("joined") / "whole"
    sample_run.write_run(folder, side=32, tiers=["small", "large"])
    change_header(folder, fill_keys={name: name for name in pd.read_parquet(
        folder / "methods.parquet")["method"]})  # fmt: skip
    return folder


@pytest.fixture
def pair(whole, tmp_path) -> list[Path]:
    """Two runs of the same protocol: of two methods each, Telea in both; the ceiling too."""
    runs = [Path(shutil.copytree(whole, tmp_path / "runs" / name)) for name in ("one", "two")]
    keep_methods(runs[0], "telea", "ns")
    keep_methods(runs[1], "telea", "shiftmap", "mean")
    return runs


def made_by_other_code(run: Path, method: str = "telea") -> None:
    keys = json.loads((run / "run.json").read_text())["fill_keys"]
    change_header(run, fill_keys=keys | {method: "other"})
    edit(run, "methods", lambda t: t.assign(identity=t["identity"].replace(
        f"sample:{method}", "sample:new")))  # fmt: skip
    edit(run, "cases", lambda t: t.assign(texture_structure=t["texture_structure"].where(
        t["method"] != method, t["texture_structure"] * 0.9)))  # fmt: skip


def test_methods_of_all_runs_are_ranked_together_as_in_one_run(pair, whole, tmp_path):
    assert main(["report", *map(str, pair), "--out", str(tmp_path / "report")]) == 0
    keep_methods(whole_copy := Path(shutil.copytree(whole, tmp_path / "whole")),
                 "telea", "ns", "shiftmap", "mean")  # fmt: skip
    build(whole_copy)
    both = [pd.read_csv(place / "data" / "summary.csv").sort_values(["tier", "method", "metric"])
            for place in (tmp_path / "report", whole_copy / "report")]  # fmt: skip
    assert both[0].reset_index(drop=True).equals(both[1].reset_index(drop=True))
    page = text_of(tmp_path / "report" / "index.html")
    assert "One report of 2 runs: one and two" in page
    assert "telea is the same in one and two" in page
    assert "different protocols" not in page


def test_no_command_is_offered_that_one_folder_cannot_serve(pair, tmp_path):
    assert main(["report", *map(str, pair), "--out", str(tmp_path / "both")]) == 0
    for page in (tmp_path / "both").rglob("*.html"):
        assert "RUN" not in page.read_text("utf-8")


def test_all_pictures_are_found_in_their_runs(pair, tmp_path):
    report = tmp_path / "report"
    assert main(["report", *map(str, pair), "--out", str(report)]) == 0
    assert "picture not kept" not in (report / "tiers" / "large.html").read_text("utf-8")
    methods = {"one": ["telea", "ns"], "two": ["telea", "shiftmap", "mean"]}
    shown = {path.name for path in (report / "pictures").rglob("*.webp")}
    holes = [np.array(Image.open(path)) for path in pair[0].glob("masks/*.png")]
    for run, names in methods.items():
        for name in names:
            for path in (pair[0].parent / run / "outputs" / name).rglob("*.png"):
                fill = np.array(Image.open(path))
                pictures = [thumbnails.patch(fill, hole) for hole in holes]
                assert {
                    f"{hashlib.sha256(each).hexdigest()[:16]}.webp" for each in pictures
                } & shown


def test_one_name_for_different_code_becomes_one_method_a_run(pair, tmp_path):
    made_by_other_code(pair[1])
    report = tmp_path / "report"
    assert main(["report", *map(str, pair), "--out", str(report)]) == 0
    table = pd.read_csv(report / "data" / "summary.csv")
    assert {"telea (one)", "telea (two)", "ns", "shiftmap"} <= set(table["method"])
    assert "telea" not in set(table["method"])
    page = text_of(report / "index.html")
    assert "telea was run with other code, weights or settings in one and two" in page
    assert "Telea (one)" in page
    assert "Telea (two)" in page
    of_large = table[(table["metric"] == "texture_structure") & (table["tier"] == "large")]
    one, two = (of_large.set_index("method")["mean"][f"telea ({n})"] for n in ("one", "two"))
    assert two == pytest.approx(0.9 * one)


def test_a_case_is_taken_from_the_run_that_completed_it(pair, tmp_path):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        lost = (cases["method"] == "telea") & (cases["photo"] == "coffee.png")
        cases.loc[lost, ["status", "output"]] = ["failed", ""]
        return cases

    edit(pair[0], "cases", fail)
    side_by_side.join(tmp_path, pair)
    rows = pd.read_parquet(tmp_path / "cases.parquet")
    assert not rows.duplicated(KEYS).any()
    own = rows[rows["method"] == "telea"].set_index("photo")
    assert (own["status"] == "ok").all()
    assert own["output"].str.startswith("run-1/").groupby(level=0).all().to_dict() == {
        "astronaut.png": False, "chelsea.png": False, "coffee.png": True,
    }  # fmt: skip


def test_other_protocols_are_refused_with_each_difference(pair, tmp_path, capsys):
    change_header(pair[1], fingerprint=PRINT.replace("0123456789", "9876543210"))
    assert main(["report", *map(str, pair), "--out", str(tmp_path / "report")]) == 2
    said = capsys.readouterr().err
    assert "photos: 0123456789/3 in A, 9876543210/3 in B (A: one, B: two)" in said
    assert "--anyway" in said
    assert not (tmp_path / "report").exists()


def test_anyway_prints_the_difference_on_every_page(pair, tmp_path):
    change_header(pair[1], fingerprint=PRINT.replace("sample", "512"))
    report = tmp_path / "report"
    assert main(["report", *map(str, pair), "--out", str(report), "--anyway"]) == 0
    pages = list(report.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        assert "size: sample in A, 512 in B (A: one, B: two)" in text_of(page), page
    assert "size: sample in A, 512 in B" in (report / "data" / "summary.md").read_text()


def test_fills_of_other_photos_are_not_shown_beside_these(pair, tmp_path):
    change_header(pair[1], fingerprint=PRINT.replace("0123456789", "9876543210"))
    for table in ("plan", "cases"):
        edit(pair[1], table, lambda t: t.assign(case_key=t["case_key"].where(
            t["photo"] != "coffee.png", "other")))  # fmt: skip
    side_by_side.join(tmp_path, pair, anyway=True)
    rows = pd.read_parquet(tmp_path / "cases.parquet").set_index(["method", "photo"])
    assert (rows.loc["shiftmap"].loc["coffee.png", "output"] == "").all()
    assert (rows.loc["shiftmap"].loc["chelsea.png", "output"] != "").all()
    assert (rows.loc["ns"].loc["coffee.png", "output"] != "").all()
    notes = json.loads((tmp_path / "run.json").read_text())["joined"]["notes"]
    assert any("2 cases of two have the name of a case before" in note for note in notes)


def test_a_metric_that_one_run_lacks_compares_nobody(pair, tmp_path):
    edit(pair[1], "metrics", lambda t: t.assign(status=t["status"].where(
        t["metric"] != "texture_structure", "absent"), reason="no time"))  # fmt: skip
    report = tmp_path / "report"
    assert main(["report", *map(str, pair), "--out", str(report)]) == 0
    assert "not measured in two, so nobody is compared by it" in text_of(report / "index.html")
    assert "texture_structure" not in set(pd.read_csv(report / "data" / "summary.csv")["metric"])


def test_an_incomplete_run_makes_the_report_incomplete(pair, tmp_path):
    change_header(pair[1], state="interrupted", missing=2)
    report = tmp_path / "report"
    assert main(["report", *map(str, pair), "--out", str(report)]) == 0
    assert "This run is not complete. Its state is “interrupted”; 2 fills" in text_of(
        report / "index.html"
    )


def test_runs_of_one_name_are_told_apart_by_their_path(whole, tmp_path):
    runs = [Path(shutil.copytree(whole, tmp_path / side / "run")) for side in ("a", "b")]
    assert side_by_side._labels(runs) == ["a/run", "b/run"]
    made_by_other_code(runs[1])
    side_by_side.join(tmp_path / "joined", runs)
    names = set(pd.read_parquet(tmp_path / "joined" / "methods.parquet")["method"])
    assert {"telea (a/run)", "telea (b/run)"} <= names


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{0}", "{0}", "--out", "x"], "given twice"),
        (["{0}", "{1}"], "--out"),
        (["{0}", "{1}", "--out", "x", "--baseline", "y"], "--baseline"),
        (["{0}", "--anyway"], "--anyway"),
        (["{0}", "{0}/none", "--out", "x"], "none"),
    ],
)
def test_requests_that_cannot_be_served_are_refused(pair, capsys, arguments, words):
    assert main(["report", *(argument.format(*pair) for argument in arguments)]) == 2
    assert words in capsys.readouterr().err


def test_tables_from_elsewhere_show_no_files_outside_of_the_runs(pair, tmp_path):
    (tmp_path / "secret.png").write_bytes(next(pair[0].glob("photos/*.png")).read_bytes())
    for path in ("../../secret.png", str(tmp_path / "secret.png")):
        edit(pair[1], "cases", lambda t, p=path: t.assign(output=p))
        folders = side_by_side.join(tmp_path / "joined", pair)
        run = read_run(tmp_path / "joined", folders)
        outputs = run.cases.loc[run.cases["method"] == "shiftmap", "output"]
        assert len(outputs) == 6
        assert not any(run.file(name) for name in outputs)


def test_the_same_runs_give_the_same_bytes(pair, tmp_path):
    trees = []
    for name in ("a", "b"):
        report = tmp_path / name
        assert main(["report", *map(str, pair), "--out", str(report)]) == 0
        files = sorted(path for path in report.rglob("*") if path.is_file())
        trees.append({str(path.relative_to(report)): path.read_bytes() for path in files})
    assert trees[0] == trees[1]


def test_two_real_runs_of_one_protocol(photos, tmp_path):
    """Runs of this code: their fingerprints agree though they ran different methods."""
    protocol = Protocol(photos=str(photos), size=64, tiers=("small",))
    for name, method in (("a", "telea"), ("b", "navier_stokes")):
        runner.run(Request(tmp_path / name, protocol, methods=(method, "mean"), offline=True,
                           metrics=("psnr_db", "texture_structure"),
                           executor="inline"))  # fmt: skip
    folders = side_by_side.join(tmp_path / "joined", [tmp_path / "a", tmp_path / "b"])
    run = read_run(tmp_path / "joined", folders)
    ranking = rank(run, "small", headline_metric(run.metrics))
    assert {scores.method for scores in ranking.ranked} == {"telea", "navier_stokes"}
    assert {scores.method for scores in ranking.marks} == {"mean", "original"}
    assert all(run.file(name) for name in run.cases["output"])
    assert all(run.file(name) for name in run.cases["thumbnail"] if name)
    assert np.isfinite(ranking.ranked[1].gap.interval.mean)


def test_a_folder_that_is_no_run_is_named(pair, tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        side_by_side.join(tmp_path, [pair[0], tmp_path / "nowhere"])
    with pytest.raises(BenchError):
        side_by_side.join(tmp_path, [pair[0], pair[0]])
