"""Building a report again: only what changed is written."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from bench.errors import BenchError
from reports.build import build
from reports.site import album
from tests.support.reading import snapshot
from tests.support.sample_run import write_run


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("folder") / "run"
    write_run(folder, names=["astronaut.png", "coffee.png"], tiers=["small", "large"])
    build(folder)
    return folder


@pytest.fixture
def run(sample, tmp_path) -> Path:
    """A copy with its report, files as old as they were."""
    return Path(shutil.copytree(sample, tmp_path / "run", copy_function=shutil.copy2))


def files(folder: Path) -> dict[str, Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path for path in found}


def times(folder: Path) -> dict[str, tuple[int, int]]:
    return {name: (p.stat().st_mtime_ns, p.stat().st_ino) for name, p in files(folder).items()}


def change_reason(run: Path) -> None:
    cases = pd.read_parquet(run / "cases.parquet")
    cases["reason"] = cases["reason"].replace("takes sides of at least 512 pixels", "other words")
    cases.to_parquet(run / "cases.parquet", index=False)


def test_an_unchanged_run_leaves_every_file_as_it_was(run):
    before = times(run / "report")
    build(run)
    assert times(run / "report") == before
    assert len(before) > 50


def test_a_change_touches_only_the_files_it_shows_in(run):
    before, old = times(run / "report"), snapshot(run / "report")
    change_reason(run)
    build(run)
    after, new = times(run / "report"), snapshot(run / "report")
    changed = {name for name in old if old[name] != new[name]}
    assert {name for name in old if before[name] != after[name]} == changed
    assert "failures.html" in changed
    assert not {name for name in changed if name.startswith(("pictures", "plots", "assets"))}


def test_pictures_of_the_same_pixels_are_not_encoded_again(run, monkeypatch):
    saved = []
    save = Image.Image.save

    def counting(self, *arguments, **options):
        saved.append(self)
        return save(self, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", counting)
    build(run)
    assert saved == []
    build(run, run / "elsewhere")
    assert len(saved) > 20


def test_other_code_or_libraries_make_all_pictures_again(run, monkeypatch):
    monkeypatch.setattr(album, "_maker", lambda: "other code")
    listed = run / "report" / "assets" / "pictures.json"
    before = times(run / "report")
    build(run)
    assert "other code" in listed.read_text()
    after = times(run / "report")
    assert {name for name in before if before[name] != after[name]} == {"assets/pictures.json"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"made by": 1, "pictures": []}'])
def test_a_damaged_list_of_pictures_costs_only_time(run, text):
    expected = snapshot(run / "report")
    (run / "report" / "assets" / "pictures.json").write_text(text)
    build(run)
    assert snapshot(run / "report") == expected


def test_a_damaged_file_of_the_previous_report_is_made_again(run):
    expected = snapshot(run / "report")
    for name in ("index.html", *(n for n in expected if n.startswith("pictures"))):
        path = run / "report" / name
        path.unlink()  # it may be the run's own file too
        path.write_bytes(b"torn")
    build(run)
    assert snapshot(run / "report") == expected


def test_pictures_that_the_run_lost_go_from_the_report(run):
    shutil.rmtree(run / "outputs" / "telea")
    build(run)
    page = (run / "report" / "tiers" / "small.html").read_text("utf-8")
    assert page.count("picture not kept") == 2
    assert snapshot(run / "report") == snapshot(build(run, run / "elsewhere").parent)


def test_stale_files_and_folders_go(run):
    stale = run / "report" / "old" / "page.html"
    stale.parent.mkdir()
    stale.write_text("old")
    build(run)
    assert not stale.parent.exists()


def test_without_hard_links_files_are_copied_and_keep_their_time(run, monkeypatch):
    def refuse(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    before = {name: time for name, (time, _) in times(run / "report").items()}
    expected = snapshot(run / "report")
    build(run)
    assert snapshot(run / "report") == expected
    assert {name: time for name, (time, _) in times(run / "report").items()} == before


@pytest.mark.parametrize("step", ["rename", "write"])
def test_a_build_that_cannot_write_says_so_and_leaves_the_report(run, monkeypatch, step):
    before = times(run / "report")
    change_reason(run)

    def fail(self, *_, **__):
        raise OSError(28, "No space left on device")

    if step == "write":
        monkeypatch.setattr(Path, "write_text", fail)
    else:
        replace = Path.replace
        monkeypatch.setattr(
            Path, "replace", lambda p, t: fail(p) if p.name == "fresh" else replace(p, t)
        )
    with pytest.raises(BenchError, match="No space left"):
        build(run)
    assert times(run / "report") == before
    assert not list(run.glob(".report.staging"))
