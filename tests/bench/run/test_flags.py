"""Odd outputs in a run: on their row, on the console, in notes and in the report."""

import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import inpaint_bench as ib
from bench.cli import main
from bench.folder.read import read_run
from bench.folder.store import RunFolder
from bench.run import summary
from bench.statistics.notes import flagged
from tests.support import commands

ODD = "the whole picture is of one colour"
OWN = ("--executor", "inline", "--tiers", "region,large")
METHODS = ",".join(f"{n}=tests.support.faulty:{n}" for n in ("OneColour", "ExchangesColours"))


@pytest.fixture(scope="module")
def out(photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("odd") / "out"
    assert main(commands.words(out, photos, *OWN, "--methods", f"telea,{METHODS}")) == 1
    return out


def rows(out, method):
    cases = RunFolder(out).read_table("cases.parquet")
    return cases[cases["method"] == method].reset_index()


def test_what_is_odd_is_flagged_and_what_is_broken_is_refused(out):
    assert set(rows(out, "telea")["flags"]) == {""}
    odd = rows(out, "OneColour")
    assert set(odd["status"]) == {"ok"}
    assert list(odd["flags"]) == [ODD if photo == "b.png" else "" for photo in odd["photo"]]
    broken = rows(out, "ExchangesColours")
    assert set(broken["status"]) == {"failed"}
    assert broken["reason"].str.match("output: known pixels fit the photo better as BGR.*; ").all()


def test_fills_that_are_measured_anew_stay_flagged(out, photos, capsys):
    before = rows(out, "OneColour")
    words = commands.words(out, photos, *OWN, "--methods", f"telea,{METHODS}")
    words[words.index("--metrics") + 1] += ",l1"
    assert main(words) == 1
    after = rows(out, "OneColour")
    assert after["l1"].notna().all()
    assert after["seconds"].equals(before["seconds"])  # the fills are those of before
    assert after["flags"].equals(before["flags"])
    assert f"OneColour: 2 flagged: {ODD} (first: b.png, region)" in capsys.readouterr().out


def test_notes_say_of_which_methods_more_than_a_few_fills_are_odd(out, capsys):
    assert main(["compare", str(out)]) == 0
    assert f"OneColour: 2 of 6 fills flagged: {ODD}" in " ".join(capsys.readouterr().out.split())
    cases = read_run(out).cases
    assert list(flagged(cases)) == ["OneColour"]
    many = cases[cases["method"] == "telea"]
    many = many.loc[many.index.repeat(40)].assign(flags="")
    many.iloc[:5, many.columns.get_loc("flags")] = "odd (off by 1)"
    assert flagged(many) == {}


def test_the_report_marks_the_method_and_its_case(out, tmp_path):
    assert main(["report", str(out), "--out", str(tmp_path / "site")]) == 0
    pages = {path: path.read_text("utf-8") for path in (tmp_path / "site").rglob("*.html")}
    marked = {path.parent.name for path, text in pages.items() if "2 of 6 fills flagged" in text}
    assert marked >= {"site", "tiers"}
    assert sum(f"flagged: {ODD}" in text for path, text in pages.items() if "cases" in str(path))


def test_an_older_run_without_flags_is_read(out, tmp_path):
    shutil.copytree(out, tmp_path, dirs_exist_ok=True)
    table = pq.read_table(tmp_path / "cases.parquet").drop_columns(["flags"])
    pq.write_table(table, tmp_path / "cases.parquet")
    assert set(read_run(tmp_path).cases["flags"]) == {""}
    assert "flagged" not in "".join(summary.of_run(RunFolder(tmp_path)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda pixels: pixels[..., ::-1], "as BGR"),
        (lambda pixels: np.roll(pixels, 1, 1), "moved by a pixel right"),
        (lambda pixels: 255 - pixels, "as values of 1 to 0"),
    ],
)
def test_a_folder_of_broken_outputs_is_found(change, words, out, photos, tmp_path, capsys):
    for row in rows(out, "telea").to_dict("records"):
        pixels = np.asarray(Image.open(out / row["output"]))
        file = tmp_path / "theirs" / row["tier"] / f"{row['photo']}-{row['draw']}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.ascontiguousarray(change(pixels))).save(file)
    own = ("--methods", f"theirs=folder:{tmp_path / 'theirs'}")
    assert main(commands.words(tmp_path / "out", photos, *OWN, *own)) == 1
    said = f"theirs completed no case: 6 failed: output: known pixels fit the photo better {words}"
    assert said in capsys.readouterr().err


def test_a_notebook_is_told_too():
    photo = np.random.default_rng(0).integers(40, 256, (64, 64, 3), np.uint8)
    hole = np.zeros((64, 64), bool)
    hole[20:40, 20:40] = True

    class Exchanges(ib.Inpainter):
        card = ib.Card("exchanges", "Exchanges", "other")

        def infer(self, images, masks, generator):
            return (images + 0.5 * masks).flip(1)

    with pytest.raises(ib.BenchError, match="as BGR"):
        ib.fill(photo, hole, Exchanges)
