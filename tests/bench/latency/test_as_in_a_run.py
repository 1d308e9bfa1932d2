"""Methods are timed as a run calls them, by the clock that sees where their time goes."""

import hashlib
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pandas as pd
import pytest

from bench.cli import main
from bench.errors import BenchError
from bench.latency import measure
from bench.latency.answers import NOT_TIMED
from methods.base import CaseKey, Inpainter
from methods.card import Card
from tests.bench.latency.test_measure import REQUEST, of


def busy(seconds: float) -> None:
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass


class _Grey(Inpainter):
    card = Card("grey", "Grey", "elsewhere")

    def work(self) -> None:
        """What takes the time."""

    def infer(self, images, masks, generator):
        self.work()
        return images + 0.5 * masks


class Sleeps40(_Grey):
    def work(self):
        time.sleep(0.04)


class Sleeps400(_Grey):
    def work(self):
        time.sleep(0.4)


class Runs(_Grey):
    """Runs a program and waits for it."""

    def work(self):
        code = "import time\nwhile time.process_time() < 0.1: pass"
        subprocess.run([sys.executable, "-S", "-c", code], check=True)


class Asks(_Grey):
    """Asks a server of its own, which works as long as it does itself."""

    code = (
        "import sys, time\n"
        "for line in sys.stdin:\n"
        "    start = time.process_time()\n"
        "    while time.process_time() - start < 0.02: pass\n"
        "    print(flush=True)\n"
    )

    def load(self):
        self.server = subprocess.Popen(
            [sys.executable, "-S", "-c", self.code],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def work(self):
        busy(0.03)
        print(file=self.server.stdin, flush=True)
        self.server.stdout.readline()


class Threads(_Grey):
    """Works in two threads, whatever limit there is."""

    def work(self):
        data = bytes(2**25)  # hashed without the interpreter's lock
        threads = [threading.Thread(target=hashlib.sha256, args=(data,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


class Told(_Grey):
    """Serves the cases only that it was told of before it loaded."""

    known: frozenset[CaseKey] = frozenset()
    case: CaseKey | None = None

    def expect(self, cases):
        assert all(case.size == (64, 64) and case.size_rule for case in cases)
        self.known = frozenset(case._replace(size=(0, 0), size_rule="") for case in cases)
        return None

    def load(self):
        if len(self.known) != 16 or {case.tier for case in self.known} != {"region"}:
            raise BenchError(f"told of {len(self.known)} cases before it loads")

    def begin(self, case):
        self.case = case

    def work(self):
        if self.case not in self.known:
            raise BenchError(f"told of {self.case}")


class One(_Grey):
    """Takes one picture at a time."""

    def infer(self, images, masks, generator):
        if len(images) > 1:
            raise ValueError("one picture at a time")
        return super().infer(images, masks, generator)


class Untimed(_Grey):
    """Looks up what was made elsewhere."""

    timed = False


def own(*classes: type[Inpainter]) -> tuple[str, ...]:
    return tuple(f"{each.__name__.lower()}={__name__}:{each.__name__}" for each in classes)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    asked = own(Sleeps40, Sleeps400, Runs, Asks, Threads, Told)
    request = replace(REQUEST, methods=asked, pace=replace(REQUEST.pace, limit=60))
    return measure.measure(request, tell=lambda line: None).table


@pytest.mark.slow
def test_ten_times_the_wait_is_far_more_of_the_anchor(table):
    short, long = of(table, "sleeps40"), of(table, "sleeps400")
    assert (short["basis"], long["basis"]) == ("wall", "wall")
    assert long["ratio"] / short["ratio"] > 5
    assert long["p50_low_ms"] > 400 > short["min_ms"] > 40


@pytest.mark.slow
def test_a_program_that_is_run_counts_as_cpu_time(table):
    row = of(table, "runs")
    assert row["cpu_p50_ms"] > 90 or row["n"] < 11
    assert (row["basis"], row["ratio"] > 1) == ("cpu", True)


@pytest.mark.slow
def test_a_server_that_keeps_running_is_seen_by_wall_time(table):
    row = of(table, "asks")
    assert row["basis"] == "wall"
    assert row["ratio"] == row["ratio_wall"]


@pytest.mark.slow
def test_more_cpu_time_than_wall_time_is_timed_by_wall_time(table):
    samples = of(table, "threads")
    if samples["cpu_p50_ms"] > 1.2 * samples["p50_ms"]:  # this machine had two processors free
        assert samples["basis"] == "wall"
    assert samples["n"] > 0


@pytest.mark.slow
def test_a_method_is_told_its_cases_as_in_a_run(table):
    assert of(table, "told")["n"] > 0
    assert of(table, "told")["reason"] == ""


def test_a_method_that_takes_one_picture_at_a_time_is_timed_and_its_batches_said():
    told: list[str] = []
    request = replace(REQUEST, methods=own(One), batches=True)
    table = measure.measure(request, told.append).table
    assert any("2 pictures at once: one: failed: ValueError" in line for line in told)
    assert of(table, "one")["n"] > 0
    rows = table[(table["method"] == "one") & (table["region"] == "throughput")]
    assert rows["batch"].tolist() == [1, 2]
    assert rows["images_per_second"].notna().tolist() == [True, False]
    assert rows["status"].tolist() == ["ok", "failed"]
    assert "one picture at a time" in rows["reason"].iloc[1]


def test_what_is_not_timed_is_left_out_with_its_reason_on_the_console(tmp_path, capsys):
    command = ["latency", "--short", "--shared", "--limit", "1", "--device", "cpu", "--sizes", "64",
               "--tiers", "region", "--out", str(tmp_path)]  # fmt: skip
    assert main([*command, "--methods", f"mean,{own(Untimed)[0]}"]) == 0
    said = capsys.readouterr()
    assert "untimed is left out: its fills are made elsewhere" in said.err
    row = of(pd.read_parquet(tmp_path / "latency.parquet"), "untimed")
    assert (row["status"], row["n"]) == (NOT_TIMED, 0)
    shown = [line for line in said.out.splitlines() if "e2e" in line or "MiB" in line]
    assert len(shown) == 3
    assert max(map(len, shown)) <= 100
