"""``inpaint-bench protocols list | show | check``, and runs that follow a protocol."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from bench.cli import main
from bench.folder.store import RunFolder
from bench.protocols.read import catalogue


@pytest.fixture
def mat(tmp_path):
    """A folder as MAT's: two small photos and masks, black is hole."""
    rng = np.random.default_rng(0)
    for number in range(2):
        for kind in ("images", "masks"):
            (tmp_path / kind).mkdir(exist_ok=True)
        photo = rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)
        mask = np.full((512, 512), 255, np.uint8)
        mask[100:200, 150:250] = 0
        Image.fromarray(photo).save(tmp_path / f"images/{number}.png")
        Image.fromarray(mask).save(tmp_path / f"masks/m{number}.png")
    return tmp_path


def test_list_names_all_and_loads_nothing_heavy():
    code = (
        "import sys; from bench.cli import main; main(['protocols', 'list']);"
        "print(*sorted({'torch', 'numpy', 'pandas', 'cv2'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""
    first = [line.split()[0] for line in done.stdout.splitlines()[1:] if line]
    assert first[: len(catalogue())] == list(catalogue())


def test_list_as_json_has_all_facts(capsys):
    assert main(["protocols", "list", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in shown] == list(catalogue())
    assert shown[0]["data"]["about"]


@pytest.mark.parametrize("name", catalogue())
def test_show_says_everything(name, capsys):
    assert main(["protocols", "show", name]) == 0
    shown, published = capsys.readouterr().out, catalogue()[name]
    said = [published.why, published.paper, published.data.about, *published.traps]
    said += [*published.metrics, *published.elsewhere.values()]
    said += [part for row in published.rows for part in (row.title, row.source, row.note)]
    assert all(each in shown for each in said)


def test_a_name_that_is_none_is_refused_with_what_was_meant(capsys):
    assert main(["protocols", "show", "mat-places-512-smal"]) == 2
    assert "mat-places-512-small" in capsys.readouterr().err


def test_check_says_what_is_missing(mat, capsys):
    words = ["protocols", "check", str(mat), "--protocol", "mat-places-512-small"]
    assert main(words) == 1
    shown = capsys.readouterr().out
    assert "mat-places-512-small: 2 of 36,500" in shown
    assert "not comparable" in shown
    (mat / "masks/m1.png").unlink()
    assert main(words) == 1
    assert "2 photos and 1 masks" in capsys.readouterr().out
    assert main(["protocols", "check", str(mat / "nowhere")]) == 2


def test_check_without_a_name_finds_which_fit(mat, capsys):
    assert main(["protocols", "check", str(mat)]) == 1
    found = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()]
    assert "mat-places-512-large" in found
    assert not any(name.startswith(("misato", "repaint", "brushbench")) for name in found)


def test_all_is_there_where_no_number_is_stated(tmp_path, capsys):
    for name in ("a_crop000.png", "a_crop000_mask000.png"):
        Image.new("L", (64, 64), 255 * ("mask" in name)).save(tmp_path / name)
    words = ["protocols", "check", str(tmp_path), "--protocol", "lama-prepared"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("lama-prepared: 1, how many are expected")


def test_a_run_follows_a_protocol_and_says_so(mat, tmp_path_factory, capsys):
    out = tmp_path_factory.mktemp("runs") / "out"
    words = ["run", "--protocol", "mat-places-512-small", "--images", str(mat), "--out", str(out)]
    words += ["--methods", "mean", "--offline", "--executor", "inline", "--no-report"]
    assert main(words) == 0
    short = "mat-places-512-small: expected 36,500 pictures to score, found 2"
    assert short in capsys.readouterr().out
    header = RunFolder(out).read_json()
    assert header["protocol"]["published"] == "mat-places-512-small"
    assert "protocol:mat-places-512-small" in header["fingerprint"]
    assert "size:pad-512" in header["fingerprint"]
    plan = RunFolder(out).read_table("plan.parquet")
    assert set(plan["tier"]) == {"mat-places-512-small"}
    assert plan["hole_share"].tolist() == pytest.approx([100 * 100 / 512**2] * 2)
