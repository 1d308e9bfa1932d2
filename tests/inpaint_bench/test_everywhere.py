"""Wherever Python runs, a run works and says nothing but its progress."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
PROGRESS = re.compile(r"((inpaint-bench: starting|\d+ of \d+ fills.*)\n)*")
# What a user writes who has not heard of main guards.
UNGUARDED = """
import inpaint_bench as ib
print("main", flush=True)
found = ib.run({photos!r}, methods=["telea"], metrics=["psnr_db"], out="run", size=64, workers=2,
               limit=1, offline=True)
print(found.cases["status"].to_list())
"""
CELLS = [
    "import numpy as np\nimport inpaint_bench as ib",
    """
class Grey(ib.Inpainter):
    card = ib.Card("grey", "Grey", "other")

    def infer(self, images, masks, generator):
        return images + 0.5 * masks
""",
    """
hole = np.zeros((64, 64), bool)
hole[20:40, 20:40] = True
int(ib.fill(np.zeros((64, 64, 3)), hole, Grey).max())
""",
    """
asked = dict(images={photos!r}, metrics=["psnr_db"], size=64, workers=2, limit=1, offline=True)
found = ib.run(methods=["telea"], out="workers", **asked)
found.cases["status"].value_counts().to_dict()
""",
    """
found = ib.run(methods=["telea", Grey], out="inline", executor="inline", **asked)
found.cases["status"].value_counts().to_dict()
""",
    """
try:
    ib.run(methods=[Grey], out="refused", **asked)
except ib.BenchError as error:
    print(error)
""",
]


def python(*arguments, cwd, **options):
    # Looks for modules in the tree, and runs in another folder.
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, **options,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("way", ["script", "standard input"])
def test_a_script_needs_no_main_guard(way, tmp_path, photos):
    script = UNGUARDED.format(photos=str(photos))
    (tmp_path / "plain.py").write_text(script)
    arguments, given = (["plain.py"], None) if way == "script" else (["-"], script)
    done = python(*arguments, cwd=tmp_path, input=given)
    assert done.stdout.splitlines() == ["main", str(["ok"] * 6)], done.stderr
    assert PROGRESS.fullmatch(done.stderr), done.stderr


@pytest.mark.slow
def test_a_notebook_runs(tmp_path, photos):
    cells = [
        nbformat.v4.new_code_cell(cell.replace("{photos!r}", repr(str(photos)))) for cell in CELLS
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "user.ipynb")
    command = "from nbclient.cli import main; main()"
    done = python("-c", command, "user.ipynb", "--inplace", "--timeout=300", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    cells = json.loads((tmp_path / "user.ipynb").read_text("utf-8"))["cells"]
    results = [
        "".join(output["data"]["text/plain"])
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "execute_result"
    ]
    assert results == ["128", "{'ok': 6}", "{'ok': 9}"]
    streams = {"stdout": "", "stderr": ""}
    for cell in cells:
        for output in cell["outputs"]:
            if output["output_type"] == "stream":
                streams[output["name"]] += "".join(output["text"])
    assert PROGRESS.fullmatch(streams["stderr"]), streams
    assert "worker processes cannot import" in streams["stdout"]
