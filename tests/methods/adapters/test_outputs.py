import io
import os

import numpy as np
import pytest
import torch
from PIL import Image

from bench.errors import BenchError, ContractError, Declined, InputError
from methods.adapters.outputs import Folder, read_png
from methods.base import CaseKey
from methods.harness import fill

CASES = [
    CaseKey(f"p{i}.png", tier, 0, size=(10, 14), size_rule="short-10, photo 28x20 before")
    for i in range(4)
    for tier in ("small", "large")
]


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (10, 14, 3), dtype=np.uint8)


@pytest.fixture
def hole():
    hole = np.zeros((10, 14), bool)
    hole[2:6, 3:9] = True
    return hole


def darker(photo):
    return photo // 2 + 10


@pytest.fixture
def outputs(tmp_path, photo):
    for case in CASES:
        path = tmp_path / case.file_name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(darker(photo)).save(path)
    return tmp_path


def test_files_are_scored_pasted_back_with_their_drift(outputs, photo, hole):
    method = Folder("theirs", outputs)
    method.expect(CASES)
    filled = fill(method, photo, hole, seed=0, case=CASES[0])
    assert np.array_equal(filled.picture[hole], darker(photo)[hole])
    assert np.array_equal(filled.picture[~hole], photo[~hole])
    assert np.array_equal(np.rint(filled.raw * 255), darker(photo))


def test_missing_files_decline_their_cases_and_others_are_not_used(outputs, photo, hole):
    for i in range(3):
        (outputs / "small" / f"p{i}.png-0.png").unlink()
    for i in range(7):
        Image.new("RGB", (2, 2)).save(outputs / f"extra{i}.png")
    method = Folder("theirs", outputs)
    said = method.expect(CASES)
    assert "5 of 8 cases have a file" in said
    assert "missing 3 (small/p0.png-0.png, small/p1.png-0.png, small/p2.png-0.png)" in said
    assert "not used 7 (extra0.png, extra1.png, extra2.png, extra3.png, extra4.png, ...)" in said
    assert method.card.limits.startswith(Folder.card.limits)
    assert said in method.card.limits
    with pytest.raises(Declined, match=r"no output file 'small/p0\.png-0\.png'"):
        fill(method, photo, hole, seed=0, case=CaseKey(*CASES[0][:3]))
    assert (
        fill(method, photo, hole, seed=0, case=CaseKey(*CASES[1][:3])).picture.shape == photo.shape
    )


def test_what_is_said_does_not_change_the_identity(outputs):
    method = Folder("theirs", outputs)
    before = method.identity
    method.expect(CASES[:3])
    again = Folder("theirs", outputs)
    again.expect(CASES)
    assert method.identity == again.identity == before


def test_a_folder_without_outputs_tells_namings_content_and_remedy(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "result (1).png")
    with pytest.raises(BenchError) as error:
        Folder("theirs", tmp_path).expect(CASES)
    for words in (
        "outputs of 8 cases", "<tier>/<photo>-<draw>.png (small/p0.png-0.png)",
        "<stem>-<tier>-<draw>.png (p0-small-0.png)", "1 (result (1).png)", "inpaint-bench export",
    ):  # fmt: skip
        assert words in str(error.value)


def test_other_files_beside_the_outputs_do_no_harm(outputs):
    (outputs / "notes.txt").write_text("made on a Monday")
    (outputs / "small" / "._p0.png-0.png").write_bytes(b"what a Mac leaves")
    assert "not used" not in Folder("theirs", outputs).expect(CASES)


def test_a_name_that_is_no_utf8_is_shown_escaped(outputs):
    with open(os.fsencode(outputs) + b"/\xff.png", "wb") as file:
        file.write(b"strange")
    method = Folder("theirs", outputs)
    assert r"not used 1 (\udcff.png)" in method.expect(CASES)
    assert method.card.limits.encode()
    assert method.identity


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ((28, 20), ", or run with --size native"),
        ((24, 16), "multiples of 8"),
        ((13, 10), "fill what inpaint-bench export writes"),
    ],
)
def test_another_size_is_refused_naming_the_size_rule(outputs, photo, hole, side, words):
    path = outputs / CASES[0].file_name
    Image.new("RGB", side).save(path)
    method = Folder("theirs", outputs)
    assert "1 files cannot be scored" in method.expect(CASES)
    with pytest.raises(InputError) as error:
        fill(method, photo, hole, seed=0, case=CaseKey(*CASES[0][:3]))
    message = str(error.value)
    assert f"{path}: the output is {side[0]}x{side[1]}, the case 14x10" in message
    assert "(size rule short-10, photo 28x20 before)" in message
    assert words in message


def test_a_run_whose_outputs_all_have_another_size_does_not_start(outputs):
    for case in CASES:
        Image.new("RGB", (28, 20)).save(outputs / case.file_name)
    with pytest.raises(BenchError, match=r"none of 8 outputs fits: .* the output is 28x20"):
        Folder("theirs", outputs).expect(CASES)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_jpeg_is_refused_with_the_reason_whatever_it_is_called(outputs, photo, suffix):
    for case in CASES:
        path = outputs / case.file_name
        path.unlink()
        Image.fromarray(photo).save(path.with_suffix(f".{suffix}"), "JPEG")
    with pytest.raises(BenchError, match=rf"p0\.png-0\.{suffix}: expected a PNG.*JPEG.*lossy"):
        Folder("theirs", outputs).expect(CASES)


def test_a_png_is_one_whatever_it_is_called_and_goes_before_a_jpeg_of_its_name(
    outputs, photo, hole
):
    first, second = outputs / CASES[0].file_name, outputs / CASES[1].file_name
    first.rename(first.with_suffix(".PNG"))
    second.rename(second.with_suffix(".jpg"))
    Image.fromarray(photo).save(first.with_suffix(".jpg"), "JPEG")
    method = Folder("theirs", outputs)
    assert method.expect(CASES).startswith("8 of 8")
    for case in CASES[:2]:
        filled = fill(method, photo, hole, seed=0, case=CaseKey(*case[:3]))
        assert np.array_equal(filled.picture[hole], darker(photo)[hole])


def grey(bits: int) -> np.ndarray:
    """Levels of that many bits, as 8-bit values."""
    levels = np.arange(140).reshape(10, 14) % 2**bits
    return (levels * (255 // (2**bits - 1))).astype(np.uint8)


def palette(photo: np.ndarray) -> Image.Image:
    return Image.fromarray(photo).quantize(13)


@pytest.mark.parametrize(
    ("made", "pixels"),
    [
        (lambda photo: Image.fromarray(grey(8)), lambda photo: grey(8)[..., None]),
        (lambda photo: Image.fromarray(grey(1) > 0), lambda photo: grey(1)[..., None]),
        (lambda photo: Image.merge("LA", [Image.fromarray(grey(8)), Image.new("L", (14, 10), 255)]),
         lambda photo: grey(8)[..., None]),
        (lambda photo: Image.fromarray(np.dstack((photo, np.full((10, 14), 255, np.uint8)))),
         lambda photo: photo),
        (palette, lambda photo: np.array(palette(photo).getpalette(), np.uint8).reshape(-1, 3)[
            np.array(palette(photo))]),
    ],
    ids=["grey", "bilevel", "grey and alpha", "opaque RGBA", "palette"],
)  # fmt: skip
def test_kinds_that_lose_nothing_are_read_exactly(tmp_path, photo, made, pixels):
    made(photo).save(tmp_path / "a.png")
    found = read_png(tmp_path / "a.png", 10, 14)
    assert found.dtype == np.uint8
    assert found.shape == (10, 14, 3)
    assert np.array_equal(found, np.broadcast_to(pixels(photo), (10, 14, 3)))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "RGB"])
def test_transparent_pixels_are_refused_and_counted(tmp_path, mode):
    image = Image.new("RGBA", (14, 10), (9, 9, 9, 255))
    for x in range(3):
        image.putpixel((x, 0), (200, 200, 200, 254))
    if mode in ("RGBA", "LA"):
        image.convert(mode).save(tmp_path / "a.png")
    else:
        colour = {"RGB": (200, 200, 200), "L": 200}.get(mode)
        image = image.convert("RGB").convert("L" if mode == "L" else mode)
        colour = image.getpixel((0, 0)) if mode == "P" else colour
        image.save(tmp_path / "a.png", transparency=colour)
    with pytest.raises(InputError, match=r"a\.png: 3 pixels are transparent"):
        read_png(tmp_path / "a.png", 10, 14)


def test_sixteen_bits_are_refused(tmp_path):
    Image.new("I;16", (14, 10)).save(tmp_path / "grey.png")
    with pytest.raises(InputError, match="expected 8 bits a channel, found 16"):
        read_png(tmp_path / "grey.png", 10, 14)
    colour = io.BytesIO()
    Image.new("RGB", (14, 10)).save(colour, "PNG")
    content = bytearray(colour.getvalue())
    content[24] = 16  # the depth; Pillow would give the upper halves
    (tmp_path / "colour.png").write_bytes(bytes(content))
    with pytest.raises(InputError, match="expected 8 bits a channel, found 16"):
        read_png(tmp_path / "colour.png", 10, 14)


def test_a_truncated_file_is_refused_by_name(tmp_path, photo):
    path = tmp_path / "a.png"
    Image.fromarray(photo).save(path)
    for length in (0, 10, 26, 60, path.stat().st_size - 30):
        whole = path.read_bytes()
        (tmp_path / "cut.png").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.png"):
            read_png(tmp_path / "cut.png", 10, 14)


def test_a_file_that_vanished_since_the_start_is_refused_by_name(outputs, photo, hole):
    method = Folder("theirs", outputs)
    method.expect(CASES)
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
