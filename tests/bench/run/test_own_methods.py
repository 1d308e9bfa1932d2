"""Methods of the user's own in a run: by file, with parameters, and after a move."""

from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run

NET = """
from helper import GREY
from methods.base import Card, Inpainter

class Net(Inpainter):
    card = Card("net", "Net", "other")

    def __init__(self, name="", *, device="cpu", share=1.0):
        super().__init__(name, device=device)
        self.share = share

    def infer(self, images, masks, generator):
        return images + GREY * self.share * masks
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current directory, with two versions of a project in it."""
    for version, grey in (("one", 0.25), ("two", 0.5)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "net.py").write_text(NET)
        (tmp_path / version / "helper.py").write_text(f"GREY = {grey}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(photos: Path, *methods: str, **changes) -> Request:
    return Request(
        Path("out").absolute(), Protocol(photos=str(photos), size=64), methods,
        metrics=("psnr_hole_db",), executor="inline", offline=True, **changes,
    )  # fmt: skip


def test_versions_and_parameters_stand_side_by_side(folder, photos):
    names = ("one=one/net.py:Net", "two=two/net.py:Net", "half=two/net.py:Net(share=0.5)")
    run(asked(photos, *names))
    rows = RunFolder(folder / "out").read_table("cases.parquet").set_index(["photo", "tier"])
    scores = {name: rows.loc[rows["method"] == name, "psnr_hole_db"] for name in rows["method"]}
    assert set(rows["status"]) == {"ok"}
    assert scores["one"].equals(scores["half"])
    assert not scores["one"].equals(scores["two"])


def test_a_run_goes_on_from_another_directory(folder, photos, monkeypatch):
    request = asked(photos, "a=one/net.py:Net(share=2)", shard=(0, 2))
    run(request)
    kept = RunFolder(request.out)
    before = len(kept.read_table("cases.parquet"))
    monkeypatch.chdir("/")
    own = f"a={folder}/one/net.py:Net(share=2)"
    run(Request(**{**vars(request), "methods": ("mean", own), "shard": (0, 1)}))
    rows = kept.read_table("cases.parquet").query("method == 'a'")
    assert before < 18
    assert list(rows["status"]) == ["ok"] * 9
    assert kept.read_json()["methods"]["a"] == f"a={folder}/one/net.py:Net(share=2)"


def test_what_cannot_be_made_is_refused_before_anything_runs(folder, photos):
    with pytest.raises(BenchError, match="takes no parameter 'shear'"):
        run(asked(photos, "mean", "a=one/net.py:Net(shear=2)"))
    assert not (folder / "out/run.json").exists()


def test_one_label_for_two_classes_is_refused(folder, photos):
    with pytest.raises(BenchError, match="have one name"):
        run(asked(photos, "a=one/net.py:Net", "a=one/net.py:Net(share=2)"))
    run(asked(photos, "a=one/net.py:Net", f"a={folder}/one/../one/net.py:Net()"))
