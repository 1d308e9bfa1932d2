import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bench.cli import main
from bench.cli.run import _default_methods
from methods import names
from tests.support import commands


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--methods", "telia"], "telea"),
        (["run", "--methods", "telea", "--metrics", "pnsr_db"], "psnr_db"),
        (["run", "--size", "large"], "--size"),
        (["run", "--shard", "3/3"], "--shard"),
        (["run", "--tiers", "small,tiny"], "the tiers are small, region, large"),
        (["run", "--images", "does-not-exist"], "does-not-exist"),
        (["run", "--masks", "somewhere"], "--masks"),
        (["report", "does-not-exist"], "does-not-exist"),
        (["compare", "does-not-exist"], "does-not-exist"),
        (["gate", "does-not-exist", "nor-this"], "does-not-exist"),
        (["merge", "out", "does-not-exist"], "does-not-exist"),
        (["check", "no_such_method"], "no_such_method"),
        (["weights", "fetch", "no-such"], "inpaint-bench weights list"),
        (["weights", "verify", "lpips-alex", "does-not-exist"], "does-not-exist"),
        (["masks", "out", "--size", "wide"], "--size"),
    ],
)
def test_mistakes_are_one_line_that_helps_and_status_2(
    arguments, words, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.startswith("inpaint-bench: ")
    assert message.count("\n") == 1


def test_list_names_every_method(capsys):
    assert main(["list"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names())


def test_masks_writes_a_pack_with_a_contact_sheet(tmp_path, capsys):
    out = tmp_path / "pack"
    assert main(["masks", str(out), "--count", "2", "--size", "96x64", "--tiers", "small"]) == 0
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.width > 96
    drawn = list((out / "small").glob("*.png"))
    assert len(drawn) == 2
    with Image.open(drawn[0]) as mask:
        assert mask.size == (96, 64)


def test_check_passes_a_good_method_and_fails_a_broken_one(capsys):
    assert main(["check", "mean"]) == 0
    assert "failed:" not in capsys.readouterr().out
    assert main(["check", "own=tests.support.faulty:Fickle"]) == 1
    first, *lines, last = capsys.readouterr().out.splitlines()
    broken = [line.split()[1] for line in lines if line.startswith("failed")]
    assert [line.split()[1] for line in lines[: len(broken)]] == broken  # before all others
    assert first == f"{last}: {', '.join(broken)}"
    assert "determinism" in broken


def test_weights_list_says_what_is_missing_and_what_to_do(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert main(["weights", "list"]) == 0
    assert "inpaint-bench weights fetch fid-inception" in capsys.readouterr().out


def test_a_run_ends_with_its_report(tmp_path, photos):
    out = tmp_path / "out"
    fast = [word for word in commands.FAST if word != "--no-report"]
    words = ["run", "--out", str(out), "--images", str(photos), *fast, "--methods", "telea"]
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], capture_output=True, text=True, check=True
    )
    assert "complete; 18 ok" in done.stdout
    page = Path(done.stdout.split("open ")[1].strip())
    assert page == out / "report" / "index.html"
    assert "Telea" in page.read_text("utf-8")
    info = json.loads((out / "run.json").read_text())
    assert info["state"] == "complete"
    assert info["starts"][0]["command"] == ["python", "-m", "bench", *words]
    assert "18 of 18 fills" in done.stderr


@pytest.fixture
def broken_package(tmp_path, monkeypatch):
    """An installed package whose method cannot be imported."""
    facts = tmp_path / "brokenplug-0.1.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: brokenplug\nVersion: 0.1\n")
    (facts / "entry_points.txt").write_text("[inpaint_bench.methods]\nbrk = brkplug:Brk\n")
    (tmp_path / "brkplug.py").write_text("import nobody_has_this\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_a_broken_package_is_a_line_with_the_reason(broken_package, capsys):
    assert main(["list"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("! brk"))
    assert "No module named 'nobody_has_this'" in line
    assert main(["weights", "list"]) == 0
    assert "telea" in _default_methods()
    assert "left out brk: " in capsys.readouterr().err
    assert main(["check", "brk"]) == 2
    assert "brkplug:Brk cannot be imported" in capsys.readouterr().err


def test_a_fault_of_ours_is_not_taken_for_a_regression(monkeypatch, capsys):
    def broken():
        raise KeyError("a bug")

    monkeypatch.setattr("methods.inventory", broken)
    assert main(["list"]) == 2
    assert "Traceback" in capsys.readouterr().err
