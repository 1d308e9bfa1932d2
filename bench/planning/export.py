"""Photos and holes of a run as files, for other programs to fill."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from bench.errors import BenchError, InputError
from bench.folder.read import Run, read_run
from bench.folder.store import records
from bench.planning.pictures import hole_of, photo_of
from bench.text import csv
from methods.adapters.names import exported
from methods.case_key import CaseKey


class Layout(NamedTuple):
    """Where the files of a case go, with its name in place of ``{}``.

    Attributes:
        photo: Below the folder.
        mask: Likewise.
        output: Below the folder of outputs.
        program: What fills them all, if one command does.
    """

    photo: str
    mask: str
    output: str
    program: str = ""


LAYOUTS: Final = {
    "ours": Layout("photos/{}.png", "masks/{}.png", "{}.png"),
    "lama": Layout(
        "{}.png", "{}_mask000.png", "{}_mask000.png",
        "python bin/predict.py model.path=MODEL indir=HERE outdir=FILLED dataset.img_suffix=.png",
    ),
    "iopaint": Layout(
        "image/{}.png", "mask/{}.png", "{}.png",
        "iopaint run --model=MODEL --image=HERE/image --mask=HERE/mask --output=FILLED",
    ),
    "flat": Layout("photos/{}.png", "masks/{}.png", "{}.png"),
}  # fmt: skip


def export(run: Path, folder: Path, layout: str = "ours") -> int:
    """Write a photo and a mask for each case that has a hole, ``cases.csv`` and ``README.txt``.

    The hole is black in the photo, since no method sees what lies under it, and white in the mask.

    Args:
        run: A run folder; its plan is enough.
        folder: Where to; made if it is not there.
        layout: One of `LAYOUTS`.

    Returns:
        How many cases.

    Raises:
        BenchError: If the folder is not empty or cannot be written, there is no case with a hole,
            or the run cannot be read.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BenchError(f"{folder}: expected an empty or a new folder; give another")
    found = read_run(run, ("plan",))
    holes = found.plan[found.plan["hole_share"] > 0]
    if holes.empty:
        raise InputError(f"{run}: no case has a hole to fill")
    keys = [CaseKey(*case) for case in holes[["photo", "tier", "draw"]].itertuples(index=False)]
    short = exported(keys)
    names = [key.file_name.removesuffix(".png") if layout == "ours" else short[key] for key in keys]
    kinds = dict(zip(("photo_file", "mask_file", "output_file"), LAYOUTS[layout], strict=False))
    files = {kind: [pattern.format(name) for name in names] for kind, pattern in kinds.items()}
    holes = holes.assign(**files)
    try:
        for case in records(holes):
            pixels = photo_of(case["photo_sha"], found.store)
            hole = hole_of(case["mask_sha"], found.store)
            pixels[hole] = 0
            _write(folder, case["photo_file"], pixels)
            _write(folder, case["mask_file"], hole.astype(np.uint8) * np.uint8(255))
        table = csv.written(holes[["photo", "tier", "draw", "prompt", *files]])
        (folder / "cases.csv").write_text(table, "utf-8")
        (folder / "README.txt").write_text(_readme(found, LAYOUTS[layout]), "utf-8")
    except OSError as error:
        raise BenchError(f"cannot write into {folder}: {error}; give another folder") from error
    return len(holes)


def _write(folder: Path, name: str, pixels: np.ndarray) -> None:
    """Write a PNG; a run of somebody else's may hold any name."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{name!r}: expected a photo's path without '..'; the plan is damaged")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, compress_level=1)


def _readme(run: Run, layout: Layout) -> str:
    at_once = f"For all at once, HERE being this folder:\n\n  {layout.program}\n\n"
    program = at_once if layout.program else ""
    known = (
        "Outputs are scored as they are, with what the\nprogram did to known pixels."
        if run.header.fingerprint.scored.startswith("raw")
        else "Known pixels are pasted back when outputs are\nscored, whatever the program did to "
        "them."
    )
    starts = [f"It was started by:\n\n  {shlex.join(each.command)}\n" for each in run.header.starts]
    return f"""Photos and holes of {run.folder}, for another program to fill.

{layout.photo.format("NAME")}: photo, RGB. Its hole is black: no method sees what lies under it.
{layout.mask.format("NAME")}: its hole is white.
{layout.output.format("NAME")}: what the program is to write, below a folder of its own, here called
FILLED: PNG, 8 bits a channel, opaque, of the size of the photo.

cases.csv tells which photo, tier and draw each is. {known}
Outputs may be missing: these cases count as declined.

{program}To score them, give the command of the run again, with its --out and with

  --methods theirs=folder:FILLED

What is there stays. {"".join(starts[-1:])}"""
