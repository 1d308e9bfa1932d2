"""A program for tests of `command:`, run in an environment of its own: it fills, and misbehaves.

``programs.py HOW IMAGES MASKS OUT``, or ``programs.py served``. It misbehaves at dark pictures
alone, but for `HOW` in `ALWAYS`, and writes down each call beside itself.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

DARK = 64
ALWAYS = ("inverted", "exchanged", "small", "jpeg", "nowhere", "untouched")


def fill(image, mask, out, how="good"):
    picture = np.array(Image.open(image, formats=["PNG"]))
    hole = np.array(Image.open(mask, formats=["PNG"])) > 127
    if picture[~hole].max() < DARK or how in ALWAYS:
        misbehave(how)
        if how == "leaves_out":
            return
    if how == "inverted":
        hole = ~hole
    if how != "untouched":
        picture[hole] = np.rint(picture[~hole].mean(0))
    if how == "exchanged":
        picture = picture[..., ::-1]
    if how == "small":
        picture = picture[:-1]
    if how == "nowhere":
        out = out.with_name("result.png")
    Image.fromarray(picture).save(out, format="JPEG" if how == "jpeg" else "PNG")


def misbehave(how):
    if how == "fails":
        print("cannot take a dark picture", file=sys.stderr)
        sys.exit(3)
    if how == "prints":
        for stream in (sys.stdout, sys.stderr):
            stream.write("x" * (1 << 22))
    if how == "hangs":
        waits = [sys.executable, "-c", "import time; time.sleep(3600)"]
        pids = [subprocess.Popen(waits, start_new_session=own).pid for own in (False,)]
        note("hanging", *pids)
        time.sleep(3600)


def note(*words):
    with Path(__file__).with_name("calls.txt").open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def serve():
    print("a banner", flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        note("case", case["seed"], case["prompt"])
        picture = np.array(Image.open(case["image"], formats=["PNG"]))
        if 0 < picture.max() < DARK // 2:
            print("too dark by far", file=sys.stderr)
            sys.exit(4)
        if 0 < picture.max() < DARK:
            print(json.dumps({"error": "a dark picture"}), flush=True)
            continue
        fill(case["image"], case["mask"], case["out"])
        print("x" * 100_000)
        print(json.dumps({"ok": True}), flush=True)


if __name__ == "__main__":
    how = sys.argv[1]
    note(how, sys.prefix)
    if how == "served":
        serve()
    elif how != "version":
        images, masks, out = map(Path, sys.argv[2:5])
        for image in sorted(images.glob("*.png")):
            fill(image, masks / image.name, out / image.name, how)
    else:
        print("program 1.2\nand more")
