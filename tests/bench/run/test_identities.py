"""Kept fills and the methods that made them, by the command."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import bench
from bench.cli import main
from tests.support import commands

ROOT = Path(bench.__file__).parents[1]
PLUG_IN = """
import os
import torch
from methods.base import Inpainter
from methods.card import Card

class Net(Inpainter):
    card = Card("net", "Net", "other")
    def load(self):
        {load}
    def infer(self, images, masks, generator):
        return images + {level} * masks
"""


@pytest.fixture
def start(tmp_path, photos, monkeypatch, capsys):
    """Start the same command again; gives what it made and how often each method filled.

    It starts in this process, which forgets the user's modules before, or in one of its own where
    that matters: for workers, and another state of the product.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    seen: set[Path] = set()

    def here(words: list[str]) -> SimpleNamespace:
        for name in [name for name in sys.modules if name.startswith("plug_")]:
            del sys.modules[name]
        capsys.readouterr()
        status = main(words)
        said = capsys.readouterr()
        return SimpleNamespace(returncode=status, stdout=said.out, stderr=said.err)

    def run(methods: str = "net=plug_net:Net", executor: str = "inline", *, fresh: bool = False):
        given = ["--methods", methods, "--tiers", "region", "--workers", "1"]
        given += ["--executor", executor]
        if fresh or executor == "local":
            done = commands.run(tmp_path / "out", photos, *given)
        else:
            done = here(commands.words(tmp_path / "out", photos, *given))
        fragments = set((tmp_path / "out/fragments").iterdir()) - seen
        seen.update(fragments)
        made = pd.concat(map(pd.read_parquet, fragments)) if fragments else pd.DataFrame()
        return done, made["method"].value_counts().to_dict() if len(made) else {}

    return run


def write(load: str = "pass", level: str = "0.5", name: str = "plug_net") -> None:
    Path(f"{name}.py").write_text(PLUG_IN.format(load=load, level=level))


def save(level: float) -> None:
    import torch

    torch.save({"level": torch.tensor(level)}, "net.pt")


def test_weights_trained_again_under_the_same_name_are_seen(start):
    write("self.level = torch.load('net.pt')['level']", "self.level")
    save(0.5)
    _, first = start(executor="local")
    before = commands.cases(Path("out")).loc["net", "output_sha"]
    save(0.95)
    done, second = start(executor="local")
    assert first == second | {"original": 3} == {"net": 3, "original": 3}
    assert not set(before) & set(commands.cases(Path("out")).loc["net", "output_sha"])
    assert done.returncode == 0


def test_kept_fills_stay_and_one_is_made_again(start):
    write("self.level = torch.load('net.pt')['level']", "self.level")
    save(0.5)
    start()
    before = commands.quality(Path("out"))
    for _ in range(2):
        done, made = start()
        assert made == {"net": 1}
        assert done.returncode == 0, done.stderr
    pd.testing.assert_frame_equal(commands.quality(Path("out")), before)


def test_a_file_opened_at_every_fill_is_found_out_and_both_pictures_are_named(start):
    write(level="torch.load('net.pt')['level']")
    save(0.5)
    start(fresh=True)
    before = commands.cases(Path("out")).loc["net", "output_sha"]
    save(0.95)
    done, _ = start(fresh=True)
    assert done.returncode == 2
    assert "same method, other pictures: net on" in done.stderr
    assert any(sha in done.stderr for sha in before)
    assert "`files`" in done.stderr
    save(0.5)  # what was there before is no excuse: both pictures are in the folder
    assert start(fresh=True)[0].returncode == 2


def test_a_module_that_a_plug_in_imports_is_seen(start):
    Path("plug_helper.py").write_text("LEVEL = 0.5\n")
    write(level="plug_helper.LEVEL")
    text = Path("plug_net.py").read_text()
    Path("plug_net.py").write_text(text.replace("import os", "import plug_helper"))
    start(fresh=True)
    Path("plug_helper.py").write_text("LEVEL = 0.5  # a half\n")
    assert start(fresh=True)[1] == {"net": 1}
    Path("plug_helper.py").write_text("LEVEL = 0.9\n")
    assert start(fresh=True)[1] == {"net": 3}


def test_an_environment_variable_read_at_import_is_seen(start, monkeypatch):
    write(level="LEVEL")
    text = Path("plug_net.py").read_text()
    read = "import os\nLEVEL = float(next(v for k, v in os.environ.items() if k == 'MY_LEVEL'))"
    Path("plug_net.py").write_text(text.replace("import os", read))
    monkeypatch.setenv("MY_LEVEL", "0.5")
    start()
    monkeypatch.setenv("MY_LEVEL", "0.9")
    assert start()[1] == {"net": 3}


def test_what_cannot_be_hashed_is_made_anew_and_said(start):
    write("self.lock = __import__('threading').Lock()")
    done, first = start()
    assert "net: its fills will be made anew by the next start: an object of type" in done.stdout
    done, second = start()
    assert first["net"] == second["net"] == 3
    assert done.returncode == 0


@pytest.mark.parametrize("load", ["os._exit(3)", "raise RuntimeError('no')"])
def test_a_method_that_ends_its_process_when_loaded_ends_no_other(start, load):
    write(load)
    done, _ = start("net=plug_net:Net,telea", "local")
    rows = commands.cases(Path("out"))
    assert (rows.xs("telea")["status"] == "ok").all()
    assert (rows.xs("net")["status"] != "ok").all()
    assert done.returncode == 1


@pytest.mark.slow
def test_a_comment_of_ours_keeps_every_fill_and_a_constant_none(start, tmp_path, monkeypatch):
    product = tmp_path / "product"
    for room in ("bench", "masks", "methods", "reports"):
        shutil.copytree(ROOT / room, product / room, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(product))
    methods = "telea,mean,pennet:small"
    start(methods, fresh=True)
    sizes = product / "methods/sizes.py"
    sizes.write_text(f"# Said better.\n{sizes.read_text()}# The end.\n")
    assert start(methods, fresh=True)[1] == {"telea": 1, "mean": 1, "pennet:small": 1}
    changed = sizes.read_text() + "\n_ANOTHER = 3\n"
    sizes.write_text(changed)
    again = {"telea": 3, "mean": 3, "pennet:small": 3, "original": 3}
    assert start(methods, fresh=True)[1] == again


def test_a_method_nobody_asks_for_keeps_its_rows_when_it_cannot_be_loaded_any_more(start):
    write("self.level = torch.load('net.pt')['level']", "self.level")
    save(0.5)
    start()
    before = commands.cases(Path("out")).loc["net"]
    Path("net.pt").unlink()
    _, made = start("mean")
    assert made == {"mean": 3}
    after = commands.cases(Path("out")).loc["net"]
    assert (after["status"] == "ok").all()
    assert after["output_sha"].tolist() == before["output_sha"].tolist()
