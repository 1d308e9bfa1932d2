"""Damaged pictures of every kind are read or refused: no traceback, no hang."""

import faulthandler
import functools
import io
import os
import random
import struct
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from bench.planning import images
from masks import classes, kinds
from masks.picture import decode, picture_size

SECONDS = 60  # for one picture of a few thousand pixels; more is a hang, which ends the process
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB")
OPTIONS = {
    "JPEG": [{"progressive": True, "quality": 50}],
    "TIFF": [{"compression": name} for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg")],
    "WEBP": [{"lossless": True}],
    "TGA": [{"compression": "tga_rle"}],
}


@functools.cache
def sources() -> dict[str, bytes]:
    """Whole pictures by kind: all that can be written, in all modes, also of several frames."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize((60, 50))
    exif = Image.Exif()
    exif[0x0112] = 6
    found = {}
    for kind in kinds.FORMATS:
        for mode in MODES:
            picture = (
                smooth.convert("L").convert(mode) if mode != "LAB" else Image.new(mode, (9, 9))
            )
            for number, options in enumerate([{}, *OPTIONS.get(kind, [])]):
                for more in ({}, {"exif": exif}, {"save_all": True, "append_images": [smooth]}):
                    stream = io.BytesIO()
                    try:
                        picture.save(stream, kind, **options, **more)
                    except Exception:  # not every format has all of it
                        continue
                    found[f"{kind} {mode} {number} {len(more)}"] = stream.getvalue()
    for dtype in (bool, np.uint8, np.uint16, np.float32, np.int64):
        for shape in ((9, 8), (9, 8, 3), (9, 8, 1), (3, 9, 8)):
            stream = io.BytesIO()
            np.save(stream, np.ones(shape, dtype))
            found[f"npy {np.dtype(dtype)} {shape}"] = stream.getvalue()
    found |= unwritten(rng.bytes(3 * 9 * 8), found["PCX L 0 0"])
    by_content = {data: name for name, data in reversed(found.items())}
    return {name: data for data, name in by_content.items()}


def unwritten(pixels: bytes, pcx: bytes) -> dict[str, bytes]:
    """Pictures of 9 x 8 pixels in formats that Pillow reads but does not write."""
    cards = ("SIMPLE T", "BITPIX 8", "NAXIS 2", "NAXIS1 9", "NAXIS2 8")
    fits = "".join(f"{name:8}= {value:>20}".ljust(80) for name, value in map(str.split, cards))
    rows = ",\n".join(
        f'"{line}"' for line in ("9 8 2 1", "a c #000000", "b c #ff0000", *["abab" * 2 + "a"] * 8)
    )
    return {
        "SUN": struct.pack(">8I", 0x59A66A95, 8, 9, 24, len(pixels), 1, 0, 0) + pixels,
        "FITS": (fits + "END").ljust(2880).encode() + pixels,
        "PSD": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 8, 9, 8, 3) + bytes(14) + pixels,
        "XPM": b"/* XPM */\nstatic char *x[] = {\n" + rows.encode() + b"\n};\n",
        "DCX": struct.pack("<3I", 0x3ADE68B1, 12, 0) + pcx,
    }


def damaged(data: bytes, dice: random.Random) -> bytes:
    """Change a file in one to three ways."""
    content = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at, to = sorted(dice.choices(range(len(content) + 1), k=2))
        head = dice.randrange(min(len(content), 64) or 1)
        way = dice.randrange(6)
        if way == 0:
            for _ in range(dice.choice((1, 4, 64))):
                if content:
                    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        elif way == 1:
            del content[at:]
        elif way == 2:
            content[at:to] = content[at:to][::-1]
        elif way == 3:  # swaps two chunks
            content = content[to:] + content[at:to] + content[:at]
        elif way == 4:
            content[head : head + 4] = dice.choice((b"\0" * 4, b"\xff" * 4, dice.randbytes(4)))
        else:
            content[at:at] = content[at : min(to, at + 4096)]
    return bytes(content)


def attempt(data: bytes) -> str:
    """Read it as a size, a photo and a mask; how the latter two ended."""
    outcome = ""
    for read in (
        lambda: picture_size(data, "x"),
        lambda: images.read(io.BytesIO(data)),
        lambda: classes.hole(decode(data, "x"), 128, (), "x"),
    ):
        try:
            read()
            outcome += "+"
        except InputError:
            outcome += "-"
    return outcome[1:]


def test_all_kinds_that_are_written_are_tried():
    readable = {name: attempt(data)[0] == "+" for name, data in sources().items()}
    assert {name.split()[0] for name in readable} >= {
        "AVIF", "BMP", "DCX", "DDS", "FITS", "GIF", "ICNS", "ICO", "JPEG", "JPEG2000", "PCX",
        "PNG", "PPM", "PSD", "SGI", "SUN", "TGA", "TIFF", "WEBP", "XPM", "npy",
    }  # fmt: skip
    assert all(readable[name] for name in unwritten(b"", b""))
    assert sum(readable.values()) > 0.7 * len(readable)


@pytest.mark.nightly
def test_ten_thousand_damaged_pictures_are_read_or_refused(tmp_path):
    seed = int(os.environ.get("INPAINT_BENCH_FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    print(f"INPAINT_BENCH_FUZZ_SEED={seed}")
    dice, whole, outcomes = random.Random(seed), sources(), Counter()
    of_kind = {
        kind: [n for n in whole if n.split()[0] == kind]
        for kind in sorted(n.split()[0] for n in whole)
    }
    last = tmp_path / "last"  # stays where the process ends
    for number in range(10_000):
        name = dice.choice(of_kind[dice.choice(list(of_kind))])
        data = damaged(whole[name], dice)
        last.write_bytes(data)
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            outcomes[attempt(data)] += 1
        except BaseException as error:
            raise AssertionError(f"seed {seed}, number {number}, {name}: {last}") from error
        finally:
            faulthandler.cancel_dump_traceback_later()
    print(dict(outcomes))
    assert outcomes["++"] > 100
    assert outcomes["--"] > 1000
