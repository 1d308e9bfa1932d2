import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError
from bench.gate import formats, judge
from bench.gate.baseline import unread
from bench.gate.changes import student_interval
from bench.gate.rules import Rules
from bench.gate.tolerances import TOLERANCES
from bench.metrics import METRICS as ALL_METRICS
from tests.support import commands
from tests.support.gate_results import cases, change, results

P2 = "method == 'a' and photo == 'p2' and tier == 'large'"
PSNR, L1 = TOLERANCES["psnr_db"], TOLERANCES["l1_hole"]
FORMATS = {
    "json": lambda verdict: json.dumps(formats.as_json(verdict), allow_nan=False),
    "markdown": formats.as_markdown,
    "junit": formats.as_junit,
    "text": formats.as_text,
}


def judged(old: pd.DataFrame, new: pd.DataFrame, stochastic=()) -> judge.Verdict:
    return judge.judge(results(old, stochastic=stochastic), results(new, stochastic=stochastic))


def test_every_case_metric_has_a_tolerance():
    names = {name for name, metric in ALL_METRICS.items() if metric.scope == "case"}
    assert set(TOLERANCES) == names
    assert all(value > 0 for value in TOLERANCES.values())


def test_identical_results_are_the_same():
    verdict = judged(cases("a", "b"), cases("a", "b"))
    assert (verdict.outcome, verdict.exit_status) == ("same or better", 0)
    assert verdict.findings.empty
    assert verdict.checks["outcome"].tolist() == ["same"] * 6
    assert verdict.checks["compared"].tolist() == [12] * 6
    assert "6 tiers compared" in formats.sentence(verdict)
    assert verdict.new == ()


@pytest.mark.parametrize(
    ("metric", "value", "kind"),
    [
        ("psnr_db", 22 - 0.9 * PSNR, None),
        ("psnr_db", 22 - 1.1 * PSNR, "regressed"),
        ("psnr_db", 22 + 1.1 * PSNR, "better"),
        ("l1_hole", 0.07 + 0.9 * L1, None),
        ("l1_hole", 0.07 + 1.1 * L1, "regressed"),
        ("l1_hole", 0.07 - 1.1 * L1, "better"),
        ("psnr_db", np.inf, "better"),
        ("psnr_db", np.nan, "not measured"),
    ],
)
def test_one_case_beyond_its_tolerance_is_found_and_named(metric, value, kind):
    verdict = judged(cases("a"), change(cases("a"), P2, **{metric: value}))
    expected = {None: "same or better", "better": "same or better"}
    assert verdict.outcome == expected.get(kind, kind)
    if kind is None:
        assert verdict.findings.empty
        return
    (finding,) = verdict.findings.to_dict("records")
    key = (finding["method"], finding["photo"], finding["tier"], finding["metric"])
    assert key == ("a", "p2", "large", metric)
    assert finding["kind"] == kind
    if kind != "not measured":
        sign = 1 if kind == "regressed" else -1
        assert np.sign(finding["worse"]) == sign
        assert finding["old"] == pytest.approx(22 if metric == "psnr_db" else 0.07)
        assert finding["new"] == value
    check = verdict.checks.query("tier == 'large'").iloc[0]
    assert check["outcome"] == kind


def test_infinite_psnr_equals_only_infinite():
    perfect = change(cases("a"), P2, psnr_db=np.inf)
    assert judged(perfect, perfect).findings.empty
    verdict = judged(perfect, change(cases("a"), P2, psnr_db=99.0))
    assert verdict.outcome == "regressed"
    assert verdict.findings["ratio"].tolist() == [np.inf]


def test_no_number_on_either_side_is_no_change():
    absent = change(cases("a"), P2, psnr_db=np.nan)
    assert judged(absent, absent).outcome == "same or better"


ORIGINAL = "method == 'original'"


@pytest.mark.parametrize(
    ("broken", "expected"),
    [
        ({"psnr_db": 30.0}, "regressed"),
        ({"l1_hole": -1e-3}, "regressed"),
        ({"psnr_db": np.nan}, "not measured"),
        ({"status": "failed"}, "not measured"),
    ],
)
def test_the_ceiling_must_be_perfect_whatever_the_baseline_holds(broken, expected):
    sound = results(cases("a"))
    assert judge.judge(sound, sound).outcome == "same or better"
    bad = replace(sound, cases=change(sound.cases, f"{ORIGINAL} and photo == 'p1'", **broken))
    none = replace(sound, cases=sound.cases.query(f"not {ORIGINAL}"))
    for baseline in (sound, bad, none):
        verdict = judge.judge(baseline, bad)
        assert verdict.outcome == expected
        assert set(verdict.findings["method"]) == {"original"}
    for baseline in (sound, none):
        verdict = judge.judge(baseline, none)
        assert verdict.outcome == "not measured"
        assert set(verdict.findings["reason"]) == {"the run has no ceiling"}
    other = replace(bad, fingerprint="photos:zz/1")
    assert judge.judge(sound, other).outcome == ("regressed" if expected == "regressed" else
                                                "not comparable")  # fmt: skip
    assert len(judge.judge(sound, other).findings)


def test_a_metric_that_no_method_has_on_a_photo_is_excused_in_the_ceiling():
    sound = results(cases("a"))
    small = replace(sound, cases=change(sound.cases, "photo == 'p1'", l1_hole=np.nan))
    assert judge.judge(small, small).outcome == "same or better"


@pytest.mark.parametrize("nothing", [{"status": "failed"}, {"psnr_db": np.nan, "l1_hole": np.nan}])
def test_tiers_of_which_nothing_was_compared_are_not_the_same(nothing):
    failed = change(cases("a", "b"), "method == 'b'", **nothing)
    verdict = judged(failed, failed)
    own = verdict.checks.set_index("method").loc["b"]
    assert own["outcome"].tolist() == ["nothing compared"] * 2
    assert own["compared"].tolist() == [0, 0]
    assert formats.sentence(verdict).endswith("4 tiers compared, 2 could not be")


def test_a_method_without_any_case_is_not_measured():
    run = results(cases("a"))
    facts = {"stochastic": False, "identity": "mine:b", "fills": "", "numbers": ""}
    more = pd.concat([run.methods, pd.DataFrame([{"method": "b"} | facts])])
    empty = replace(run, methods=more)
    verdict = judge.judge(empty, empty)
    assert verdict.outcome == "not measured"
    assert verdict.findings["reason"].tolist() == ["the baseline has no fill of it"]


def test_missing_methods_and_metrics_are_found_where_the_protocol_differs_too():
    other = results(cases("a").drop(columns="l1_hole"), fingerprint="photos:zz/1")
    verdict = judge.judge(results(cases("a", "b")), other)
    assert verdict.outcome == "not comparable"
    assert set(verdict.findings["method"]) == {"b", ""}
    assert set(verdict.findings["metric"]) == {"l1_hole", ""}
    assert "3 things missing" in formats.sentence(verdict)


def test_set_metrics_of_the_baseline_are_said_to_be_left_out():
    run = results(cases("a"), set_metrics=("fid", "kid"))
    for form in ("json", "markdown", "text"):
        text = FORMATS[form](judge.judge(run, run))
        assert "set metrics (fid, kid) are not gated" in text


def test_a_missing_method_is_not_measured_in_every_tier():
    verdict = judged(cases("a", "b"), cases("a"))
    assert (verdict.outcome, verdict.exit_status) == ("not measured", 4)
    found = verdict.findings[["method", "tier", "reason"]].to_numpy().tolist()
    assert found == [["b", tier, "the run has no such method"] for tier in ("large", "small")]


def test_a_missing_case_is_not_measured_and_named():
    whole = results(cases("a"))
    fewer = replace(whole, cases=whole.cases.query(f"not ({P2})"))
    (finding,) = judge.judge(whole, fewer).findings.to_dict("records")
    assert (finding["photo"], finding["tier"]) == ("p2", "large")
    assert finding["reason"] == "the run has no such fill"


def test_a_failed_case_is_not_measured_with_its_reason():
    failed = change(cases("a"), P2, status="failed", reason="boom", psnr_db=np.nan, l1_hole=np.nan)
    verdict = judged(cases("a"), failed)
    assert verdict.outcome == "not measured"
    assert verdict.findings["reason"].tolist() == ["failed: boom"]
    declined = change(failed, P2, status="declined")
    assert judged(declined, declined).outcome == "same or better"
    assert judged(declined, failed).findings["reason"].tolist() == ["failed (was declined): boom"]
    assert judged(declined, cases("a")).new == ("1 fill of a with no value in the baseline",)


def test_a_dropped_metric_is_not_measured_and_an_added_one_is_new():
    both, one = cases("a"), cases("a").drop(columns="l1_hole")
    dropped = judged(both, one)
    assert dropped.outcome == "not measured"
    assert dropped.findings["metric"].tolist() == ["l1_hole"]
    added = judged(one, both)
    assert (added.outcome, added.new) == ("same or better", ("metric l1_hole",))
    assert judged(cases("a"), cases("a", "b")).new == ("method b",)


def test_an_unfinished_run_is_not_measured_and_an_unfinished_baseline_refused():
    cut = results(cases("a"), unfinished="its state is interrupted")
    verdict = judge.judge(results(cases("a")), cut)
    assert verdict.outcome == "not measured"
    assert "interrupted" in verdict.findings["reason"].iloc[0]
    with pytest.raises(InputError, match="complete run as a baseline"):
        judge.judge(cut, results(cases("a")))


def test_another_protocol_is_not_comparable_and_compares_nothing():
    other = results(change(cases("a"), P2, psnr_db=1.0))
    other = replace(other, fingerprint=other.fingerprint.replace("masks:bb", "masks:dd"))
    verdict = judge.judge(results(cases("a")), other)
    assert (verdict.outcome, verdict.exit_status) == ("not comparable", 3)
    assert verdict.protocol.to_numpy().tolist() == [["masks", "bb/12", "dd/12"]]
    assert verdict.findings.empty
    outcomes = verdict.checks.groupby("method")["outcome"].unique().map(list).to_dict()
    assert outcomes == {"a": ["not compared"], "original": ["same"]}


def test_the_metrics_part_of_the_fingerprint_alone_forbids_nothing():
    other = replace(results(cases("a")), fingerprint=results(cases("a")).fingerprint + "0")
    assert judge.judge(results(cases("a")), other).outcome == "same or better"


def redefined(run):
    return replace(run, metrics=change(run.metrics, "metric == 'l1_hole'", signature="new code"))


def test_a_redefined_metric_is_not_comparable_by_name():
    worse = change(cases("a"), P2, l1_hole=0.9)
    verdict = judge.judge(results(cases("a")), redefined(results(worse)))
    assert verdict.outcome == "not comparable"
    assert verdict.metrics.set_index("metric")["state"].to_dict() == {
        "psnr_db": "compared", "l1_hole": "redefined",
    }  # fmt: skip
    assert "l1_hole" in formats.sentence(verdict)


def test_a_regression_is_hidden_by_nothing():
    worse = change(cases("a"), P2, psnr_db=1.0)
    verdict = judge.judge(results(cases("a", "b")), redefined(results(worse)))
    assert verdict.outcome == "regressed"
    assert verdict.count("not measured") == 2
    text = formats.as_text(verdict)
    assert "a p2|large|0|0 psnr_db" in text
    assert "l1_hole" in text
    assert "b large: the run has no such method" in text


def test_not_comparable_goes_before_not_measured():
    assert judge.judge(results(cases("a", "b")), redefined(results(cases("a")))).exit_status == 3


def test_a_baseline_that_could_never_fail_is_refused():
    nothing = change(cases("a"), "tier == tier", psnr_db=np.nan, l1_hole=np.nan)
    with pytest.raises(InputError, match="nothing could ever fail"):
        judged(nothing, cases("a"))


def with_own_metric(table, **tolerances):
    """Results with a metric of one's own beside PSNR."""
    run = results(table.rename(columns={"l1_hole": "odd"}))
    metric = pd.DataFrame([("odd", "lower", "", "odd")], columns=run.metrics.columns)
    metrics = pd.concat([run.metrics, metric], ignore_index=True)
    return replace(run, metrics=metrics, rules=Rules(tolerances=tolerances))


def test_a_metric_of_ones_own_is_gated_once_the_baseline_states_a_tolerance():
    worse = with_own_metric(change(cases("a"), P2, l1_hole=0.5))
    verdict = judge.judge(with_own_metric(cases("a")), worse)
    assert verdict.outcome == "same or better"
    assert "metric odd: not gated: no tolerance" in verdict.notes[0]
    assert judge.judge(with_own_metric(cases("a"), odd=0.1), worse).outcome == "regressed"
    assert judge.judge(with_own_metric(cases("a"), odd=0.5), worse).outcome == "same or better"
    alone = replace(worse, metrics=worse.metrics[1:])
    with pytest.raises(InputError, match="nothing could ever fail"):
        judge.judge(alone, alone)


# -- stochastic methods ---------------------------------------------------------------------


def drawn(seed: int, shift: float = 0.0, photos: int = 40) -> pd.DataFrame:
    table = cases("a", photos=photos)
    noise = np.random.default_rng(seed).normal(0, 0.3, len(table))
    return table.assign(psnr_db=table["psnr_db"] + noise - shift)


def test_new_draws_of_a_stochastic_method_are_the_same_but_not_of_a_deterministic_one():
    assert judged(drawn(1), drawn(2), stochastic=("a",)).outcome == "same or better"
    assert judged(drawn(1), drawn(2)).outcome == "regressed"


@pytest.mark.parametrize(("sign", "kind"), [(1, "regressed"), (-1, "better")])
def test_a_stochastic_method_that_moved_is_judged_by_its_interval_in_each_tier(sign, kind):
    shift = sign * 0.6
    verdict = judged(drawn(1), drawn(2, shift), stochastic=("a",))
    assert set(verdict.findings["kind"]) == {kind}
    assert sorted(verdict.findings["tier"]) == ["large", "small"]
    finding = verdict.findings.iloc[0]
    assert finding["low"] < shift < finding["high"]
    assert finding["n"] == 40


def test_a_loss_that_is_sure_and_beyond_the_tolerance_regresses_however_small():
    old = cases("a", photos=40)
    assert judged(old, old.assign(psnr_db=old["psnr_db"] - 2 * PSNR), ("a",)).outcome == "regressed"
    less = old.assign(psnr_db=old["psnr_db"] - 0.9 * PSNR)
    verdict = judged(old, less, ("a",))
    assert verdict.findings.empty
    assert verdict.checks.query("method == 'a'")["photo"].ne("").all()


def test_few_photos_are_judged_fill_by_fill_or_not_at_all():
    few = cases("a", photos=4)
    assert judged(few, few, stochastic=("a",)).outcome == "same or better"
    verdict = judged(few, few.assign(psnr_db=10.0), stochastic=("a",))
    assert verdict.outcome == "not measured"
    assert verdict.findings["reason"].str.contains("needs 5 photos, found 4").all()


def test_the_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    outside = 0
    for _ in range(4000):
        low, high = student_interval(rng.normal(size=6), 0.99)
        outside += not low < 0 < high
    # Binomial: 40 expected, standard deviation 6.3.
    assert 15 < outside < 65
    assert np.isnan(student_interval(np.zeros(4), 0.99)).all()


def test_infinite_psnr_of_a_stochastic_method_is_capped():
    old = change(drawn(1), "photo == 'p3'", psnr_db=np.inf)
    assert judged(old, old, stochastic=("a",)).outcome == "same or better"


def test_a_method_cannot_escape_by_calling_itself_stochastic():
    new = change(cases("a"), P2, psnr_db=21.0)
    verdict = judge.judge(results(cases("a")), results(new, stochastic=("a",)))
    assert verdict.outcome == "regressed"


# -- outputs ---------------------------------------------------------------------------------


def verdicts() -> dict[str, judge.Verdict]:
    hostile = change(cases("a"), "photo == 'p0'", photo="<b>|a`\x07\n*")
    return {
        "same": judged(cases("a"), cases("a")),
        "regressed": judged(hostile, change(hostile, "tier == 'large'", psnr_db=1.0)),
        "inf": judged(change(cases("a"), P2, psnr_db=np.inf), cases("a")),
        "missing": judged(cases("a", "b"), cases("a").drop(columns="l1_hole")),
        "stochastic": judged(drawn(1), drawn(2, 2.0), stochastic=("a",)),
        "redefined": judge.judge(results(cases("a")), redefined(results(cases("a")))),
        "other protocol": judge.judge(
            results(cases("a")), results(cases("a"), fingerprint="photos:zz/1")
        ),
        "newer": judge.incomparable(
            unread(Path("b.json")), results(cases("a")), {"baseline": "2 (newer than 1)"}
        ),
    }


VERDICTS = verdicts()


@pytest.mark.parametrize("name", VERDICTS)
def test_json_is_strict_and_tells_the_outcome(name):
    verdict = VERDICTS[name]
    value = json.loads(FORMATS["json"](verdict), parse_constant=pytest.fail)
    assert (value["outcome"], value["exit_status"]) == (verdict.outcome, verdict.exit_status)
    assert len(value["findings"]) == len(verdict.findings)
    assert len(value["checks"]) == len(verdict.checks)


@pytest.mark.parametrize("name", VERDICTS)
def test_junit_parses_and_fails_where_the_verdict_does(name):
    verdict = VERDICTS[name]
    suite = ElementTree.fromstring(FORMATS["junit"](verdict)).find("testsuite")
    own = [case for case in suite if case.get("name") in ("small", "large")]
    rules = suite.find("properties/property[@name='rules']").get("value")
    assert rules == verdict.rules
    assert len(own) == len(verdict.checks)
    counts = {kind: len(suite.findall(f"testcase/{kind}")) for kind in ("failure", "error")}
    assert (int(suite.get("failures")), int(suite.get("errors"))) == tuple(counts.values())
    assert int(suite.get("tests")) == len(suite.findall("testcase")) == len(suite) - 1
    assert (counts["failure"] > 0) == (verdict.outcome == "regressed")
    assert bool(counts["error"]) == (verdict.outcome in ("not comparable", "not measured"))


@pytest.mark.parametrize("name", VERDICTS)
def test_markdown_keeps_its_tables_whatever_files_are_called(name):
    text = FORMATS["markdown"](VERDICTS[name])
    assert text.startswith(f"### Gate: {VERDICTS[name].outcome}\n")
    assert "<b>" not in text
    widths = [
        {line.replace(r"\|", "").count("|") for line in block.splitlines() if line.startswith("|")}
        for block in text.split("\n\n")
    ]
    assert all(len(width) <= 1 for width in widths)
    assert text.count("<details>") == text.count("</details>") > 0


@pytest.mark.parametrize("form", FORMATS)
def test_control_characters_of_names_are_escaped(form):
    text = FORMATS[form](VERDICTS["regressed"])
    assert "\x07" not in text
    assert "u0007" in text or "x07" in text


def test_the_terminal_shows_the_worst_case_first_and_counts_the_rest():
    old = cases("a", photos=20)
    new = old.assign(psnr_db=old["psnr_db"] - np.linspace(1, 3, len(old)))
    lines = FORMATS["text"](judged(old, new)).splitlines()
    assert lines[0].startswith("regressed: 40 cases")
    assert lines[1].startswith("  regressed: a p19|large|0|0 psnr_db: ")
    assert "  regressed: 30 more" in lines


# -- real runs -------------------------------------------------------------------------------

PLUG_IN = """
import cv2, numpy as np
from methods.base import PictureInpainter
from methods.card import Card

class Good(PictureInpainter):
    card = Card("good", "Good", "other")
    radius = 3
    def fill_picture(self, picture, hole, generator):
        return cv2.inpaint(picture, hole.astype(np.uint8), self.radius, cv2.INPAINT_TELEA)

class Sabotaged(Good):
    radius = 1
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory, photos) -> Path:
    """Runs of a method: twice the same, without its companion, sabotaged, with other holes."""
    folder = tmp_path_factory.mktemp("gate")
    (folder / "plug_in.py").write_text(PLUG_IN)

    def run(name: str, methods: str, *more: str) -> None:
        options = ["--methods", methods, "--tiers", "region", "--executor", "inline", *more]
        done = commands.run(folder / name, photos, *options, cwd=folder, env=_environment())
        assert done.returncode == 0, done.stderr

    run("good", "mine=plug_in:Good,noise")
    run("again", "mine=plug_in:Good,noise", "--threads", "2")
    run("only", "mine=plug_in:Good")
    run("bad", "mine=plug_in:Sabotaged")
    run("seed", "mine=plug_in:Good,noise", "--seed", "1")
    return folder


def _environment() -> dict[str, str]:
    root = str(Path(__file__).parents[3])
    return os.environ | {"PYTHONPATH": root}


def command(*words: object) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; from bench.cli import main; status = main(sys.argv[1:]); "
        "assert 'torch' not in sys.modules; sys.exit(status)"
    )
    line = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(
        line, capture_output=True, text=True, cwd=Path(__file__).parents[3], timeout=100
    )


@pytest.mark.slow
def test_the_command_has_one_exit_status_for_each_outcome_and_never_loads_torch(made, tmp_path):
    baseline = tmp_path / "baseline.json"
    assert command("baseline", "update", made / "good", "--file", baseline).returncode == 0
    outputs = [tmp_path / name for name in ("v.json", "v.md", "v.xml")]
    options = [word for pair in zip(("--json", "--markdown", "--junit"), outputs, strict=True)
               for word in pair]  # fmt: skip
    expected = {"again": 0, "bad": 1, "seed": 3}
    for name, status in expected.items():
        done = command("gate", baseline, made / name, *options)
        assert done.returncode == status, done.stdout + done.stderr
        saved = json.loads((made / name / "verdict.json").read_text("utf-8"))
        assert len(saved.pop("checksum")) == 16
        assert saved == json.loads(outputs[0].read_text("utf-8"))
        assert saved["exit_status"] == status
        assert outputs[1].read_text("utf-8").startswith("### Gate")
        ElementTree.parse(outputs[2])
    assert "masks: " in done.stdout
    kept = json.loads((made / "seed" / "verdict.json").read_text("utf-8"))
    header = json.loads((made / "seed" / "run.json").read_text("utf-8"))
    assert kept["run"]["finished"] == header["finished"]
    assert len(kept["run"]["cases"]) == 16
    assert command("gate", tmp_path / "nowhere", made / "seed").returncode == 2
    assert not (made / "seed" / "verdict.json").exists(), "a verdict outlived an error"
    baseline.write_text(baseline.read_text("utf-8").replace('"format": 2', '"format": 99'))
    done = command("gate", baseline, made / "again")
    assert done.returncode == 3
    assert done.stdout.count("newer than 2") == 1
    assert "in the baseline, known in the run" in done.stdout
    refused = command("baseline", "update", made / "good")
    assert refused.returncode == 2
    assert "its photos are own photos" in refused.stderr
    refused = command("baseline", "update", made / "good", "--file", "/proc/none/x.json")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert command("gate", made / "good", made / "only").returncode == 4
    assert command("gate", baseline, tmp_path / "nowhere").returncode == 2


@pytest.mark.slow
def test_a_sabotaged_method_regresses_with_its_cases_named_and_noise_is_missed(made):
    done = command("gate", made / "good", made / "bad")
    assert done.returncode == 1
    assert "regressed: mine " in done.stdout
    assert "|region|0|0" in done.stdout
    assert "missing: noise region: the run has no such method" in done.stdout
