"""Latency with real processes: what is timed, what is refused, what survives."""

import json
import math
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from bench.cli import main
from bench.errors import BenchError, Declined, InputError
from bench.folder import latency_facts, typed_json
from bench.latency import anchors, inputs, measure
from bench.latency.answers import Subject
from bench.latency.bout import Pace
from bench.latency.inputs import Config
from bench.latency.measure import LatencyRequest
from bench.latency.processes import NoAnswer, Process
from bench.latency.stopwatch import MethodStopwatch
from methods import harness
from methods.base import CaseKey, Inpainter
from methods.card import Card
from tests.support import commands

ROOT = Path(__file__).parents[3]
QUICK = Pace(
    block=1, least_rounds=5, most_rounds=5, least_seconds=0, limit=12, half_width=10,
    warm_calls=2,
)  # fmt: skip
REQUEST = LatencyRequest(("telea",), sizes=(64,), tiers=("region",), pace=QUICK)


class Keeps(Inpainter):
    """Keeps what it filled, against the contract."""

    card = Card("keeps", "Keeps", "elsewhere")

    def infer(self, images, masks, generator):
        known = self.__dict__.setdefault("known", {})
        key = masks.numpy().tobytes()
        if key not in known:
            time.sleep(0.02)
            known[key] = images + 0.5 * masks
        return known[key]


class Prepares(Inpainter):
    """Compiles something at its first call of each size, as it were."""

    card = Card("prepares", "Prepares", "elsewhere")

    def infer(self, images, masks, generator):
        ready = self.__dict__.setdefault("ready", set())
        if images.shape not in ready:
            time.sleep(1.5)
            ready.add(images.shape)
        return images + 0.5 * masks


class TwiceTheWork(Inpainter):
    """Takes twice as long as `Work`."""

    card = Card("twice", "Twice", "elsewhere")
    turns = 2

    def infer(self, images, masks, generator):
        x = torch.ones(300, 300)
        for _ in range(20 * self.turns):
            x = x @ x / 300
        return images + 0.5 * masks + 0 * x[0, 0]


class Work(TwiceTheWork):
    turns = 1


class Sleeps(Inpainter):
    """Waits for something that takes no CPU time of its own, such as a server."""

    card = Card("sleeps", "Sleeps", "elsewhere")

    def infer(self, images, masks, generator):
        time.sleep(0.05)
        return images + 0.5 * masks


class Picky(Inpainter):
    """Declines sides above 64 pixels, fails above 96."""

    card = Card("picky", "Picky", "elsewhere")

    def infer(self, images, masks, generator):
        if images.shape[-1] > 96:
            raise ValueError("too large for me")
        if images.shape[-1] > 64:
            raise Declined("takes 64 pixels at most")
        return images + 0.5 * masks


class Hangs(Inpainter):
    """Never comes back."""

    card = Card("hangs", "Hangs", "elsewhere")

    def infer(self, images, masks, generator):
        time.sleep(3600)


class Greedy(Inpainter):
    """Wants more memory than there is."""

    card = Card("greedy", "Greedy", "elsewhere")

    def infer(self, images, masks, generator):
        return images + torch.ones(2**40)[0] * masks


def of(table: pd.DataFrame, name: str, region: str = "infer") -> pd.Series:
    rows = table[(table["method"] == name) & (table["region"] == region)]
    assert len(rows) == 1
    return rows.iloc[0]


def own(*names: str) -> tuple[str, ...]:
    return tuple(f"{name.lower()}=tests.bench.latency.test_measure:{name}" for name in names)


@pytest.fixture(scope="module")
def measured():
    return measure.measure(
        replace(
            REQUEST,
            methods=("telea", "lama:small", *own("Work", "TwiceTheWork")),
            batches=True,
            pace=replace(QUICK, limit=60),  # seconds: five rounds on a busy machine, too
        ),
        tell=lambda line: None,
    )


@pytest.mark.slow
def test_the_ratio_of_two_methods_is_that_of_their_work(measured):
    one, two = (of(measured.table, name) for name in ("work", "twicethework"))
    assert two["ratio"] / one["ratio"] == pytest.approx(2, rel=0.25)
    assert one["basis"] == "cpu"


@pytest.mark.slow
def test_a_method_that_waits_is_timed_by_wall_time_and_says_so():
    request = replace(REQUEST, methods=own("Sleeps", "Work"))
    found = measure.measure(request, tell=lambda line: None)
    sleeps, work = (of(found.table, name) for name in ("sleeps", "work"))
    assert (sleeps["basis"], work["basis"], found.facts.basis) == ("wall", "cpu", "cpu")
    assert sleeps["ratio"] == sleeps["ratio_wall"]


def test_the_cpu_time_of_a_program_that_was_run_counts():
    code = "import time\nwhile time.process_time() < 0.2: pass"
    _, spent = harness.timed(
        torch.device("cpu"), lambda: subprocess.run([sys.executable, "-S", "-c", code], check=True)
    )
    assert spent.cpu > 0.19


@pytest.mark.slow
def test_the_table_says_what_was_measured(measured):
    row, whole = (of(measured.table, "lama:small", region) for region in ("infer", "e2e"))
    assert row["status"] == "under 30 rounds"
    assert row["rounds"] == 5
    assert row["n"] >= 5
    assert row["mean_ms"] < whole["mean_ms"]
    assert row["ratio_low"] <= row["ratio"] <= row["ratio_high"]
    assert 0.10 <= row["hole_share"] <= 0.30
    assert row["parameters"] == 1_635_087
    assert row["products"] > 50 * row["fourier"] > 0
    assert row["traffic"] > row["weight_bytes"] > 4e6
    assert row["device"] == "cpu"
    assert row["threads"] == 1
    assert math.isnan(of(measured.table, "telea")["parameters"])
    load = of(measured.table, "lama:small", "load")
    assert (load["n"], load["mean_ms"] > 0) == (1, True)


@pytest.mark.slow
def test_five_samples_support_no_percentile(measured):
    row = of(measured.table, "lama:small")
    assert row["n"] < 64
    assert math.isnan(row["p90_ms"])
    assert math.isnan(row["p99_ms"])
    assert math.isnan(row["p50_ms"]) == (row["n"] < 11)


@pytest.mark.slow
def test_all_samples_are_kept_with_the_anchors_in_each_round(measured):
    samples = measured.samples
    for _, own_round in samples.groupby("round"):
        names = set(own_round["method"])
        assert {*anchors.NAMES, f"{anchors.ANCHOR}-again", "telea", "work"} <= names
    orders = [
        tuple(rows.drop_duplicates("place")["method"]) for _, rows in samples.groupby("round")
    ]
    assert len(set(orders)) > 1  # a fixed order would favour who comes first
    per_call = samples[samples["method"] == "telea"]
    assert (per_call["e2e_wall"] >= per_call["infer_wall"]).all()
    assert per_call["hole_share"].nunique() > 1  # different inputs
    assert of(measured.table, "telea")["n"] == len(per_call)


@pytest.mark.slow
def test_throughput_is_measured_at_growing_batches(measured):
    rows = measured.table[measured.table["region"] == "throughput"]
    batches = rows.loc[rows["method"] == "lama:small", "batch"].tolist()
    assert batches[:2] == [1, 2]
    assert (rows["images_per_second"] > 0).all()


@pytest.mark.slow
def test_the_facts_disclose_the_setting(measured):
    facts = measured.facts
    assert "TF32 off" in facts.settings["number format"]
    assert facts.anchor_identity.torch == torch.__version__
    assert facts.anchor_identity.threads == 1
    assert facts.ceilings["copy"] > 0
    (test,) = facts.self_tests
    assert test.n == 5
    json.dumps(typed_json.plain(facts), default=str)


def test_sizes_that_a_method_does_not_take_are_results():
    table = measure.measure(
        replace(REQUEST, methods=own("Picky"), sizes=(64, 80, 112)), tell=lambda line: None
    ).table
    rows = table[table["region"] == "infer"].set_index("side")
    assert rows["status"].to_dict() == {
        64: "under 30 rounds", 80: "declined", 112: "failed",
    }  # fmt: skip
    assert rows.loc[80, "reason"] == "takes 64 pixels at most"
    assert "too large for me" in rows.loc[112, "reason"]
    assert rows.loc[80, "n"] == 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory of a process is limited on Linux only")
def test_running_out_of_memory_is_a_result_and_ends_no_other_method():
    table = measure.measure(
        replace(REQUEST, methods=("telea", *own("Greedy"))), tell=lambda line: None
    ).table
    assert of(table, "greedy")["status"] == "oom"
    assert of(table, "telea")["n"] > 0


def test_crashes_hangs_and_missing_weights_end_no_other_method():
    names = ("DiesLoading", "NoWeights", "AlwaysRaises")
    asked = tuple(f"{name.lower()}=tests.support.faulty:{name}" for name in names)
    table = measure.measure(
        replace(REQUEST, methods=("mean", *asked)), tell=lambda line: None
    ).table
    statuses = {name.lower(): of(table, name.lower())["status"] for name in names}
    assert statuses == {"diesloading": "killed", "noweights": "unavailable",
                        "alwaysraises": "failed"}  # fmt: skip
    assert "SIGKILL" in of(table, "diesloading")["reason"]
    assert of(table, "mean")["n"] > 0


def test_a_hang_is_ended(tmp_path):
    process = Process(Subject("hangs", own("Hangs")[0]), timeout=2)
    config = make_config(tmp_path)
    with pytest.raises(NoAnswer, match="took more than 2 s") as error:
        process.ask("load", config)
    assert error.value.refused.status == "timeout"
    assert not process.alive


def make_config(folder: Path) -> Config:
    rng = np.random.default_rng(0)
    np.save(folder / "photos.npy", rng.integers(0, 255, (16, 64, 64, 3), np.uint8))
    holes = np.zeros((16, 64, 64), bool)
    for number, hole in enumerate(holes):
        hole[8 : 20 + number, 8:30] = True
    np.save(folder / "holes.npy", holes)
    return Config(64, 64, "region", folder, (CaseKey("a.png", "region", 0),) * 16)


def test_a_method_that_keeps_results_is_seen(tmp_path):
    ratios = {}
    for name, text in (("keeps", own("Keeps")[0]), ("work", own("Work")[0])):
        stopwatch = MethodStopwatch(Subject(name, text))
        stopwatch.load(make_config(tmp_path))
        ratios[name] = stopwatch.audit(3)
    assert ratios["keeps"] < 0.5 < ratios["work"]


@pytest.mark.slow
def test_what_is_done_once_for_each_size_makes_no_method_a_slow_one():
    assert QUICK.slow < 1.5  # seconds, in `Prepares`
    request = replace(REQUEST, methods=own("Prepares"), sizes=(64, 80))
    found = measure.measure(request, tell=lambda line: None)
    assert not found.samples["slow"].any()
    assert found.table.query("region != 'load'")["n"].ge(QUICK.least_rounds).all()


def test_a_call_is_timed_around_what_the_harness_does(tmp_path):
    stopwatch = MethodStopwatch(Subject("work", own("Work")[0]))
    stopwatch.load(make_config(tmp_path))
    calls = stopwatch.sample(0, 3)
    assert all(call.e2e.wall >= call.infer.wall > 0 for call in calls)
    assert all(math.isnan(call.infer.device) for call in calls)
    assert len({call.hole_share for call in calls}) == 3


def test_timing_leaves_out_gradients_and_synchronises(monkeypatch):
    marks = []
    monkeypatch.setattr(harness, "synchronise", lambda device: marks.append("wait"))
    _, spent = harness.timed(torch.device("cpu"), lambda: marks.append("work"))
    assert marks == ["wait", "work", "wait"]
    assert spent.wall >= 0


@pytest.mark.parametrize("methods", [(), ("theirs=folder:outputs",)])
def test_what_cannot_be_timed_is_refused(methods):
    with pytest.raises(BenchError, match="latency: "):
        measure.measure(replace(REQUEST, methods=methods))


def test_the_command_writes_tables_and_says_what_could_not_be_timed(tmp_path, capsys):
    command = ["latency", "--short", "--shared", "--limit", "1", "--device", "cpu", "--sizes", "64",
               "--tiers", "region", "--out", str(tmp_path)]  # fmt: skip
    assert main([*command, "--methods", "telea,lama"]) == 1
    shown = capsys.readouterr()
    assert "telea" in shown.out
    assert "lama could not be timed" in shown.err
    table = pd.read_parquet(tmp_path / "latency.parquet")
    assert of(table, "lama")["status"] == "unavailable"
    assert "weights fetch" in of(table, "lama")["reason"]
    assert json.loads((tmp_path / "latency.json").read_text())["kind"] == "shared"
    assert len(pd.read_parquet(tmp_path / "latency-samples.parquet")) > 0


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        *((sizes, "size: expected N") for sizes in ("", "a", "64,")),
        ("0", "size: expected sides from 16"),
        ("fit:64", "has one size: N or WxH"),
        ("native", "has one size: N or WxH"),
        ("64x96,96x64", "64x96 and 96x64 have as many pixels"),
    ],
)
def test_sizes_that_are_none_are_refused(sizes, said, capsys):
    assert main(["latency", "--methods", "telea", "--sizes", sizes]) == 2
    assert said in capsys.readouterr().err


def test_own_holes_are_cut_and_scaled_with_their_photos(photos, tmp_path):
    hole = np.zeros((128, 128), bool)
    hole[40:80, 32:64] = True
    for name in ("a", "b"):
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(hole).save(tmp_path / "masks" / f"{name}.png")
    request = replace(
        REQUEST, methods=("mean",), sizes=(32, "64x32"), images=str(photos),
        masks=str(tmp_path / "masks"),
    )  # fmt: skip
    measured = measure.measure(request, tell=lambda line: None)
    rows = measured.table[measured.table["region"] == "e2e"]
    places = rows[["tier", "side", "height", "width"]].values.tolist()
    assert places == [["own", 32, 32, 32], ["own", 45, 32, 64]]
    assert rows["hole_share"].to_numpy() == pytest.approx([10 * 8 / 32**2, 20 * 16 / (64 * 32)])
    assert latency_facts.sizes(measured.table) == {32: "32 px", 45: "64x32 px"}


def test_no_hole_of_ones_own_is_an_error_with_the_reason(photos, tmp_path):
    for side, said in ((50, "50x50"), (128, "none has a hole")):
        Image.new("L", (side, side)).save(tmp_path / "mask.png")
        with pytest.raises(InputError, match=f"can be timed: .*{said}"):
            inputs.write(tmp_path, str(photos), str(tmp_path / "mask.png"), [64], ["own"], 0)


def test_tables_of_before_rectangles_hold_squares():
    table = pd.DataFrame({"side": [64, 64, 256], "height": 0, "width": 0})
    assert latency_facts.sizes(table) == {64: "64 px", 256: "256 px"}


def test_weights_by_rule_are_named_as_such():
    table = measure.measure(
        replace(REQUEST, methods=("lama:small",), by_rule=True, tiers=("small",)),
        tell=lambda line: None,
    ).table
    assert of(table, "lama:small")["weights"] == "made by rule: speed only"


@pytest.mark.slow
def test_an_interrupted_measurement_keeps_what_it_has(tmp_path):
    command = [
        sys.executable, "-m", "bench", "latency", "--methods", "mean", "--device", "cpu",
        "--sizes", "64", "--tiers", "region,large", "--shared", "--out", str(tmp_path),
    ]  # fmt: skip
    child = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=commands.hear_interrupts
    )
    assert child.stdout is not None
    for line in child.stdout:
        if "rounds in" in line:
            child.send_signal(signal.SIGINT)
            break
    rest, _ = child.communicate(timeout=120)
    assert "what was measured is kept" in rest
    rows = pd.read_parquet(tmp_path / "latency.parquet")
    rows = rows[rows["region"] == "infer"].set_index("tier")
    assert rows.loc["region", "n"] > 0
    assert rows.loc["large", "status"] == "interrupted" or rows.loc["large", "n"] > 0


@pytest.mark.nightly
def test_this_machine_sees_a_difference_of_a_tenth(capsys):
    status = main(["latency", "--self-test", "--shared", "--device", "cpu", "--limit", "90"])
    said = capsys.readouterr().out
    # Whether it sees it is the machine's affair; that what it says agrees with its figures is ours.
    assert ("does not see" in said) == (status == 1)
    assert "work 1.094" in said
