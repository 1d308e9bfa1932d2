"""Many photos: read by several processes, linked, weighed."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from bench.errors import BenchError, StoreError
from bench.folder.store import RunFolder
from bench.machine import children
from bench.machine.spread import Hands, spread
from bench.planning import pictures, plan
from bench.planning.protocol import Protocol
from tests.scale import photos as made_up

HANDS = Hands(2, partial(children.context, 1, [plan.__name__]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Photos of which some cannot be used, with masks of which some have no hole."""
    path = tmp_path_factory.mktemp("many")
    made_up.write(path / "photos", 40)
    (path / "photos/000/damaged.png").write_bytes(b"no picture")
    for number, name in enumerate(sorted((path / "photos/000").glob("0*.png"))):
        with Image.open(name) as image:
            mask = np.zeros((image.height, image.width), bool)
        mask[4:20, 4:20] = number % 3
        (path / "masks/000").mkdir(parents=True, exist_ok=True)
        if number != 7:
            Image.fromarray(mask).save(path / "masks/000" / name.name)
    return path


@pytest.mark.parametrize("masks", [False, True])
def test_several_processes_make_the_same_plan(folder, masks, tmp_path, monkeypatch):
    monkeypatch.setattr(plan, "_ALONE", 0)
    asked = Protocol(photos=f"{folder}/photos", masks=f"{folder}/masks" if masks else None, size=32)
    found, told = [], []
    for hands in (None, HANDS):
        store = RunFolder(tmp_path / str(hands is None))
        tables = plan.make(asked, store, hands=hands, weighed=lambda *each: told.append(each))
        files = {str(path.relative_to(store.path)): path.read_bytes()
                 for path in store.path.rglob("*.png")}  # fmt: skip
        found.append((*tables, files))
    pd.testing.assert_frame_equal(found[0][0], found[1][0])
    pd.testing.assert_frame_equal(found[0][1], found[1][1])
    assert found[0][2] == found[1][2]
    assert len(found[0][2]) > 40
    assert told[0] == told[1]
    assert (found[0][1]["status"] == "refused").sum() >= 1


def end_itself(part: int) -> int:
    if part == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return part


def fail(part: int) -> int:
    if part == 3:
        raise StoreError("disk full")
    return part


def wait_long(part: int) -> int:
    time.sleep(3600)
    return part


@pytest.mark.parametrize(("work", "said"), [(end_itself, "SIGKILL"), (fail, "disk full")])
def test_a_process_that_fails_or_dies_ends_the_plan_and_all_others(work, said):
    with pytest.raises(BenchError, match=said):
        list(spread(work, list(range(40)), HANDS))
    assert not _at_work()


def test_results_come_in_order_and_an_end_before_the_last_leaves_nobody():
    results = spread(abs, [-number for number in range(30)], HANDS)
    assert [next(results) for _ in range(10)] == list(range(10))
    results.close()
    assert not _at_work()


def test_an_interrupted_plan_leaves_nobody():
    main = threading.main_thread().ident
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever started this
    threading.Timer(3, signal.pthread_kill, (main, signal.SIGINT)).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            list(spread(wait_long, [1, 2, 3], HANDS))
    finally:
        signal.signal(signal.SIGINT, before)
    assert not _at_work()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_plan_leaves_nobody():
    code = (
        "from tests.bench.planning.test_many_photos import *\n"
        "list(spread(wait_long, [1, 2, 3], HANDS))"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[3]) as process:
        own = psutil.Process(process.pid)
        # What others are forked from, two that work and a keeper of each.
        while len(found := own.children(recursive=True)) < 5:
            time.sleep(0.1)
        process.kill()
    _, alive = psutil.wait_procs(found, timeout=20)
    assert not alive


def _at_work() -> list[psutil.Process]:
    """What is below the process that others are forked from."""
    time.sleep(0.2)
    return [child for server in psutil.Process().children() for child in server.children()]


def test_a_photo_whose_file_holds_its_pixels_is_linked(tmp_path):
    made_up.write(tmp_path / "photos", 3)
    source = tmp_path / "photos/000"
    with Image.open(source / "000001.png") as image:
        image.save(source / "grey.jpg")
        image.convert("L").save(source / "grey.png")
        image.convert("RGBA").rotate(180).save(source / "alpha.png")
    store = RunFolder(tmp_path / "run")
    table, _ = plan.make(Protocol(photos=f"{source}", size=None, tiers=("small",)), store)
    files = table.set_index("photo")["photo_sha"].map(pictures.photo_file)
    for name, inside in files.items():
        # One file of two names, or where the file system can a clone, which is byte for byte it.
        same = store.file(inside).read_bytes() == (source / name).read_bytes()
        assert same == name.startswith("0"), name
    cut, _ = plan.make(Protocol(photos=f"{source}", size=32), RunFolder(tmp_path / "cut"))
    assert cut["photo_sha"].nunique() == 6
    for sha in cut["photo_sha"]:
        assert pictures.photo_of(sha, RunFolder(tmp_path / "cut")).shape == (32, 32, 3)


def test_a_linked_photo_that_changes_is_noticed_and_one_that_is_replaced_or_gone_is_not_missed(
    tmp_path,
):
    made_up.write(tmp_path / "photos", 3)
    source, store = tmp_path / "photos/000", RunFolder(tmp_path / "run")
    table, _ = plan.make(Protocol(photos=f"{source}", size=None, tiers=("small",)), store)
    sha = table.set_index("photo")["photo_sha"]
    (source / "000000.png").unlink()
    Image.new("RGB", (40, 40)).save(source / "new.png")
    (source / "new.png").replace(source / "000001.png")
    for name in ("000000.png", "000001.png"):
        assert pictures.photo_of(sha[name], store).size
    shared = store.file(pictures.photo_file(sha["000002.png"])).samefile(source / "000002.png")
    Image.new("RGB", (40, 40)).save(source / "000002.png")  # into the file that is there
    if shared:
        with pytest.raises(StoreError, match="is not what the plan says"):
            pictures.photo_of(sha["000002.png"], store)
    else:
        assert pictures.photo_of(sha["000002.png"], store).size


def test_making_a_plan_again_writes_the_same_links(tmp_path):
    made_up.write(tmp_path / "photos", 2)
    store = RunFolder(tmp_path / "run")
    asked = Protocol(photos=f"{tmp_path}/photos", size=None)
    first = plan.make(asked, store)[0]
    again = plan.make(asked, store)[0]
    pd.testing.assert_frame_equal(first, again)
    assert not list(store.path.rglob(".*.tmp"))
    assert len(list(store.file("photos").iterdir())) == 2
