"""What is exported, filled by another program and brought back is scored case by case."""

import csv
import inspect
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.cli import export as command
from bench.cli import main
from bench.errors import BenchError
from bench.folder.read import read_run
from bench.planning.export import LAYOUTS, export
from bench.planning.pictures import hole_of, photo_of
from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands

NAMES = (
    "a.png", "a.bmp", "x/a.png", "y/a.png", "with space (1).png",
    "x/\N{LATIN SMALL LETTER U WITH DIAERESIS}\N{GRINNING FACE}.v1.png",
)  # fmt: skip


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    pick = np.random.default_rng(0)
    for name in NAMES:
        (folder / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pick.integers(0, 256, (40, 50, 3), np.uint8)).save(folder / name)
    return folder


def request(out: Path, pictures: Path, *methods: str) -> Request:
    protocol = Protocol(str(pictures), size=32, draws=2, tiers=("small", "large"))
    return Request(
        out, protocol=protocol, methods=methods, metrics=("psnr_db", "drift"), executor="inline",
        offline=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory, pictures) -> Path:
    out = tmp_path_factory.mktemp("finished") / "out"
    run(request(out, pictures, "mean"))
    return out


@pytest.fixture
def planned(tmp_path, finished) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "out"))


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "cases.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def fill(folder: Path, filled: Path) -> dict[tuple[str, str, int], np.ndarray]:
    """Play the other program: a colour of its own in each hole; gives the pictures by case."""
    made = {}
    for number, row in enumerate(table(folder)):
        picture = np.array(Image.open(folder / row["photo_file"]))
        hole = np.array(Image.open(folder / row["mask_file"])) == 255
        picture[hole] = (number, 255 - number, 77)
        path = filled / row["output_file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)
        made[row["photo"], row["tier"], int(row["draw"])] = picture
    return made


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_comes_back_belongs_to_its_case(layout, planned, pictures, tmp_path):
    assert export(planned, tmp_path / "given", layout) == len(NAMES) * 4
    made = fill(tmp_path / "given", tmp_path / "filled")
    assert len(made) == len(NAMES) * 4
    run(request(planned, pictures, f"theirs=folder:{tmp_path / 'filled'}"))
    found = read_run(planned)
    rows = found.cases.query("method == 'theirs'")
    assert set(rows["status"]) == {"ok"}
    assert (rows["drift"] == 0).all()  # so each photo was that of its case
    for row in rows.itertuples():
        assert np.array_equal(
            found.store.read_picture(row.output), made[row.photo, row.tier, row.draw]
        )
    assert found.cases.query("method == 'mean'")["status"].eq("ok").all()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_file_holds_a_pixel_from_under_the_hole(layout, planned, tmp_path):
    export(planned, tmp_path / "given", layout)
    found = read_run(planned)
    plan = found.plan.set_index(["photo", "tier", "draw"])
    for row in table(tmp_path / "given"):
        facts = plan.loc[row["photo"], row["tier"], int(row["draw"])]
        photo, hole = (
            photo_of(facts["photo_sha"], found.store), hole_of(facts["mask_sha"], found.store)
        )  # fmt: skip
        picture = np.array(Image.open(tmp_path / "given" / row["photo_file"]))
        assert (picture[hole] == 0).all()
        assert np.array_equal(picture[~hole], photo[~hole])
        mask = Image.open(tmp_path / "given" / row["mask_file"])
        assert mask.mode == "L"
        assert np.array_equal(np.array(mask), hole * np.uint8(255))
    files = [path for path in (tmp_path / "given").rglob("*") if path.is_file()]
    assert len(files) == 2 * len(plan) + 2  # with cases.csv and README.txt


def test_a_part_is_scored_and_the_rest_declined_until_it_is_there(
    planned, pictures, tmp_path, capsys
):
    export(planned, tmp_path / "given", "flat")
    made = fill(tmp_path / "given", tmp_path / "filled")
    later = sorted((tmp_path / "filled").iterdir())[:9]
    for path in later:
        path.rename(tmp_path / path.name)
    asked = request(planned, pictures, f"theirs=folder:{tmp_path / 'filled'}")
    header = run(asked)
    said = capsys.readouterr().err
    assert f"theirs: {len(made) - 9} of {len(made)} cases have a file" in said
    assert header.without_result == []
    found = read_run(planned)
    rows = found.cases.query("method == 'theirs'")
    assert rows["status"].value_counts().to_dict() == {"ok": len(made) - 9, "declined": 9}
    reasons = set(rows.loc[rows["status"] == "declined", "reason"])
    assert reasons == {f"no output file '{path.name}'" for path in later}
    assert f"{len(made) - 9} of {len(made)}" in found.methods.loc["theirs", "limits"]
    for path in later:
        (tmp_path / path.name).rename(path)
    run(asked)
    rows = read_run(planned).cases.query("method == 'theirs'")
    assert rows["status"].eq("ok").all()


@pytest.mark.slow
def test_worker_processes_know_the_naming(planned, pictures, tmp_path):
    assert main(["export", str(planned), str(tmp_path / "lama"), "--layout", "lama"]) == 0
    fill(tmp_path / "lama", tmp_path / "filled")
    done = commands.run(
        planned, pictures, "--methods", f"theirs=folder:{tmp_path / 'filled'}", "--workers", "1",
        "--size", "32", "--draws", "2", "--tiers", "small,large",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "named <stem>-<tier>-<draw>_mask000.png" in done.stderr
    rows = commands.cases(planned).reset_index()
    assert rows[rows["method"] == "theirs"]["status"].eq("ok").all()


def test_a_folder_that_is_in_use_and_a_run_that_is_none_are_refused(planned, tmp_path):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "a.txt").write_text("mine")
    for folder in (tmp_path / "used", tmp_path / "used" / "a.txt"):
        with pytest.raises(BenchError, match="expected an empty or a new folder"):
            export(planned, folder)
    with pytest.raises(BenchError, match="cannot write into"):
        export(planned, tmp_path / "used" / "a.txt" / "below")
    assert main(["export", str(tmp_path / "used"), str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()


def test_the_plan_is_enough_and_leads_nowhere_else(planned, tmp_path):
    for name in ("cases", "methods", "sets", "samples", "training", "metrics", "inputs"):
        (planned / f"{name}.parquet").unlink()
    (tmp_path / "empty").mkdir()
    export(planned, tmp_path / "empty")
    found = read_run(planned, ("plan",))
    found.store.write_table(
        "plan.parquet", found.plan.assign(photo="../../../" + found.plan["photo"])
    )
    with pytest.raises(BenchError, match="the plan is damaged"):
        export(planned, tmp_path / "other")
    assert not [*tmp_path.parent.glob("*.png-*")]


def test_the_readme_has_the_command_of_the_run_and_the_command_knows_all_layouts(planned, tmp_path):
    export(planned, tmp_path / "given", "iopaint")
    readme = (tmp_path / "given" / "README.txt").read_text("utf-8")
    assert "image/NAME.png" in readme
    assert "mask/NAME.png" in readme
    assert "iopaint run " in readme
    assert "--methods theirs=folder:FILLED" in readme
    source = inspect.getsource(command)
    assert all(f'"{layout}"' in source for layout in LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_older_run_is_exported_too(layout, tmp_path):
    older = Path(__file__).parents[1] / "folder" / "format-1"
    count = export(older, tmp_path / "given", layout)
    assert count == len(read_run(older, ("plan",)).plan)
    assert len(fill(tmp_path / "given", tmp_path / "filled")) == count
