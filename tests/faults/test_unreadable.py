"""Photos and folders that cannot be read: each has a row that says why, and nothing waits."""

import os
import shutil
import socket
import sys

import pandas as pd
import pytest
from PIL import Image

from tests.support import commands

REASONS = {
    "closed.png": "Permission denied",
    "dark": "a folder that cannot be listed: Permission denied",
    "dangling.png": "No such file or directory",
    "danglingfolder": "no file: a pipe, a device, or a link to nowhere",
    "device.png": "is no file",
    "loop": "a link to a folder that it lies in",
    "pipe": "no file: a pipe, a device, or a link to nowhere",
    "pipe.png": "is no file",
    "self.png": "Too many levels of symbolic links",
    "socket.png": "is no file",
    "unsearched/a.png": "Permission denied",
    "eps.png": "it is not a picture of a known kind",
}


@pytest.fixture
def hostile(tmp_path):
    """A folder with two photos, one of them behind a link, and all of `REASONS`."""
    folder, far = tmp_path / "photos", tmp_path / "far"
    for place in (folder / "dark", folder / "unsearched", far):
        place.mkdir(parents=True)
    photo = Image.effect_noise((64, 64), 40)
    for path in (folder / "a.png", far / "b.png"):
        photo.save(path)
    for path in (folder / "closed.png", folder / "unsearched/a.png"):
        photo.save(path)
    (folder / "eps.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n")
    links = {"dangling.png": "gone.png", "danglingfolder": "gone", "device.png": "/dev/zero",
             "loop": ".", "self.png": "self.png", "linked": far}  # fmt: skip
    for name, target in links.items():
        (folder / name).symlink_to(target)
    for name in ("pipe", "pipe.png"):
        os.mkfifo(folder / name)
    here = os.getcwd()
    os.chdir(folder)  # an address has at most 108 bytes
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.png")
    os.chdir(here)
    closed = {"closed.png": 0, "dark": 0, "unsearched": 0o444}
    for name, mode in closed.items():
        (folder / name).chmod(mode)
    yield folder
    for name in closed:
        (folder / name).chmod(0o755)


@pytest.mark.skipif(sys.platform != "linux", reason="needs the files of Linux")
def test_each_has_a_row_with_the_reason(hostile, tmp_path):
    setpriv = shutil.which("setpriv")
    if os.geteuid() == 0 and not setpriv:
        pytest.skip("root may read everything, and setpriv is not here to take that away")
    rights = [setpriv, "--bounding-set=-dac_override,-dac_read_search"]
    said = commands.run(
        tmp_path / "out", hostile, "--methods", "mean", "--tiers", "small",
        before=rights if os.geteuid() == 0 else [],
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    rows = pd.read_parquet(tmp_path / "out" / "inputs.parquet").set_index("path")
    assert set(rows.index[rows["status"] == "ok"]) == {"a.png", "linked/b.png"}
    refused = rows.loc[rows["status"] == "refused", "reason"]
    assert set(refused.index) == set(REASONS)
    for name, reason in REASONS.items():
        assert reason in refused[name]
