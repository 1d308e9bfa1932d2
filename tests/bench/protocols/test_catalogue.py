"""Everything in the catalogue of published protocols is something that this project has."""

import re
from dataclasses import fields

import pytest

import methods
from bench.errors import BenchError, InputError
from bench.metrics import METRICS
from bench.planning.geometry import Geometry
from bench.planning.layouts import READERS
from bench.planning.protocol import Protocol
from bench.planning.scoring import Scoring
from bench.protocols import read
from bench.protocols.record import REPRODUCES, Published
from masks import tiers

ALL = read.catalogue()
WHOLE = """
title = "T"
paper = "P"
source = "S"
task = "fill"
reproduces = "exact"
why = "W"
expects = 3
size = "64"
metrics = ["ssim"]
traps = ["one", "two"]
[data]
reader = "folder"
photos = "*"
[protocols.a]
[[rows.a]]
title = "M"
figures = { ssim = 1 }
source = "S"
"""


@pytest.mark.parametrize("published", ALL.values(), ids=ALL)
def test_what_a_protocol_names_is_there(published):
    assert set(published.metrics) <= METRICS.keys()
    assert published.data.reader in READERS
    assert published.reproduces in REPRODUCES
    assert published.holes.generator in ("", *(tier.name for tier in tiers.ALL))
    assert bool(published.holes.generator) != bool(published.data.masks)
    assert (published.task == "removal") == bool(published.data.truth)
    assert 1 <= published.holes.threshold <= 255
    assert Scoring(published.score.paste, published.score.quantise)
    assert Geometry.asked(published.size).height or published.size == "native"
    for name in published.methods:
        assert methods.look_up(name).text == name
    for row in published.rows:
        assert row.figures or row.others
        # In the unit and on the scale of the metric here, as P-IDS of 0.2279 and not 22.79.
        for name, value in row.figures.items():
            assert name in published.metrics
            assert METRICS[name].limits[0] <= value <= METRICS[name].limits[1]
        assert not row.method or methods.look_up(row.method).text == row.method


@pytest.mark.parametrize("published", ALL.values(), ids=ALL)
def test_a_protocol_says_what_a_reader_must_know(published):
    assert all((published.title, published.paper, published.source, published.traps))
    assert len(published.why) > 20
    assert published.data.about
    assert all(row.source and row.title for row in published.rows)
    left = re.findall(r"\{\w+\}", str(published).replace("{photo}", ""))
    assert not left, "words that should have been replaced"


def test_the_protocols_that_papers_name_are_there():
    kinds = ("thin", "medium", "thick")
    wanted = {f"lama-{set}-{kind}" for set in ("places-256", "places-512", "celebahq-256")
              for kind in kinds}  # fmt: skip
    wanted |= {f"mat-{set}-512-{kind}" for set in ("places", "celebahq")
               for kind in ("small", "large")}  # fmt: skip
    wanted |= {"migan-places-256", "migan-places-512", "migan-ffhq-256", "zits-places"}
    wanted |= {"misato-512", "misato-1k", "nvidia-irregular", "rord-val", "removalbench"}
    wanted |= {"brushbench-inside", "brushbench-outside", "hdpainter-coco"}
    assert wanted <= ALL.keys()
    counts = {"comodgan-": 12, "ntire22-": 4 * 7, "repaint-": 3 * 6}
    assert {start: sum(name.startswith(start) for name in ALL) for start in counts} == counts


@pytest.mark.parametrize("published", ALL.values(), ids=ALL)
def test_a_request_follows_the_protocol(published, tmp_path):
    asked = Protocol.asked(str(tmp_path), None, published=published.name.upper(), limit=3)
    assert asked.published == published.name
    assert asked.geometry == Geometry.asked(published.size)
    assert (asked.paste, asked.quantise) == (published.score.paste, published.score.quantise)
    assert asked.invert_masks == (published.holes.hole == "black")
    assert asked.mask_threshold == published.holes.threshold
    assert asked.limit == 3
    if published.holes.generator:
        assert asked.tiers == (published.holes.generator,)


@pytest.mark.parametrize(
    "option",
    [{"size": "fit:99"}, {"tiers": ("small",)}, {"draws": 2}, {"seed": 7}, {"mask_threshold": 9},
     {"invert_masks": True}, {"pairing": "pool"}, {"truth": "unknown"}, {"prompt": "a cat"},
     {"mask_labels": ("1",)}],
    ids=lambda option: next(iter(option)),
)  # fmt: skip
def test_what_the_protocol_decides_is_refused_by_name(option, tmp_path):
    name = next(iter(option)).replace("_", "-")
    with pytest.raises(BenchError, match=rf"--{name}: .*lama-places-512-thin.*leave --{name} out"):
        Protocol.asked(str(tmp_path), None, published="lama-places-512-thin", **option)


def test_masks_of_generated_holes_and_bundled_photos_are_refused(tmp_path):
    with pytest.raises(BenchError, match=r"--masks: .*generated"):
        Protocol.asked(str(tmp_path), str(tmp_path), published="lama-places-512-thin")
    with pytest.raises(BenchError, match="--images DIR"):
        Protocol.asked("bundled", None, published="lama-places-512-thin")
    with pytest.raises(InputError, match=r"lama-places.*Did you mean .*lama-places-512-thin"):
        Protocol.asked(str(tmp_path), None, published="lama-places-512-thinn")


def test_a_request_without_a_protocol_has_the_key_that_it_always_had(tmp_path):
    text = Protocol.asked(str(tmp_path), None).key_text()
    assert not re.search("published|paste|quantise", text)


def test_a_small_file_is_read():
    (made,) = read.parsed(WHOLE, "x.toml")
    assert made.name == "a"
    assert made.traps == ("one", "two")
    assert made.rows[0].figures == {"ssim": 1}
    assert made.data.reader == "folder"


def test_words_stand_for_several_protocols_and_own_facts_come_first():
    text = WHOLE.replace("[protocols.a]", '[protocols."a-{k}"]\ntitle = "T {K}"').replace(
        "[[rows.a]]",
        '[protocols.a-y]\nexpects = 5\n[each]\nk = { x = "ex", y = "why" }\n[[rows.a-x]]',
    )
    x, y = read.parsed(text, "x.toml")
    assert (x.name, x.title, x.expects, len(x.rows)) == ("a-x", "T ex", 3, 1)
    assert (y.name, y.title, y.expects, len(y.rows)) == ("a-y", "T why", 5, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title = "T"', "title = 3"),
        ('title = "T"', 'titel = "T"'),
        ('paper = "P"', ""),
        ('task = "fill"', 'task = "filling"'),
        ('reproduces = "exact"', 'reproduces = "nearly"'),
        ("expects = 3", 'expects = "3"'),
        ("expects = 3", "expects = true"),
        ('metrics = ["ssim"]', 'metrics = "ssim"'),
        ('metrics = ["ssim"]', "metrics = [1]"),
        ("[data]", "[date]"),
        ("[data]", "data = 1\n[score]"),
        ("figures = { ssim = 1 }", 'figures = { ssim = "1" }'),
        ("figures = { ssim = 1 }", "figures = 1"),
        ("[[rows.a]]", "[[rows.b]]"),
        ("[[rows.a]]", "[rows.a]"),
        ("[protocols.a]", "[protocol.a]"),
        ("[protocols.a]", "[protocols.a]\nname = 'b'"),
        ("[protocols.a]", "[protocols.'../a']"),
        ("[protocols.a]", "[protocols.a]\nholes = { hole = 'red' }"),
        ("[data]", "[each]\nk = { x = 'y' }\n[data]"),
        ("[data]", "[each]\nk = 3\n[data]"),
        ("\n", "\n["),
    ],
)  # fmt: skip
def test_a_file_that_says_something_else_is_refused(old, new):
    assert old in WHOLE
    with pytest.raises(BenchError):
        list(read.parsed(WHOLE.replace(old, new, 1), "x.toml"))


def test_the_refusal_names_the_protocol_and_the_field():
    with pytest.raises(BenchError, match=r"protocol a: data: reader: expected a text, found 1"):
        list(read.parsed(WHOLE.replace('reader = "folder"', "reader = 1"), "x.toml"))


def test_every_field_of_a_protocol_can_be_read():
    (made,) = read.parsed(WHOLE, "x.toml")
    assert {each.name for each in fields(Published)} == vars(made).keys()
