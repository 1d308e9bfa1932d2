"""Files of a few bytes that say that they hold gigabytes are refused before the memory is taken."""

import json
import pickle
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch

from tests.support import frozen_graphs as graphs

CODE = """
import resource, sys
from pathlib import Path
import torch
from methods.verification import case
from methods.verification.inputs import make
from methods.weights import frozen_graph, pickled, tensors

def weights(path):
    tensors.taken(dict(pickled.flat(pickled.contents(path))), path)

def graph(path):
    frozen_graph.read(path)

def golden(path):
    file = case.read(path)
    for each in file.cases:
        make(each, file, None)

def addresses():
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()

most = addresses() + (600 << 20)
resource.setrlimit(resource.RLIMIT_AS, (most, most))
for word in sys.argv[1:]:
    reader, _, path = word.partition("=")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        globals()[reader](Path(path))
        print("taken")
    except Exception as error:  # as many kinds as a malformed pickle has
        print(repr(error))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000, path
"""


def strided(path):
    torch.save({"a": torch.zeros(1).expand(40_000, 40_000)}, path)


def zeros(path):
    """A checkpoint of gigabytes of zeros, deflated."""
    torch.save({"a": torch.zeros(100)}, path)
    with zipfile.ZipFile(path) as archive:
        parts = {each.filename: archive.read(each) for each in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=True) as file:
                for _ in range(300 if name.endswith("data/0") else 0):
                    file.write(bytes(1 << 20))
                file.write(data)


def nested(path):
    zeros(inner := path.with_suffix(".inner"))
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inner, "models/best.ckpt")


def pickled(rest):
    """As a file of before torch 1.6 begins, and then this."""
    return lambda path: path.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2) + rest)


def constants(path):
    """Each is one number that stands for many."""
    tensor = graphs.number(1, 1) + graphs.shape(2000, 2000) + graphs.message(4, bytes(4))
    path.write_bytes(b"".join(graphs.node(f"c{n}", "Const", tensor=tensor) for n in range(300)))


def golden_zeros(path):
    np.savez_compressed(path.with_suffix(".npz"), meta=np.array("{}"), a=np.zeros(1 << 26))
    path.with_suffix(".npz").rename(path)


def golden_of(entry):
    def write(path):
        row = {"tensor": "x", "atol": 0, "rtol": 0}
        cases = {"c": {"inputs": [{"name": "x"} | entry], "arrays": {"a": row}}}
        meta = json.dumps({"format": 1, "cases": cases})
        np.savez(path.with_suffix(".npz"), meta=np.array(meta), a=np.zeros(1))
        path.with_suffix(".npz").rename(path)

    return write


MANY = "numbers; expected at most"
BOMBS = {
    "strided": ("weights", strided, "1 numbers for 1,600,000,000 of a tensor"),
    "zeros": ("weights", zeros, "that unfolds to"),
    "nested": ("weights", nested, "that unfolds to"),
    "memos": ("weights", pickled(b"\x80\x02}r\xf0\xff\xff\x7f."), "cut off"),
    "bytes": ("weights", pickled(b"\x80\x05\x96" + (1 << 40).to_bytes(8, "little")), "KeyError"),
    "constants": ("graph", constants, "more than the file can hold"),
    "golden zeros": ("golden", golden_zeros, "that unfolds to"),
    "constant": ("golden", golden_of({"make": "constant", "shape": [10**9], "value": 1}), MANY),
    "drawn": ("golden", golden_of({"make": "normal", "shape": [10**5] * 2, "stream": 1}), MANY),
    "picture": (
        "golden",
        golden_of({"make": "rule_image", "height": 10**5, "width": 10**5, "seed": 1}),
        MANY,
    ),
    "repeated": (
        "golden",
        golden_of({"make": "constant", "shape": [9], "value": 1, "ops": [["repeat", 0, 10**9]]}),
        MANY,
    ),
}


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory as on Linux")
def test_what_would_fill_the_memory_is_refused(tmp_path):
    words = []
    for name, (reader, write, _) in BOMBS.items():
        path = tmp_path / name.replace(" ", "-")
        write(path)
        assert path.stat().st_size < 1_000_000
        words.append(f"{reader}={path}")
    done = subprocess.run([sys.executable, "-c", CODE, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(BOMBS), done.stdout
    for line, (_, _, said) in zip(lines, BOMBS.values(), strict=True):
        assert said in line
