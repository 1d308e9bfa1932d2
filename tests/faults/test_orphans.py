"""Nothing that a method started outlives its process, however that ends."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest

from tests.support import commands, families

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a keeper"),
    pytest.mark.slow,
]
FAMILY = "f=tests.support.families:Family"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where processes are told of."""
    folder = tmp_path / "family"
    folder.mkdir()
    monkeypatch.setenv(families.FOLDER, str(folder))
    return folder


def wait_gone(folder, *, others=()) -> None:
    """No process that was told of may be left; each kind must have been there."""
    found = families.told(folder)
    assert found.keys() >= set(families.KINDS)
    pids = set.union(*found.values(), set(others))
    deadline = time.monotonic() + 30
    while left := families.alive(pids):
        assert time.monotonic() < deadline, {
            kind: left & of_kind for kind, of_kind in found.items() if left & of_kind
        }
        time.sleep(0.05)


def started(folder, command) -> subprocess.Popen:
    """Start a command in a session of its own, until its method is at work."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True, preexec_fn=commands.hear_interrupts,
    )  # fmt: skip
    families.wait_started(folder, process)
    return process


def family(then: str, at: str = "infer") -> list[str]:
    return ["--methods", f'{FAMILY}(then="{then}", at={at})', "--limit", "1", "--tiers", "region"]


def test_the_end_of_a_worker_is_that_of_all_it_started(folder, photos, tmp_path):
    ends = {
        "hang": "timeout", "crash": "killed", "kill the group": "killed", "exit": "killed",
        "fail": "failed", "go on": "ok",
    }  # fmt: skip
    own = [f'f{n}=tests.support.families:Family(then="{then}")' for n, then in enumerate(ends)]
    words = ["--methods", ",".join(own), "--limit", "1", "--tiers", "region", "--timeout", "15"]
    out = tmp_path / "out"
    done = commands.run(out, photos, *words)  # whoever is left holds the pipe that is read here
    found = commands.cases(out)["status"].droplevel([1, 2, 3, 4])
    assert found.to_dict() == {
        "original": "ok", **{f"f{n}": status for n, status in enumerate(ends.values())}
    }, done.stderr  # fmt: skip
    assert len(families.told(folder)["worker"]) == 6 + 4  # as four are tried twice
    wait_gone(folder)


@pytest.mark.parametrize(
    ("sent", "status", "at"),
    [
        (signal.SIGINT, 130, "load"),
        (signal.SIGTERM, 143, "infer"),
        pytest.param(signal.SIGHUP, 129, "infer", marks=pytest.mark.nightly),
        (signal.SIGKILL, -9, "infer"),
        pytest.param(signal.SIGINT, 130, "infer", marks=pytest.mark.nightly),
        pytest.param(signal.SIGTERM, 143, "load", marks=pytest.mark.nightly),
        pytest.param(signal.SIGKILL, -9, "load", marks=pytest.mark.nightly),
    ],
)
def test_the_end_of_a_run_is_that_of_all(folder, photos, tmp_path, sent, status, at):
    out = tmp_path / "out"
    process = started(folder, commands.command(out, photos, *family("hang", at)))
    others = [each.pid for each in psutil.Process(process.pid).children(recursive=True)]
    os.killpg(process.pid, sent)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == status, said
    if sent != signal.SIGKILL:
        assert "the same command continues" in said
        assert "Traceback" not in said
    wait_gone(folder, others=others)
    if at == "infer" and sent != signal.SIGKILL:
        assert commands.header(out)["state"] == "interrupted"
        assert set(commands.cases(out)["status"]) == {"ok"}  # what the ceiling did


def test_a_worker_killed_from_outside_takes_all_with_it(folder, photos, tmp_path):
    process = started(folder, commands.command(tmp_path / "out", photos, *family("hang")))
    first = families.told(folder)
    (worker,) = first["worker"]
    os.kill(worker, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while families.alive(set.union(*first.values())):  # while the run goes on
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait_gone(folder)


@pytest.mark.parametrize("at", [pytest.param("load", marks=pytest.mark.nightly), "infer"])
def test_a_stopwatch_ends_with_all_it_started(folder, tmp_path, at):
    words = [sys.executable, "-m", "bench", "latency", "--methods", f"{FAMILY}(then=hang, at={at})"]
    words += ["--sizes", "32", "--tiers", "region", "--short", "--limit", "1", "--device", "cpu"]
    process = started(folder, [*words, "--out", str(tmp_path / "out")])
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    wait_gone(folder)


@pytest.mark.nightly
def test_a_campaign_of_faults_at_random_moments_leaves_nobody(folder, photos, tmp_path):
    rng = np.random.default_rng(0)
    for number in range(30):
        then = str(rng.choice(["hang", "crash", "exit", "fail", "go on"]))
        at = str(rng.choice(["load", "infer"]))
        command = commands.command(tmp_path / str(number), photos, *family(then, at))
        process = subprocess.Popen(
            [*command, "--timeout", "2"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, preexec_fn=commands.hear_interrupts,
        )  # fmt: skip
        time.sleep(float(rng.uniform(1, 15)))
        others = [process.pid]
        if process.poll() is None:
            others += [each.pid for each in psutil.Process(process.pid).children(recursive=True)]
            whom = int(rng.choice(others))
            number = int(rng.choice([signal.SIGINT, signal.SIGTERM, signal.SIGKILL]))
            if families.alive({whom}):
                os.kill(whom, number)
            if whom != process.pid:
                os.kill(process.pid, number)
        process.communicate(timeout=120)  # whoever is left holds the pipe
        pids = set.union(set(others), *families.told(folder).values())
        deadline = time.monotonic() + 30
        while left := families.alive(pids):
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
