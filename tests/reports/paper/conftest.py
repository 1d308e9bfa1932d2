from __future__ import annotations

from pathlib import Path

import pytest

from bench.cli import main


@pytest.fixture
def asked(capsys):
    """Runs a command; gives its status and what it printed, on both streams."""

    def run(*words: object) -> tuple[int, str]:
        status = main(list(map(str, words)))
        return status, "".join(capsys.readouterr())

    return run


@pytest.fixture
def drawn(asked, sample, tmp_path):
    """Draws a figure of the sample; gives its PDF and what was said."""

    def draw(*words: object) -> tuple[Path, str]:
        status, said = asked("figure", sample, "--out", tmp_path / "figure", *words)
        assert status == 0, said
        return tmp_path / "figure.pdf", " ".join(said.split())

    return draw
