import pandas as pd
import pytest

from tests.support import commands


@pytest.fixture(scope="module")
def table(tmp_path_factory, photos) -> pd.DataFrame:
    """One run of many misbehaving methods beside a good one, in real worker processes."""
    out = tmp_path_factory.mktemp("run") / "out"
    names = (
        "Crashes", "Hangs", "Raises", "Declines", "OutOfMemory", "NotFinite", "NoWeights",
        "DiesLoading", "CallsItselfOriginal", "BadText",
    )  # fmt: skip
    own = ",".join(f"{name}=tests.support.faulty:{name}" for name in names)
    done = commands.run(
        out, photos, "--methods", f"telea,{own}", "--timeout", "4", "--workers", "2"
    )
    assert done.returncode == 1, done.stderr  # as some methods have no result at all
    assert "NoWeights completed no case" in done.stderr
    return commands.cases(out).reset_index()


@pytest.mark.parametrize(
    ("method", "status"),
    [("Crashes", "killed"), pytest.param("Hangs", "timeout", marks=pytest.mark.nightly)],
)
def test_one_lost_case_of_a_method_that_ran_is_status_1(tmp_path, photos, method, status):
    own = f"{method}=tests.support.faulty:{method}"
    more = ("--methods", own, "--tiers", "region,large", "--timeout", "4")
    done = commands.run(tmp_path / "out", photos / "b.png", *more)
    counts = commands.cases(tmp_path / "out").loc[method, "status"].value_counts()
    assert counts.to_dict() == {"ok": 1, status: 1}
    assert done.returncode == 1
    assert "completed no case" not in done.stderr
    assert f"{method}: 1 {status}: " in done.stdout


@pytest.mark.parametrize(
    ("method", "status", "words"),
    [
        ("Crashes", "killed", "SIGSEGV"),
        ("Hangs", "timeout", "took more than 4 s; tried 2 times"),
        ("Raises", "failed", "ValueError: no idea"),
        ("Declines", "declined", "not to my taste"),
        ("OutOfMemory", "oom", "tried to allocate a lot"),
        ("OutOfMemory", "oom", "; tried 2 times"),
        ("BadText", "failed", "lone surrogate"),
    ],
)
def test_a_fault_costs_its_own_case_only(table, method, status, words):
    own = table[table["method"] == method]
    assert len(own) == 9
    bad = own[own["status"] != "ok"]
    assert bad[["photo", "tier", "status"]].values.tolist() == [["b.png", "region", status]]
    assert words in bad["reason"].iloc[0]
    if status == "oom":  # which the scheduler gives up, and no worker writes
        assert bad["traceback"].iloc[0]
    assert own[own["status"] == "ok"]["psnr_db"].notna().all()


def test_values_that_are_not_finite_are_a_failure(table):
    own = table[table["method"] == "NotFinite"]
    assert set(own["status"]) == {"failed"}
    assert own["reason"].str.contains("not finite").all()


def test_missing_weights_make_a_method_unavailable_with_the_command_that_helps(table):
    own = table[table["method"] == "NoWeights"]
    assert set(own["status"]) == {"unavailable"}
    assert own["reason"].str.contains("inpaint-bench weights fetch").all()


def test_a_worker_that_dies_loading_is_reported_for_every_case(table):
    own = table[table["method"] == "DiesLoading"]
    assert set(own["status"]) == {"killed"}
    assert own["reason"].str.contains("loading the method: killed by SIGKILL").all()


def test_no_method_sees_the_photo_under_the_ceilings_name(table):
    own = table[table["method"] == "CallsItselfOriginal"]
    assert set(own["status"]) == {"failed"}
    assert own["reason"].str.contains("calls itself 'original'").all()
    assert len(table[table["method"] == "original"]) == 9


def test_other_methods_are_not_harmed(table):
    assert set(table[table["method"].isin(["telea", "original"])]["status"]) == {"ok"}
    assert len(table) == 12 * 9
