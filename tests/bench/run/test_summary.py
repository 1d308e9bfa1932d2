"""The end of a run: what became of all that was given, and the exit status."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

import inpaint_bench as ib
from bench.cli import main
from bench.errors import InputError
from bench.folder.schema import INPUTS
from bench.planning.protocol import Protocol
from bench.run import summary
from bench.run.limits import Limits
from bench.run.request import Request
from bench.run.runner import run
from bench.text import plain
from tests.support import commands


def save_mask(path, size, box):
    mask = Image.new("L", size)
    mask.paste(255, box)
    mask.save(path)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """Thirty photos, of which two have a mask; a broken one with its mask, and a mask of nobody."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "photos").mkdir()
    (folder / "masks").mkdir()
    for number in range(1, 31):
        left = 8 * number
        picture = Image.fromarray(data.astronaut()[left : left + 64, :64])
        picture.save(folder / "photos" / f"a{number:02}.png")
    (folder / "photos" / "broken.png").write_bytes(b"\x89PNG")
    save_mask(folder / "masks" / "a01.png", (64, 64), (20, 20, 40, 40))
    save_mask(folder / "masks" / "a02.png", (64, 64), (0, 0, 64, 62))
    save_mask(folder / "masks" / "broken.png", (64, 64), (20, 20, 40, 40))
    save_mask(folder / "masks" / "nobody.png", (64, 64), (20, 20, 40, 40))
    return folder


def words(given, out, *more):
    return [
        "run", "--images", str(given / "photos"), "--masks", str(given / "masks"), "--out",
        str(out), *commands.FAST, "--executor", "inline", "--methods", "mean", *more,
    ]  # fmt: skip


def test_a_run_says_what_became_of_every_file(given, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(words(given, out)) == 0
    first, fingerprint, counts, *lines, places = capsys.readouterr().out.splitlines()
    assert first == f"{out}: complete; 4 ok"
    assert fingerprint.startswith("fingerprint photos:")
    assert counts == "used: 2 of 31 photos, 2 of 4 masks"
    text = "\n".join(lines)
    assert "28 photos refused: no mask in" in text
    assert "is named after this photo" in text
    assert "(first: a03.png)" in text
    assert re.search(r"1 photo refused: .*\(broken.png\)", text)
    assert "1 mask refused: no photo has the name of this mask" in text
    assert "1 mask refused: its photo 'broken.png' cannot be used" in text
    assert "1 mask noted: more than 90 % hole" in text
    assert places == f"all of it: {out / 'inputs.parquet'}, {out / 'cases.parquet'}"


def test_strict_refuses_before_any_fill(given, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(words(given, out, "--strict")) == 2
    said = capsys.readouterr()
    assert "28 photos refused: " in said.err
    assert said.out == ""
    assert not (out / "run.json").exists()
    assert not (out / "outputs").exists()
    with pytest.raises(InputError, match="28 photos refused"):
        ib.run(given / "photos", given / "masks", ["mean"], out=out, size=64, strict=True)


def test_strict_lets_pass_what_can_all_be_used(photos, tmp_path, capsys):
    more = ("--methods", "mean", "--executor", "inline", "--limit", "1", "--strict")
    assert main(commands.words(tmp_path / "out", photos, *more)) == 0
    assert "used: 1 photo\n" in capsys.readouterr().out


def test_python_warns_of_what_was_refused(given, tmp_path):
    asked = {"metrics": ["psnr_db"], "size": 64, "executor": "inline", "offline": True}
    with pytest.warns(UserWarning, match="refused") as said:
        ib.run(given / "photos", given / "masks", ["mean"], out=tmp_path / "out", **asked)
    texts = [str(each.message) for each in said]
    assert len(texts) == 4
    assert texts[0].startswith("28 photos refused: no mask in")
    assert texts[0].endswith(f"all: {tmp_path / 'out' / 'inputs.parquet'}")


@pytest.mark.parametrize(
    ("method", "status", "line"),
    [
        ("Raises", 1, "Raises: 1 failed: ValueError: no idea what to do"),
        ("OutOfMemory", 1, "OutOfMemory: 1 oom: OutOfMemoryError: tried to allocate"),
        ("Declines", 0, "Declines: 1 declined: this photo is not to my taste"),
        ("NoWeights", 1, "NoWeights completed no case: 9 unavailable: weights absent; run: "),
        (
            "AlwaysRaises",
            1,
            "AlwaysRaises completed no case: 9 failed: ValueError: never works "
            "(faulty.py:70 in infer) (first: a.png, small; traceback: ",
        ),
    ],
)
def test_what_was_lost_is_counted_and_is_the_exit_status(
    method, status, line, photos, tmp_path, capsys
):
    own = f"{method}=tests.support.faulty:{method}"
    more = ("--methods", own, "--executor", "inline")
    assert main(commands.words(tmp_path / "out", photos, *more)) == status
    said = capsys.readouterr()
    lines = [
        each.strip().removeprefix("inpaint-bench: ") for each in (said.out + said.err).splitlines()
    ]
    (found,) = (each for each in lines if each.startswith(method))  # told once
    assert found.startswith(line)
    assert re.search(", (region|small)[;)]", found)
    kept = re.search(r"traceback: (.*)\)", found)
    assert (kept is None) == (method in ("Declines", "NoWeights"))
    assert kept is None or "faulty.py" in Path(kept[1]).read_text()


def test_the_rest_of_a_suspended_method_is_lost(photos, tmp_path):
    out = tmp_path / "out"
    protocol = Protocol(photos=str(photos), size=64, tiers=("small", "region"), draws=5)
    own, metrics = "TiresOut=tests.support.faulty:TiresOut", ("psnr_db", "ssim_hole", "drift")
    asked = Request(out, protocol, (own,), metrics, executor="inline", offline=True)
    header = run(replace(asked, limits=Limits(chunk=7)))
    assert header.without_result == []
    assert header.counts == {"ok": 31, "failed": 29}
    reasons = commands.cases(out).loc["TiresOut", "reason"]
    # Jobs of 4, 7, 7 and 7, of which the last ends with the 24th failure in a row.
    assert reasons.str.startswith("not tried: 24 cases before it failed in a row").sum() == 5
    again = ("--methods", own, "--executor", "inline", "--draws", "5", "--tiers", "small,region")
    assert main(commands.words(out, photos, *again)) == 1


def test_nothing_but_empty_holes_is_an_error(photos, tmp_path, capsys):
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("a", "b"):
        Image.new("L", (128, 128)).save(masks / f"{name}.png")
    more = ("--masks", str(masks), "--methods", "mean")
    assert main(commands.words(tmp_path / "out", photos, *more)) == 2
    message = capsys.readouterr().err
    assert "nothing to fill: the 2 masks that were read have no hole (first: " in message
    assert "--invert-masks" in message


def table(*rows):
    blank = {"sha256": "", "height": 0, "width": 0, "note": "", "reason": ""}
    return INPUTS.frame([{**blank, **row} for row in rows])


def test_reasons_of_one_kind_are_one_line_whatever_they_name():
    rows = [
        {"path": f"p/{n}.png", "kind": "mask", "status": "refused",
         "reason": f"mask 'p/{n}.png' is {n}x{n + 1} but photo '{n}.png' is 9x9; draw it"}
        for n in range(1, 1201)
    ]  # fmt: skip
    others = [
        {"path": "x.png", "kind": "mask", "status": "refused", "reason": "in/x.png: is bad"},
        {"path": "y.png", "kind": "other", "status": "refused", "reason": "of a kind\nunknown\x1b"},
    ]
    assert summary.refusals(table(*rows, *others)) == [
        "1,200 masks refused: 1x2 but photo '1.png' is 9x9; draw it (first: p/1.png)",
        "1 mask refused: bad (x.png)",
        "1 other file refused: of a kind unknown\\x1b (y.png)",
    ]


def test_the_file_that_a_reason_begins_with_is_named_once():
    reasons = {
        "a b.png": "'in/a b.png' is damaged: bad sum",
        "in/m.json": "annotation 'in/m.json' is not JSON: in/m.json: line 1",
        "c.png": "its truth cannot be used: 't/c.png' is damaged",
    }
    rows = [
        {"path": path, "kind": "photo", "status": "refused", "reason": reason}
        for path, reason in reasons.items()
    ]
    assert summary.refusals(table(*rows)) == [
        "1 photo refused: damaged: bad sum (a b.png)",
        "1 photo refused: not JSON: in/m.json: line 1 (in/m.json)",
        "1 photo refused: its truth cannot be used: 't/c.png' is damaged (c.png)",
    ]


def test_two_refusals_of_one_name_are_two():
    rows = [
        {"path": "a.png", "kind": "mask", "status": "refused", "reason": reason}
        for reason in ("too dark", "too bright")
    ]
    assert summary.refusals(table(*rows)) == [
        "1 mask refused: too dark (a.png)", "1 mask refused: too bright (a.png)",
    ]  # fmt: skip


def test_each_remark_of_a_file_counts_and_rare_ones_are_summed_up():
    rows = [
        {"path": f"{n}.png", "kind": "photo", "status": "ok",
         "note": f"alpha discarded; enlarged by {n}.5 times; odd {chr(97 + n) * 3}"}
        for n in range(12)
    ]  # fmt: skip
    found = summary.remarks(table(*rows))
    assert found[:2] == [
        "12 photos noted: alpha discarded; enlarged by 0.5 times (first: 0.png)",
        "1 photo noted: odd aaa (0.png)",
    ]
    assert found[-1] == "5 more, for 5 other reasons"
    assert len(found) == 9
    assert summary.remarks(table()) == summary.refusals(table()) == []


def test_long_lines_are_cut_between_words_on_a_terminal_only(monkeypatch):
    line = "  2 photos refused: " + "because of this " * 9
    assert plain.wrapped(line) == line
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "40")
    first, *rest = plain.wrapped(line).split("\n")
    assert all(len(each) <= 40 for each in (first, *rest))
    assert rest
    assert all(each.startswith("    ") for each in rest)
    assert " ".join([first, *rest]).split() == line.split()


def test_a_thousand_random_reasons_are_all_counted():
    draw = np.random.default_rng(0)
    kinds = [f"because of {word}" for word in ("size", "colour", "name", "luck")]
    drawn = [str(draw.choice(kinds)) for _ in range(1000)]
    rows = [
        {"path": f"{n}.png", "kind": "photo", "status": "refused", "reason": why}
        for n, why in enumerate(drawn)
    ]
    counts = [int(line.split()[0]) for line in summary.refusals(table(*rows))]
    assert (len(counts), sum(counts)) == (4, 1000)
    assert counts == sorted(counts, reverse=True)
