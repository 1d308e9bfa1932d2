"""Every example of docs/python.md and of the README is run, and says what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from masks.tiers import generate

ROOT = Path(__file__).parents[2]
EXAMPLE = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```)?", re.DOTALL)
END = "-- end of an example --"


def examples(page: str) -> list[tuple[str, str]]:
    """Code and what it prints."""
    return EXAMPLE.findall((ROOT / page).read_text("utf-8"))


def said(codes: list[str], folder: Path) -> list[str]:
    """What each of several examples prints, in one script as a reader would write it."""
    script = "".join(f"{code}\nprint({END!r})\n" for code in codes)
    (folder / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.split(f"{END}\n")[:-1]


@pytest.mark.slow
def test_the_page_says_what_its_examples_say(tmp_path):
    codes, expected = zip(*examples("docs/python.md"), strict=True)
    assert len(codes) >= 8
    assert said(list(codes), tmp_path) == list(expected)


@pytest.mark.slow
def test_the_lines_of_the_readme_work(tmp_path):
    codes = [code for code, _ in examples("README.md") if "import inpaint_bench" in code]
    for name in ("photos", "masks"):
        (tmp_path / name).mkdir()
    Image.fromarray(data.chelsea()).save(tmp_path / "photos" / "c.png")
    hole = generate("region", *data.chelsea().shape[:2], 0).mask
    Image.fromarray(hole).save(tmp_path / "masks" / "c_mask.png")
    assert len(codes) == 1
    assert said(codes, tmp_path)
