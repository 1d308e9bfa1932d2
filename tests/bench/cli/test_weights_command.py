"""``inpaint-bench weights``: what is added is loaded once; what is damaged later harms no other."""

import zipfile

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

import methods
from bench.cli import main
from bench.errors import BenchError
from bench.metrics import networks
from bench.metrics.inception import InceptionFeatures
from methods.weights import FOLDER_VARIABLE, SMALL, Checkpoint
from tests.support import commands

NAME, CHOICE = "deepfill-port-imagenet", "deepfill:port-imagenet"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "hub" / "checkpoints"


@pytest.fixture
def right(tmp_path):
    """A file such as the port's, of whatever name."""
    method = methods.with_weights(CHOICE)
    torch.manual_seed(0)
    torch.save(method.build(method.config).state_dict(), tmp_path / "gen_00430000.pt")
    return tmp_path / "gen_00430000.pt"


def other_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("photos/1.png", "no picture")


WRONG = {
    "found a web page: download the file in a browser": lambda path: path.write_text("<html>"),
    "found an empty file": lambda path: path.touch(),
    "expected one data.pkl inside, found photos/1.png": other_zip,
    "unexpected: ": lambda path: torch.save(load_file(SMALL / "pennet-small.safetensors"), path),
    "found No such file or directory": lambda path: None,
}


@pytest.mark.parametrize("said", WRONG)
def test_what_is_no_such_file_is_not_added(tmp_path, cache, capsys, said):
    path = tmp_path / "best.ckpt"
    WRONG[said](path)
    assert main(["weights", "add", NAME, str(path)]) == 2
    printed = capsys.readouterr().err
    assert said in printed
    assert printed.endswith("Nothing was added\n")
    assert f"{path}: " in printed
    assert not cache.exists() or list(cache.iterdir()) == []
    assert main(["list", "methods"]) == 0
    assert CHOICE not in capsys.readouterr().out


def test_what_is_added_is_used_until_it_changes_and_then_is_all_that_is_left_out(
    tmp_path, cache, photos, right, capsys
):
    assert main(["weights", "add", NAME, str(right)]) == 0
    assert sorted(path.name for path in cache.iterdir()) == [f"{NAME}.pth", f"{NAME}.pth.sha256"]
    assert main(["list", "methods"]) == 0
    assert f"weights here:    {CHOICE}" in capsys.readouterr().out
    (cache / f"{NAME}.pth").write_text("changed")
    assert main(["list", "methods"]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if CHOICE in line)
    assert "unavailable:     deepfill:port-imagenet: " in line
    assert "expected SHA-256" in line
    assert main(["weights", "list"]) == 0
    listed = capsys.readouterr().out
    (line,) = (line for line in listed.splitlines() if line.startswith(NAME))
    assert f"broken; {cache / NAME}.pth: expected SHA-256" in line
    assert "ict-small" in listed
    words = ["--images", str(photos), *commands.FAST, "--methods", f"mean,{CHOICE}"]
    assert main(["run", "--out", str(tmp_path / "out"), *words]) in (0, 1)
    table = pd.read_parquet(tmp_path / "out" / "methods.parquet").set_index("method")
    assert table.loc["mean", "status"] == "ok"
    assert table.loc[CHOICE, "status"] == "unavailable"
    assert "expected SHA-256" in table.loc[CHOICE, "reason"]


def test_networks_of_metrics_and_of_training_are_compared_too(tmp_path, capsys):
    torch.save({"conv1.weight": torch.ones(2)}, tmp_path / "page.pth")
    assert main(["weights", "add", "ade20k-resnet50dilated", str(tmp_path / "page.pth")]) == 2
    assert "misshapen: conv1.weight (2,), expected (64, 3, 3, 3)" in capsys.readouterr().err
    wanted = Checkpoint("inception", "page.pth")
    with pytest.raises(BenchError, match=r"expected the tensors of .* unexpected: conv1\.weight"):
        InceptionFeatures(tmp_path / "page.pth", checkpoint=wanted)
    for name in (
        "lpips-squeeze",
        networks.FID_NETWORK,
        networks.TORCHVISION,
        *networks.VITS,
        networks.LAMA,
    ):
        with pytest.raises(BenchError, match="expected about"):
            networks.load(name, tmp_path / "page.pth")
