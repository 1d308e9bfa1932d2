"""``inpaint-bench figure``: which cases, how said, and whether the pixels are those measured."""

from __future__ import annotations

import io
import re
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.folder.shown_cases import case_hash
from bench.statistics import CASE
from reports.build import read_run
from reports.paper import figure
from reports.paper.figure import Wish
from reports.results.orders import orders
from reports.results.ranking import rank
from reports.site import gallery
from tests.support.made_up_values import ranking_of, with_values


def pictures(pdf: Path) -> list[np.ndarray]:
    """The pictures in a PDF, read without any library for it, as RGB, the lowest row first."""
    found = []
    for part in re.findall(rb"<<([^>]*?/Subtype /Image.*?)endstream", pdf.read_bytes(), re.DOTALL):
        facts, _, data = part.partition(b"stream\n")
        width, height, bits = (
            int(re.search(rb"/%s (\d+)" % name, facts)[1])
            for name in (b"Width", b"Height", b"BitsPerComponent")
        )
        assert b"/FlateDecode" in facts
        values = np.frombuffer(zlib.decompress(data.rstrip(b"\n")), np.uint8)
        assert bits == 8
        if b"/Predictor" in facts:  # PNG's: a byte a row says how it was made
            found.append(unpredicted(values.reshape(height, -1), width))
        else:
            found.append(values.reshape(height, width, -1))
    return found


def unpredicted(rows: np.ndarray, width: int) -> np.ndarray:
    depth = (rows.shape[1] - 1) // width
    mode = {1: "L", 3: "RGB"}[depth]
    head = np.array([width, rows.shape[0]], ">u4").tobytes() + bytes([8, depth - 1, 0, 0, 0])

    def chunk(name: bytes, data: bytes) -> bytes:
        whole = name + data
        return len(data).to_bytes(4, "big") + whole + zlib.crc32(whole).to_bytes(4, "big")

    png = (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes()))
    )
    with Image.open(io.BytesIO(png + chunk(b"IEND", b"")), formats=["PNG"]) as image:
        assert image.mode == mode
        return np.array(image).reshape(rows.shape[0], width, depth)


def kept(run, key, method) -> np.ndarray:
    rows = run.cases[(run.cases["method"] == method) & (run.cases[CASE] == list(key)).all(axis=1)]
    with Image.open(run.folder / rows["output"].iloc[0], formats=["PNG"]) as image:
        return np.array(image.convert("RGB"))


@pytest.fixture(scope="module")
def run(sample):
    return read_run(sample)


def test_the_pdf_holds_the_pixels_that_were_measured(drawn, run):
    pdf, said = drawn("--case", "astronaut.png:large:0", "--methods", "telea,ns")
    found = [each for each in pictures(pdf) if each.shape == (48, 48, 3)]
    assert len(found) == 4  # original, hole, two fills
    key = ("astronaut.png", "large", 0)
    for shown, method in zip(found[2:], ("telea", "ns"), strict=True):
        np.testing.assert_array_equal(shown[::-1], kept(run, key, method))
    assert "chosen by name" in said
    assert "astronaut.png:large:0" in said


def test_the_png_shows_them_in_their_places(drawn, run):
    pdf, _ = drawn("--case", "astronaut.png:large:0", "--methods", "mean", "--width", "column")
    with Image.open(pdf.with_suffix(".png"), formats=["PNG"]) as image:
        assert image.width == round(3.25 * 300)
        assert round(image.info["dpi"][0]) == 300
        shown = np.array(image.convert("RGB"))
    side = (3.25 - 2 * 0.03) / 3 * 300
    fill = kept(run, ("astronaut.png", "large", 0), "mean")
    rows, columns = np.nonzero(np.all(fill == fill[24, 24], axis=2))
    middle = int(np.median(rows)), int(np.median(columns))
    bottom = shown.shape[0] - round(0.03 * 300)
    y = bottom - side + (middle[0] + 0.5) / 48 * side
    x = 2 * (side + 9) + (middle[1] + 0.5) / 48 * side
    assert abs(shown[int(y), int(x)].astype(int) - fill[middle]).max() <= 2


def test_the_same_run_gives_the_same_bytes(drawn):
    words = ("--rule", "worst", "--zoom", "--values", "ssim_hole", "--font", "serif")
    pdf, _ = drawn(*words)
    before = pdf.read_bytes(), pdf.with_suffix(".png").read_bytes()
    drawn(*words)
    assert (pdf.read_bytes(), pdf.with_suffix(".png").read_bytes()) == before
    assert b"CreationDate" not in before[0]
    assert b"/FontFile2" in before[0]  # TrueType, embedded
    assert b"/Type3" not in before[0]


@pytest.mark.parametrize("rule", ["random", "worst", "best", "disagreement"])
def test_a_rule_shows_the_first_of_that_order_of_the_report(drawn, run, rule):
    ranking = rank(run, "large", run.headline)
    found = {order.name: order for order in orders(run, ranking, gallery.columns(run, ranking))}
    _, said = drawn("--rule", rule, "--count", "2")
    names = [":".join(map(str, key)) for key in found[rule].keys[:2]]
    assert f"From top to bottom: {' and '.join(names)}." in said
    assert "chosen by this rule alone" in said
    if rule == "random":
        assert found[rule].keys == sorted(found[rule].keys, key=lambda key: case_hash(*key))


def test_worst_and_best_may_be_those_of_another_method(run):
    own = {"ns": [0.9, 0.8, 0.7], "telea": [0.1, 0.5, 0.3]}
    made_up = with_values(run, {name: np.array(values) for name, values in own.items()})
    ranking = ranking_of(made_up)
    for of, worst in (("", "ns"), ("telea", "telea")):
        found = orders(made_up, ranking, ["ns", "telea"], of=of)
        keys = next(order.keys for order in found if order.name == "worst")
        values = ranking.values[worst]
        assert values[keys[0]] == values.min()


def test_how_cases_were_chosen_stands_in_the_files_too(drawn, tmp_path):
    pdf, said = drawn("--rule", "best", "--caption", tmp_path / "c.tex")
    assert b"chosen by this rule alone" in pdf.read_bytes()
    with Image.open(pdf.with_suffix(".png"), formats=["PNG"]) as image:
        assert "chosen by this rule alone" in image.text["Description"]
    caption = (tmp_path / "c.tex").read_text("utf-8")
    assert caption.startswith(r"\caption{Cases: ")
    assert "chosen by this rule alone" in caption
    assert "best" in said


def test_references_take_part_only_if_they_are_named(drawn):
    _, said = drawn("--methods", "mean,telea")
    assert "Points of reference, not competing: Mean colour." in said
    assert "Points of reference" not in drawn()[1]


def test_a_crop_shows_the_hole_and_a_zoom_lies_in_it(run):
    key = ("astronaut.png", "small", 0)
    row = figure.pictures.strip(run, key, ["telea", "ns"], "", truth=False)
    small = figure.pictures.cropped(row)
    assert small.hole.sum() == row.hole.sum()
    assert {picture.pixels.shape[:2] for picture in small.pictures} == {small.hole.shape}
    for where in figure.WINDOWS:
        window = figure.pictures.enlarged(run, row, ["telea", "ns"], where).window
        part = slice(window.top, window.top + window.side), slice(window.left, None)
        assert row.hole[part].any()
        assert window.left + window.side <= 48


def test_what_a_method_declined_is_said_in_its_place(drawn):
    pdf, _ = drawn("--photo", "coffee.png", "--tier", "large", "--methods", "fussy,telea")
    found = [each for each in pictures(pdf) if each.shape == (48, 48, 3)]
    assert len(found) == 3  # original, hole, Telea's


def test_a_lost_picture_is_an_error_that_names_the_case(copy, asked, tmp_path):
    run = read_run(copy)
    lost = run.cases.query("method == 'ns' and photo == 'coffee.png' and tier == 'large'")
    (copy / lost["output"].iloc[0]).unlink()
    words = ["figure", copy, "--out", tmp_path / "f", "--case", "coffee.png:large"]
    status, said = asked(*words)
    assert status == 2
    assert case_hash("coffee.png", "large", 0) in said
    assert "given again, makes it anew" in said
    assert not (tmp_path / "f.pdf").exists()
    assert asked(*words, "--methods", "telea")[0] == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--case", "nothing"], "expected the 16 digits of a case's page"),
        (["--case", "astronaut.png"], "it fits astronaut.png:small:0"),
        (["--photo", "astronout.png"], "Did you mean astronaut.png"),
        (["--case", "coffee.png:large", "--rule", "best"], "either a rule or named cases"),
        (["--tier", "huge"], "--tier: expected one of small, region, large"),
        (["--methods", "tela"], "Did you mean telea"),
        (["--rule", "worst", "--of", "mean"], "--of, a method ranked on large holes"),
        (["--values", "lpips"], "a measured metric of single cases"),
        (["--width", "wide"], "expected column (3.25 in), page"),
        (["--width", "3e"], "found '3e'"),
        (["--width", "9m"], "85mm"),
        (["--width", "1in", "--methods", "ns,telea,mean"], "name fewer --methods"),
        (["--truth"], "leave --truth out"),
    ],
)
def test_a_mistake_says_what_was_expected_and_what_to_do(asked, sample, tmp_path, words, says):
    status, said = asked("figure", sample, "--out", tmp_path / "f", *words)
    assert status == 2
    assert says in said
    assert not [*tmp_path.iterdir()]


def test_a_rule_without_a_ranking_says_what_does_without(run):
    nothing = replace(run, metrics=run.metrics[run.metrics["metric"] != "texture_structure"])
    with pytest.raises(BenchError, match="take --rule random, or name cases"):
        figure.make(nothing, Wish(rule="worst"))
    assert figure.make(nothing, Wish(rule="random", methods=("telea",)))[1]


@pytest.mark.parametrize(
    ("text", "inches"),
    [("column", 3.25), ("page", 6.875), ("8.5cm", 8.5 / 2.54), ("85 mm", 8.5 / 2.54)],
)
def test_widths(text, inches):
    assert figure.width(text) == pytest.approx(inches)


def test_names_of_any_kind_are_drawn(hostile, asked, tmp_path):
    status, said = asked("figure", hostile.parent, "--out", tmp_path / "f", "--count", "12")
    assert status == 0, said
    assert "\x07" not in said


def test_all_cases_stand_tier_by_tier_below_its_name(run):
    _, caption = figure.make(run, Wish(rule="all", methods=("telea",)))
    assert caption[0].startswith(f"Cases: all {len(run.plan)} of ")
    rows, _, _ = figure._rows(run, Wish(rule="all", mask=True), list(run.tiers), ["telea"])
    for tier in run.tiers:
        own = [row for row in rows if row.key[1] == tier]
        assert len(own) == (run.plan["tier"] == tier).sum()
        assert [row.head for row in own] == [tier] + [""] * (len(own) - 1)
    for row in rows:
        assert [each.title for each in row.pictures[:3]] == ["Original", "Mask", "With mask"]
        np.testing.assert_array_equal(row.pictures[1].pixels[..., 0], row.hole * 255)


def test_all_cases_of_a_large_run_are_no_figure(run):
    many = pd.concat([run.plan] * 40)
    with pytest.raises(BenchError, match="at most 60 cases, found"):
        figure.make(replace(run, plan=many), Wish(rule="all"))
