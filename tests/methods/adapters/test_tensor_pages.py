"""The pages on TorchScript and ONNX files: their examples are run, their tables are complete."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from methods.adapters.tensor_facts import ALLOWED
from tests.support.exported import Smooth

PAGES = Path(__file__).parents[3] / "docs" / "methods"


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["torchscript", "onnx"])
def test_the_example_of_the_page_works(kind, tmp_path, monkeypatch):
    page = (PAGES / f"{kind}.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.fromarray(data.chelsea()[:128, :160]).save(tmp_path / "photos" / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the writers about themselves
        exec(example, {"network": Smooth()})
    for command in commands.splitlines():
        done = subprocess.run(
            [sys.executable, "-m", "bench", *command.split()[1:]],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "found inputs image, mask" in done.stdout + done.stderr
        assert "failed" not in done.stdout.replace("0 of", "").replace("rules failed", "")


def test_the_table_of_facts_is_complete():
    page = (PAGES / "torchscript.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE))
    assert list(rows) == list(ALLOWED)
    for name, allowed in ALLOWED.items():
        if name not in ("blank", "output"):
            written = re.findall(r"`([^`]+)`", rows[name])
            assert written == [str(each).lower() if each in (True, False) and name == "pastes"
                               else str(each) for each in allowed]  # fmt: skip
