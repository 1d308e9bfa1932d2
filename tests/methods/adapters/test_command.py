"""Programs in a virtual environment of their own, called for many cases, served, and at fault."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

import methods
from bench.errors import BenchError
from bench.machine import children
from methods import harness
from methods.adapters.program import Program
from methods.adapters.workplace import Workplace
from methods.base import CaseKey, Given
from methods.conformance import check
from methods.identity import after_load
from methods.scene import scene
from tests.support.environments import BATCH, calls, furnish, state

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path) -> Path:
    return furnish(tmp_path)


def loaded(folder: Path, how: str, *facts: str):
    command = "programs.py served" if how == "served" else BATCH.format(how=how)
    form = ['form = "served"'] if how == "served" else []
    method = methods.get(state(folder, command, *form, *facts))
    method.load()
    return method


def given(*dark: int, count: int = 4) -> list[tuple[Given, np.ndarray]]:
    """Cases of several sizes as a run gives them, and their photos; some are dark."""
    found = []
    for number in range(count):
        photo, hole = scene(40 + number, 50, seed=number)
        if number in dark:
            photo = photo // 5 + 10
        case = CaseKey(f"{number}.png", "region", 0)
        shown = np.where(hole[..., None], 0, photo).astype(np.uint8)
        found.append((Given(case, shown, hole, number), photo))
    return found


def fill(method, each: Given, photo: np.ndarray) -> harness.Filled:
    return harness.fill(method, photo, each.hole, each.seed, each.case)


def expected(each: Given, photo: np.ndarray) -> np.ndarray:
    wanted = photo.copy()
    wanted[each.hole] = np.rint(photo[~each.hole].mean(0))
    return wanted


@pytest.mark.parametrize(
    "facts", [(), ("[size]", 'kind = "multiple"', "of = 8")], ids=["any", "multiple"]
)
def test_a_job_is_one_call_in_the_other_environment(folder, facts):
    method = loaded(folder, "good", *facts)
    cases = given()
    assert calls(folder) == [f"good {folder / 'env'}"]  # the probe
    method.begin_job(iter([each for each, _ in cases]))
    assert len(calls(folder)) == 2
    for each, photo in cases:
        filled = fill(method, each, photo)
        if not facts:  # of a padded picture the mean is another one
            assert np.array_equal(filled.picture, expected(each, photo))
        assert filled.counts == {"batch_of": 4}
        assert filled.seconds > 0
        assert filled.cpu_seconds > 0
    assert len(calls(folder)) == 2
    assert "known pixels moved by 0.0000" in method.said


def test_without_a_job_each_case_is_a_call(folder):
    method = loaded(folder, "good")
    ((each, photo), *_) = given()
    assert np.array_equal(fill(method, each, photo).picture, expected(each, photo))
    assert np.array_equal(fill(method, each, photo).picture, expected(each, photo))
    assert len(calls(folder)) == 3


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("fails", r"exit status 3\).*said last: cannot take a dark picture"),
        ("leaves_out", r"expected the fill c00000.png in {out}, found none; exit status 0"),
    ],
)
def test_only_the_case_at_fault_is_lost(folder, how, words):
    method = loaded(folder, how)
    cases = given(2)
    method.begin_job(iter([each for each, _ in cases]))
    for number, (each, photo) in enumerate(cases):
        if number == 2:
            with pytest.raises(BenchError, match=words):
                fill(method, each, photo)
        else:
            assert np.array_equal(fill(method, each, photo).picture, expected(each, photo))
    alone = 4 if how == "fails" else 1  # what a failed call wrote may be half a file
    assert len(calls(folder)) == 2 + alone


def test_each_sample_has_a_call_and_a_seed_of_its_own(folder):
    stochastic = ("[card]", "stochastic = true")
    command = BATCH.format(how="good") + " {seed}"
    method = methods.get(state(folder, command, *stochastic))
    method.load()
    cases = given(count=2)
    again = [
        Given(e.case._replace(sample=s), e.picture, e.hole, 10 + s)
        for e, _ in cases
        for s in (0, 1)
    ]
    method.begin_job(iter(again))
    assert len(calls(folder)) == 3
    assert {
        len(fill(method, each, cases[0][1][: len(each.hole)]).counts) for each in again[:1]
    } == {1}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("inverted", "the whole picture is black; state hole = 0"),
        ("untouched", "the hole is black"),
        ("exchanged", "fit the photo better as BGR.*let it write red, green, blue"),
        ("small", r"the output is 64x63, the case 64x64; state a \[size\]"),
        ("jpeg", "expected a PNG file, found JPEG under this name"),
        ("nowhere", r"expected the fill c00000.png in {out}, found 1 \(result.png\)"),
    ],
)
def test_what_gives_no_fill_is_refused_when_it_is_loaded(folder, how, words):
    with pytest.raises(BenchError, match=f"made-up picture of 64x64.*{words}"):
        loaded(folder, how)


@pytest.mark.parametrize(
    ("how", "facts"),
    [("inverted", ["hole = 0"]), ("nowhere", ['output = "result.png"'])],
)
def test_what_is_stated_otherwise_is_taken(folder, how, facts):
    if how == "nowhere":
        with pytest.raises(BenchError, match="expected a name such as"):
            loaded(folder, how, *facts)
    else:
        loaded(folder, how, *facts)


def test_masks_of_lama_lie_among_the_pictures(folder):
    script = (folder / "programs.py").read_text()
    for old, new in (
        ('sorted(images.glob("*.png"))', 'images.glob("*_mask000.png")'),
        ("fill(image, masks / image.name,", 'fill(str(image).replace("_mask000", ""), image,'),
    ):
        assert old in script
        script = script.replace(old, new)
    (folder / "programs.py").write_text(script)
    method = loaded(folder, "good", 'naming = "lama"')
    ((each, photo), *_) = given()
    assert np.array_equal(fill(method, each, photo).picture, expected(each, photo))


def test_megabytes_on_both_streams_are_no_obstacle(folder):
    method = loaded(folder, "prints")
    cases = given(0, 1)
    method.begin_job(iter([each for each, _ in cases]))
    for each, photo in cases:
        assert fill(method, each, photo).counts == {"batch_of": 4}


def test_a_served_program_answers_case_by_case(folder):
    method = loaded(folder, "served")
    cases = given(2)
    cases[1] = cases[1][0], cases[1][1] // 10
    for number, (each, photo) in enumerate(cases):
        words = {1: r"the program ended \(exit status 4\).*too dark by far", 2: "a dark picture"}
        if number in words:
            with pytest.raises(BenchError, match=words[number]):
                fill(method, each, photo)
        else:
            filled = fill(method, each, photo)
            assert np.array_equal(filled.picture, expected(each, photo))
            assert "batch_of" not in filled.counts
    told = [line for line in calls(folder) if line.startswith("case")]
    assert [line.split()[1] for line in told] == ["0", "0", "1", "2", "3"]
    assert sum(line.startswith("served") for line in calls(folder)) == 2  # again after its end


def test_a_served_program_keeps_the_contract_of_all_methods(folder):
    asked = state(folder, "programs.py served", 'form = "served"')
    assert [result for result in check(asked) if result.status == "failed"] == []


def test_the_version_is_part_of_what_it_is(folder):
    version = 'version = "programs.py version"'
    one = loaded(folder, "good", version)
    assert one.card.implementation == "A program, program 1.2"
    assert "program 1.2" in one.identity
    same = loaded(folder, "good", version, "# a comment")
    assert after_load(same) == after_load(one)
    script = folder / "programs.py"
    script.write_text(script.read_text().replace("1.2", "1.3"))
    assert after_load(loaded(folder, "good", version)) != after_load(one)
    before = after_load(loaded(folder, "good"))
    script.write_text(script.read_text() + "\n")
    assert after_load(loaded(folder, "good")) != before  # the command names the file


@pytest.mark.parametrize(
    ("command", "facts", "words"),
    [
        ("p.py {masks}", [], "expected {images} and {out} in it"),
        (BATCH, ["colour = 1"], "facts: expected one of .*'colour'"),
        (BATCH, ['conda = "x"'], "expected one environment, found python and conda"),
        (BATCH, ["hole = 1"], "hole: expected 255 or 0"),
        (BATCH, ['naming = "sorted"'], "naming: expected one of stem, lama"),
        (
            BATCH,
            ['form = "serve"'],
            "form: expected one of batch, served, found 'serve'.*mean served",
        ),
        (BATCH, ['output = "{stem}.jpg"'], "lossy"),
        (BATCH, ['files = ["weights.pt"]'], "files: expected a file or folder .*weights.pt"),
        (BATCH, ['cwd = "nowhere"'], "cwd: expected a folder"),
        (BATCH + " {seed}", [], r"expected stochastic = true in \[card\]"),
        (BATCH, ["[card]", "stochastic = true"], "expected {seed} in the command"),
        (BATCH, ["[card]", 'sees = "all"'], "expected blanked or visible"),
        (BATCH, ['env = ["A=b"]'], "env: expected a table"),
        (BATCH, ['files = "w.pt"'], "files: expected a list of texts"),
        (BATCH, ['card = "Mine"'], "card: expected a table"),
        (BATCH, ["size = 8"], "size: expected a table"),
        ("", [], "command: expected a text or a list of texts"),
    ],
)
def test_what_is_wrong_in_the_file_is_said(folder, command, facts, words):
    asked = state(folder, command.replace("{{", "{").replace("}}", "}"), *facts)
    with pytest.raises(BenchError, match=f"mine.toml: .*{words}"):
        methods.get(asked)


@pytest.mark.parametrize("python", ["", "nowhere/python"])
def test_a_program_that_is_not_there_is_said(folder, python):
    method = methods.get(state(folder, "no-such-program {images} {out}", python=python))
    with pytest.raises(BenchError, match=r"expected a program .*, found none that can be run"):
        method.load()


def test_a_program_that_may_not_be_run_is_said_and_a_mark_of_byte_order_is_read(folder):
    (folder / "fill.sh").write_text("#!/bin/sh\n")
    text = 'command = "./fill.sh {images} {out}"'
    (folder / "mine.toml").write_text(text, "utf-8-sig")
    with pytest.raises(BenchError, match=r"fill.sh cannot be run: make it executable"):
        methods.get(f"a=command:{folder / 'mine.toml'}").load()


def test_containers_are_given_the_folders_that_are_exchanged(tmp_path):
    work, variables = tmp_path / "work", {"A": "1"}
    for kind in ("docker", "apptainer"):
        program = Program(("fill", "{out}"), tmp_path, kind, "it", variables, gpu=True)
        called = program.called(work, {"out": "/o"})
        assert called[0] == kind
        assert called[-3:] == ["it", "fill", "/o"]
        assert any(f"{work}" in word for word in called)
        assert any(f"={tmp_path}" in word for word in called)
        assert "--env=A=1" in called
        assert any(word in ("--gpus=all", "--nv") for word in called)
    called = Program(("fill",), tmp_path, "conda", "it").called(work, {})
    assert called == ["conda", "run", "--no-capture-output", "--name", "it", "fill"]


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        "import os, signal, tempfile; from methods.adapters.workplace import Workplace\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "held = Workplace(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    (left,) = tmp_path.iterdir()
    alive = Workplace()
    assert not left.exists()
    other = Workplace()
    assert alive.path.exists()
    for each in (alive, other):
        shutil.rmtree(each.path)


def works(place: str, pipe) -> None:
    tempfile.tempdir = place
    work = Workplace()
    pipe.send(str(work.path))
    time.sleep(600)


def test_a_worker_that_is_ended_leaves_no_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    context = children.context(1, [])
    ours, theirs = context.Pipe()
    child = children.start(context, 1, works, str(tmp_path), theirs)
    folder = Path(ours.recv())
    assert folder.exists()
    children.end(child)
    assert not folder.exists()


def gone(pids: list[int]) -> bool:
    """Whether processes end, given some time."""
    until = time.monotonic() + 30
    while any(map(psutil.pid_exists, pids)) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(map(psutil.pid_exists, pids))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_of_a_program_whose_caller_ends(folder, number):
    asked = state(folder, BATCH.format(how="hangs"))
    code = (
        "import numpy as np, methods, signal\nfrom methods import harness, scene\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"method = methods.get({asked!r}); method.load()\n"
        "photo, hole = scene.scene(64, 64)\nharness.fill(method, photo // 5, hole, 0)"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as caller:
        while not (found := [line for line in calls(folder) if line.startswith("hanging")]):
            assert caller.poll() is None
            time.sleep(0.05)
        family = psutil.Process(caller.pid).children(recursive=True)
        grandchildren = [int(word) for word in found[0].split()[1:]]
        pids = [each.pid for each in family]
        assert {*grandchildren} < {*pids}
        os.kill(caller.pid, number)
    assert gone(pids)
