import os

import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import BenchError, ContractError, InputError
from methods.adapters.outputs import Folder, read_png
from methods.base import CaseKey
from methods.harness import fill

CASES = [CaseKey(f"p{i}.png", tier, 0) for i in range(4) for tier in ("small", "large")]


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)


@pytest.fixture
def hole():
    hole = np.zeros((10, 14), bool)
    hole[2:6, 3:9] = True
    return hole


@pytest.fixture
def outputs(tmp_path, photo):
    for case in CASES:
        path = tmp_path / case.file_name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(255 - photo).save(path)
    return tmp_path


def test_files_are_scored_pasted_back_with_their_drift(outputs, photo, hole):
    method = Folder("theirs", outputs)
    method.expect(CASES)
    filled = fill(method, photo, hole, seed=0, case=CASES[0])
    assert np.array_equal(filled.picture[hole], (255 - photo)[hole])
    assert np.array_equal(filled.picture[~hole], photo[~hole])
    assert np.array_equal(np.rint(filled.raw * 255), 255 - photo)


def test_missing_and_unexpected_files_are_counted_and_named(outputs):
    for i in range(3):
        (outputs / "small" / f"p{i}.png-0.png").unlink()
    for i in range(7):
        Image.new("RGB", (2, 2)).save(outputs / f"extra{i}.png")
    with pytest.raises(BenchError) as error:
        Folder("theirs", outputs).expect(CASES)
    message = str(error.value)
    assert "missing 3 (small/p0.png-0.png, small/p1.png-0.png, small/p2.png-0.png)" in message
    assert (
        "unexpected 7 (extra0.png, extra1.png, extra2.png, extra3.png, extra4.png, ...)" in message
    )


def test_other_files_beside_the_outputs_do_no_harm(outputs):
    (outputs / "notes.txt").write_text("made on a Monday")
    Folder("theirs", outputs).expect(CASES)


def test_another_size_is_refused_naming_both(outputs, hole):
    photo = np.zeros((12, 14, 3), np.uint8)
    taller = np.zeros((12, 14), bool)
    taller[0, 0] = True
    with pytest.raises(InputError, match="output is 14x10 but the photo is 14x12"):
        fill(Folder("theirs", outputs), photo, taller, seed=0, case=CASES[0])


def test_a_jpeg_under_a_png_name_is_refused_with_the_reason(tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "a.png", "JPEG")
    with pytest.raises(InputError, match=r"found JPEG.*lossy"):
        read_png(tmp_path / "a.png", 14, 10)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "I;16"])
def test_files_that_are_not_eight_bit_rgb_are_refused(tmp_path, mode):
    Image.new(mode, (14, 10)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="expected 8-bit RGB"):
        read_png(tmp_path / "a.png", 14, 10)


def test_a_truncated_file_is_refused_by_name(tmp_path, photo):
    path = tmp_path / "a.png"
    Image.fromarray(photo).save(path)
    for length in (0, 10, 26, 60, path.stat().st_size - 30):
        whole = path.read_bytes()
        (tmp_path / "cut.png").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.png"):
            read_png(tmp_path / "cut.png", 14, 10)


def test_a_file_that_vanished_since_the_start_is_refused_by_name(outputs, photo, hole):
    method = Folder("theirs", outputs)
    (outputs / CASES[0].file_name).unlink()
    with pytest.raises(InputError, match=r"p0\.png-0\.png"):
        fill(method, photo, hole, seed=0, case=CASES[0])


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BenchError, match="expected a folder of outputs"):
        Folder("theirs", tmp_path / "nowhere")


def test_a_fill_without_a_case_is_refused(outputs):
    with pytest.raises(ContractError, match="case must begin"):
        Folder("theirs", outputs).infer(
            torch.zeros(1, 3, 10, 14), torch.zeros(1, 1, 10, 14), torch.Generator()
        )


def test_the_identity_follows_the_content_and_nothing_else(outputs, tmp_path_factory, photo):
    before = Folder("theirs", outputs).identity
    one = outputs / CASES[0].file_name
    os.utime(one, (1, 1))
    moved = outputs.rename(tmp_path_factory.mktemp("moved") / "there")
    assert Folder("theirs", moved).identity == before
    one = moved / CASES[0].file_name
    times = one.stat()
    content = bytearray(one.read_bytes())
    content[-20] ^= 1
    one.write_bytes(bytes(content))
    os.utime(one, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert Folder("theirs", moved).identity != before
