"""What a large run says and sends: the disk before it is taken, and to workers their job only."""

from pathlib import Path

import pytest

from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run import disk
from bench.run.disk import Disk
from bench.run.one_case import Casework
from bench.run.request import Request
from bench.run.runner import run


def request(out: Path, photos: Path, *methods: str, **more: object) -> Request:
    protocol = Protocol(photos=str(photos), size=64, tiers=("small", "large"))
    return Request(
        out, protocol, methods, ("psnr_db",), executor="inline", offline=True, **more
    )  # fmt: skip


def test_a_worker_of_outputs_is_told_its_files_and_reads_no_plan(tmp_path, photos, monkeypatch):
    run(request(tmp_path / "a", photos, "mean"))
    monkeypatch.setattr(Casework, "_all_cases", lambda self: pytest.fail("it read the plan"))
    outputs = tmp_path / "a/outputs/mean"
    next(outputs.glob("small/nested/*")).unlink()
    header = run(request(tmp_path / "b", photos, f"theirs=folder:{outputs}"))
    assert header.counts == {"ok": 11, "declined": 1}
    keys = ["photo", "tier"]
    made, scored = (
        RunFolder(tmp_path / name).read_table("cases.parquet").query(f"method == '{method}'")
        for name, method in (("a", "mean"), ("b", "theirs"))
    )
    both = made.merge(scored.query("status == 'ok'"), on=keys)
    assert len(both) == 5
    assert (both["psnr_db_x"] == both["psnr_db_y"]).all()
    assert (both["output_sha_x"] == both["output_sha_y"]).all()


def test_a_run_says_what_disk_it_takes_before_it_is_taken(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.setattr(disk, "_WORTH_A_LINE", 0)
    run(request(tmp_path / "run", photos, "mean", "telea"))
    (line,) = [said for said in capsys.readouterr().err.splitlines() if said.startswith("disk:")]
    assert "of photos and holes, weighed" in line
    assert "full" not in line


@pytest.mark.parametrize(
    ("free", "worth", "full"),
    [(10**12, False, False), (8 * 10**8, True, False), (5 * 10**8, True, True)],
)
def test_it_is_worth_a_line_where_it_is_much_of_what_is_free(free, worth, full):
    found = Disk(pictures=3 * 10**8, fills=3 * 10**8, tables=10**7, free=free)
    assert found.worth_saying == worth
    assert ("it will be full before the run ends" in str(found)) == full


def test_what_is_needed_is_what_a_run_then_takes(tmp_path, photos, monkeypatch):
    said = []
    monkeypatch.setattr(disk, "needed", lambda *given: said.append(needed(*given)) or said[-1])
    run(request(tmp_path / "run", photos, "noise", "telea", samples=2))
    taken = {
        name: sum(path.stat().st_size for path in (tmp_path / "run" / name).rglob("*.png"))
        for name in ("photos", "masks", "outputs")
    }
    (found,) = said
    files = 3 + 6
    assert 0 <= found.pictures - taken["photos"] - taken["masks"] < 4096 * files
    assert found.fills == pytest.approx(taken["outputs"], rel=0.4)  # a block a file, and noise


needed = disk.needed
