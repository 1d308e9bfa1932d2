"""What a run says while it goes on: on terminals of any kind, and where there is none."""

import io
import os
import re
import sys

import pytest

from bench.run.progress import Progress
from bench.run.time_left import Forecast
from tests.support import commands

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.parametrize("columns", [100, 30])
def test_on_a_terminal_there_is_a_line_a_method_from_the_first_moment(columns, tmp_path, photos):
    words = commands.command(tmp_path / "out", photos, "--methods", "mean,telea")
    status, said = commands.on_terminal(words, columns, NO_COLOR="1")
    assert status == 0, said
    live, _, ended = said.partition(f"{tmp_path / 'out'}: complete; 27 ok")
    assert ended, said
    assert live.index("starting") < live.index("reading photos") < live.index("27 of 27")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", said)  # no colours were wanted
    assert live.rindex("\x1b[?25h") > live.rindex("\x1b[?25l")  # the cursor is shown again
    shown = re.split(r"[\r\n]+", CODES.sub("", live))
    wide = [line for line in shown if len(line) > columns]
    assert all(" not measured: " in line for line in wide), wide
    last = [line.split()[0] for line in shown if line.strip()][-4:]
    assert last == ["all", "telea", "mean", "original"]


@pytest.mark.slow
@pytest.mark.parametrize("terminal", [False, True])
def test_elsewhere_there_is_a_line_now_and_then(terminal, tmp_path, photos):
    words = ("--methods", "mean", "--limit", "1", "--executor", "inline")
    if terminal:  # one that can do nothing but print
        command = commands.command(tmp_path / "out", photos, *words)
        status, said = commands.on_terminal(command, TERM="dumb")
        said = said.replace("\r", "")
    else:
        forced = {**os.environ, "FORCE_COLOR": "1"}
        done = commands.run(tmp_path / "out", photos, *words, env=forced)
        status, said = done.returncode, done.stderr
    assert status == 0, said
    assert said.startswith("inpaint-bench: starting\n6 of 6 fills; 0 s left\n")
    assert "\x1b" not in said


def test_lines_are_printed_by_the_clock(monkeypatch):
    clock, said = Clock(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    forecast = Forecast(2, {"a": 1.0}, {"a": 600, "b": 2})
    with Progress(clock) as progress:
        for clock.now in range(0, 50):
            progress.reading(int(clock.now), 1020)
        progress.filling({"a": 600, "b": 2}, forecast)
        clock.now = 63
        progress.settled("a", ["ok", "failed"])
        clock.now = 64
        progress.settled("a", ["ok"])
    assert said.getvalue().splitlines() == [
        "inpaint-bench: starting",
        "reading photos: 21 of 1,020; 17 min left",
        "reading photos: 42 of 1,020; 17 min left",
        "2 of 602 fills, 1 failed; over 5 min left",
    ]


def test_a_terminal_of_few_lines_shows_who_is_at_work(monkeypatch):
    said = Terminal()
    monkeypatch.setattr(sys, "stderr", said)
    for name, value in {"TERM": "xterm", "COLUMNS": "60", "LINES": "8"}.items():
        monkeypatch.setenv(name, value)
    counts = {f"method{number}": 10 for number in range(40)}
    forecast = Forecast(1, waiting=dict(counts))
    with Progress() as progress:
        forecast.begins(0, "method33", 10)
        forecast.ended(0, 2.0)
        progress.filling(counts, forecast)
        progress.settled("method33", ["timeout"])
    shown = CODES.sub("", said.getvalue()).splitlines()
    at_work = [line for line in shown if line.startswith("method33")][-1]
    assert at_work.split() == ["method33", "1", "of", "10", "18", "s", "left,", "1", "timeout"]
    assert "and 36 more methods" in [line.strip() for line in shown]


def test_without_standard_error_nothing_is_said(monkeypatch, capfd):
    monkeypatch.setattr(sys, "stderr", None)
    with Progress() as progress:
        progress.reading(1, 2)
        progress.filling({"a": 1}, Forecast(1, waiting={"a": 1}))
        progress.settled("a", ["ok"])
    assert capfd.readouterr() == ("", "")
