"""How often metrics put the better of two fills first: the count, the command, our own metrics."""

import json
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.errors import BenchError, InputError
from bench.metrics import METRICS
from bench.metrics.meter import Measured
from bench.metrics.networks import PUBLISHED
from bench.orders import table
from bench.orders.pairs import ORDERS
from bench.planning import images
from bench.planning.geometry import Geometry
from bench.statistics import HEADLINES
from tests.support import bundled_photos

TIERS = ("region", "large")
FREE = [name for name in HEADLINES if METRICS[name].network not in PUBLISHED]
BLIND = ("ssim_hole", "psnr_hole_db")

# -- the count ------------------------------------------------------------------------------


def merit(fill: str) -> int:
    """How many fills in a row a fill must beat."""
    return max((1 + merit(worse) for better, worse, _ in ORDERS if better == fill), default=0)


FILLS = {name for order in ORDERS for name in order[:2]}
ORACLE = {name: float(merit(name)) for name in FILLS}


def judged(values: dict[str, float], direction: str) -> pd.DataFrame:
    status = SimpleNamespace(metric=SimpleNamespace(name="m", direction=direction))
    found = {
        name: Measured({"m": value}, {"m": "no value"} if math.isnan(value) else {})
        for name, value in values.items()
    }
    rows = pd.DataFrame(table.judged([status], found))
    return rows.assign(tier="region", photo="a")


@pytest.mark.parametrize(
    ("values", "direction", "share"),
    [
        (ORACLE, "higher", 1),
        ({name: -value for name, value in ORACLE.items()}, "lower", 1),
        ({name: -value for name, value in ORACLE.items()}, "higher", 0),
        (ORACLE, "lower", 0),
        (dict.fromkeys(FILLS, 3.0), "higher", 0.5),
        (dict.fromkeys(FILLS, math.inf), "lower", 0.5),
    ],
)  # fmt: skip
def test_an_oracle_is_always_right_its_opposite_never_and_a_constant_half(values, direction, share):
    found = table.shares(judged(values, direction))
    assert found["share"].tolist() == [share] * 16
    (row,) = table.summary(found).to_dict("records")
    assert row["mean"] == row["share"] == share
    assert table.may_lead(table.summary(found)).to_dict() == {"m": share >= 0.8}


def test_a_single_mistake_is_the_worst_pair():
    values = ORACLE | {"truth as jpeg 5": 99.0}
    (row,) = table.summary(table.shares(judged(values, "higher"))).to_dict("records")
    assert row["worst"] == "truth as jpeg 50 > truth as jpeg 5"
    assert (row["share"], row["mean"]) == (0, 15 / 16)


def test_what_has_no_value_counts_neither_way():
    rows = judged(ORACLE | {"noise": math.nan}, "higher")
    found = table.shares(rows).set_index("pair")
    assert found["n"].to_dict() == {o.name: int(o.worse != "noise") for o in ORDERS}
    assert np.isnan(found.loc["telea > noise", "share"])
    summed = table.summary(found.reset_index())
    assert summed[["mean", "n"]].values.tolist() == [[1, 0]]
    assert not table.may_lead(summed)["m"]
    assert table.without_value(rows) == ["m has no value of 1 pairs of fills: no value"]
    nothing = table.shares(judged(dict.fromkeys(FILLS, math.nan), "higher"))
    assert table.summary(nothing).empty


def test_a_metric_leads_only_if_it_is_right_in_every_tier():
    summed = pd.DataFrame({"metric": ["a", "b", "a", "b"], "mean": [0.9, 0.9, 0.79, 0.8], "n": 1})
    assert table.may_lead(summed).to_dict() == {"a": False, "b": True}


# -- our own metrics ------------------------------------------------------------------------


def means(photos: list[images.Photo], names: list[str]) -> pd.DataFrame:
    chosen = table.chosen(names, offline=True)
    found = table.shares(table.measure(photos, chosen, TIERS))
    return table.summary(found).pivot(index="metric", columns="tier", values="mean")


def test_every_headline_orders_rightly_and_what_prefers_blur_does_not():
    """On five photos."""
    photos = bundled_photos.every(10)
    assert {"texture_structure", "lpips_untrained_hole"} <= set(FREE)
    found = means(photos, [*FREE, *BLIND])
    assert found.notna().all(axis=None)
    assert (found.loc[FREE] >= table.LEAST).all(axis=None), found
    assert (found.loc[[*BLIND]] < table.LEAST).all(axis=None), found


@pytest.mark.nightly
def test_the_weight_free_headline_on_twenty_photos(shared_data):
    folder = shared_data / "eval"
    names = images.find(folder)
    square = Geometry.asked(256)
    photos = [
        images.Photo(name, name, square.photo(images.read(folder / name)[0]), (256, 256))
        for name in names[:: len(names) // 20][:20]
    ]
    found = means(photos, ["texture_structure", "ssim_hole"])
    assert (found.loc["texture_structure"] >= 0.9).all(), found
    assert (found.loc["ssim_hole"] < table.LEAST).all(), found


# -- the command ----------------------------------------------------------------------------

QUICK = ["--offline", "--limit", "2", "--tiers", "region", "--metrics"]


def test_the_command_prints_shares_and_who_may_lead(photos, capsys, tmp_path):
    own = tmp_path / "own.py"
    own.write_text("def of(output, photo, hole):\n    return 1\nof.direction = 'lower'\n")
    names = f"ssim_hole,same={own}:of,swd_hole,drift,lpips"
    assert main(["orders", "--images", str(photos), *QUICK, names]) == 0
    said = capsys.readouterr().out
    rows = {line.split()[0]: line for line in said.partition("\n\n")[0].splitlines()}
    assert rows["swd_hole"].endswith("  may lead")
    assert rows["ssim_hole"].endswith("  may not lead")
    assert rows["same"].split()[1] == "0.50"
    assert "\ntruth as jpeg 50 > truth as jpeg 5  " in said
    assert "note: 2 photos" in said
    assert "drift has no value" in said
    assert "raw output" in said
    assert "lpips is absent: weights lpips-alex" in said


def test_as_markdown_and_as_json(photos, capsys):
    words = ["orders", "--images", str(photos), *QUICK, "psnr_hole_db", "--format"]
    assert main([*words, "markdown"]) == 0
    assert capsys.readouterr().out.startswith("| metric | region | region: worst pair |")
    assert main([*words, "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["pair"] for row in found] == [order.name for order in ORDERS]
    assert {row["n"] for row in found} == {2}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--metrics", "psnr_hole_db,swd"], "found swd, which measure sets"),
        (["--metrics", "drift", "--limit", "1"], "found 1"),
        (["--metrics", "drift", "--tiers", "region,region"], "raw output is not known"),
        (["--metrics", "ssim_hol"], "did you mean ssim_hole"),
        (
            ["--metrics", "ssim_hole", "--limit", "1"],
            "expected two of different pictures in bundled, found 1",
        ),
        (["--metrics", "ssim_hole", "--images", "nowhere"], "nothing at nowhere"),
    ],
)
def test_what_cannot_be_measured_is_refused(words, message, capsys):
    assert main(["orders", "--offline", *words]) == 2
    assert message in capsys.readouterr().err


def test_metrics_that_are_all_absent_are_an_error_with_their_reasons():
    absent, present = table.chosen(["lpips"], offline=True)
    assert table.measurable([absent, present]) == [present]
    with pytest.raises(BenchError, match=r"none of them can be measured here .lpips: weights"):
        table.measurable([absent])


def test_files_that_are_no_photo_are_left_out_and_named(photos, tmp_path):
    shutil.copytree(photos, tmp_path / "set")
    (tmp_path / "set/d.png").write_text("no picture")
    read, refused = table.read(str(tmp_path / "set"))
    assert [photo.id for photo in read] == ["a.png", "b.png", "nested/c.png"]
    assert len(refused) == 1
    assert refused[0].startswith("d.png: ")
    with pytest.raises(InputError, match=r"found 1.*another photo's content"):
        table.read(str(photos / "a.png"))
    for name in ("nested/c.png", "b.png", "d.png"):
        shutil.copy(photos / "a.png", tmp_path / "set" / name)
    with pytest.raises(InputError, match=r"two of different pictures"):  # of one, four times
        table.read(str(tmp_path / "set"))
