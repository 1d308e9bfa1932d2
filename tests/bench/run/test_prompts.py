"""What methods are told to fill in, and which kept fills it is part of."""

from pathlib import Path

import pandas as pd
import pytest

from bench.cli import main
from bench.folder import fill_keys
from tests.support import commands

READER = """
import torch
from methods.base import Inpainter
from methods.card import Card

class Reader(Inpainter):
    card = Card("reader", "Reader", "other")
    prompted = True
    def begin(self, case):
        self.prompt = case.prompt
    def infer(self, images, masks, generator):
        with open("told.txt", "a") as file:
            print(self.prompt, file=file)
        return images + masks * ((1 + len(self.prompt)) / 20)
"""


@pytest.fixture
def start(tmp_path, photos, monkeypatch, capsys):
    """Run with these prompts of three photos; gives what the method was told."""
    monkeypatch.chdir(tmp_path)
    Path("reader.py").write_text(READER)

    def run(*prompts: str, more=(), out="out") -> list[str]:
        files = sorted(path for path in photos.rglob("*") if path.is_file())
        names = [path.relative_to(photos).as_posix() for path in files]
        lines = [f"{name},{prompt}" for name, prompt in zip(names, prompts, strict=True)]
        Path("pairs.csv").write_text("\n".join(["photo,prompt", *lines]))
        Path("told.txt").write_text("")
        given = ["--methods", "r=reader.py:Reader,telea", "--tiers", "region", "--executor"]
        words = commands.words(tmp_path / out, photos, *given, "inline", "--pairs", "pairs.csv")
        assert main([*words, *more]) == 0, capsys.readouterr().err
        return Path("told.txt").read_text().split("\n")[:-1]

    return run


def fills(out: str = "out") -> pd.DataFrame:
    return pd.read_parquet(Path(out) / "cases.parquet").set_index(["method", "photo"])


def test_prompts_of_the_table_come_first_then_that_of_the_command(start):
    assert sorted(start("cat", "", "dog")) == ["", "cat", "dog"]
    assert sorted(start("cat", "", "dog", more=["--prompt", "sky"], out="b")) == [
        "cat", "dog", "sky",
    ]  # fmt: skip
    plan = pd.read_parquet("b/plan.parquet")
    assert sorted(plan["prompt"]) == ["cat", "dog", "sky"]
    assert '"prompt": "sky"' in Path("b/run.json").read_text()


def test_a_changed_prompt_fills_its_case_anew_for_methods_that_read_it(start):
    assert len(start("cat", "ox", "dog")) == 3
    before = fills()
    told = start("cat", "ape", "dog")
    assert told.count("ape") == 1
    assert len(told) <= 2  # and one kept fill is made again, to be compared
    after = fills()
    moved = before["output_sha"] != after["output_sha"]
    assert moved.loc["r"].tolist() == [False, True, False]
    assert moved.sum() == 1
    assert (before["case_key"] == after["case_key"]).all()
    assert len(start("cat", "ox", "dog")) <= 2  # what was filled with it first still holds
    assert (fills()["output_sha"] == before["output_sha"]).all()


def test_runs_with_other_prompts_are_two_methods(start, capsys):
    start("cat", "ox", "dog")
    start("cat", "ape", "dog", out="b")
    capsys.readouterr()
    assert main(["compare", "out", "b"]) == 0
    assert "code or settings differ: r" in capsys.readouterr().out


def test_keys_differ_by_prompt_where_it_is_read_only():
    assert fill_keys.of_case("abc", "cat") == "abc"
    read = fill_keys.of_run("abc", [("k1", "cat"), ("k2", "dog")])
    keys = {fill_keys.of_case(read, prompt) for prompt in ("", "cat", "dog")}
    assert len(keys) == 3
    assert read not in keys
    assert read != fill_keys.of_run("abc", [("k1", "dog"), ("k2", "cat")])
    column = pd.Series(["abc", read, None])
    found = fill_keys.of_cases(column, pd.Series(["cat", "cat", "cat"]))
    assert found[:2].tolist() == ["abc", fill_keys.of_case(read, "cat")]
    assert found[2:].isna().all()
    assert fill_keys.of_method(pd.Series([*keys, read, "abc"])).eq("abc").all()
