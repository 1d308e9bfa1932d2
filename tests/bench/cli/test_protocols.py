"""``inpaint-bench protocols list | show | check``, and runs that follow a protocol."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from bench.cli import main
from bench.cli.protocols import described
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
def test_a_protocol_is_described_in_full(name):
    shown, published = "\n".join(described(catalogue()[name])), catalogue()[name]
    said = [published.why, published.paper, published.data.about, *published.traps]
    said += [*published.metrics, *published.elsewhere.values()]
    said += [part for row in published.rows for part in (row.title, row.source, row.note)]
    assert all(each in shown for each in said)


def test_show_prints_the_description(capsys):
    assert main(["protocols", "show", "HDPainter-COCO"]) == 0
    assert capsys.readouterr().out == "\n".join(described(catalogue()["hdpainter-coco"])) + "\n"


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


def test_a_run_follows_a_protocol_and_says_so(tmp_path, capsys):
    name, data, out = "repaint-celebahq-256-thin", tmp_path / "data", tmp_path / "out"
    for folder, mode in (("gts/c256", "RGB"), ("gt_keep_masks/thin", "L")):
        (data / folder).mkdir(parents=True)
        picture = Image.new(mode, (256, 256), "white")
        picture.paste("black", (10, 10, 74, 74))  # in the mask: the hole
        picture.save(data / folder / "000.png")
    words = ["--protocol", name, "--images", str(data), "--out", str(out), "--methods", "mean"]
    words += ["--offline", "--executor", "inline", "--no-report"]
    short = f"{name}: expected 100 pictures to score, found 1"
    assert main(["plan", *words]) == 0
    assert short in capsys.readouterr().out
    assert main(["run", *words]) == 0
    assert short in capsys.readouterr().out
    header, plan = RunFolder(out).read_json(), RunFolder(out).read_table("plan.parquet")
    assert header["protocol"]["published"] == name
    assert f"protocol:{name}" in header["fingerprint"]
    assert plan["tier"].tolist() == [name]
    assert plan["hole_share"].tolist() == [64**2 / 256**2]


def test_a_usual_value_is_refused_too_where_the_protocol_differs(tmp_path, capsys):
    words = ["plan", "--protocol", "lama-prepared", "--images", str(tmp_path)]
    for option in (["--mask-threshold", "128"], ["--mask-threshold=128"], ["--seed", "3"]):
        assert main([*words, *option]) == 2
        assert "protocol lama-prepared says" in capsys.readouterr().err
