"""``hf:`` addresses, by the hub's own library against a server that answers as the hub does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import methods
from bench.cli import main
from bench.errors import BenchError, WeightsMissing
from methods.weights import SMALL, hub
from tests.support.hub import FIRST, SECOND, Hub, served

ADDRESS = "hf:acme/nets/lama/best.safetensors"


@pytest.fixture(scope="module")
def small() -> bytes:
    return (SMALL / "lama-small.safetensors").read_bytes()


@pytest.fixture
def server(small, tmp_path, monkeypatch):
    """A hub with a repository of two commits, and an empty cache."""
    constants = pytest.importorskip("huggingface_hub.constants")
    commits = {FIRST: {"lama/best.safetensors": small, "n": b"1"}, SECOND: {"n": b"2"}}
    with served(Hub(commits)) as found:
        monkeypatch.setattr(constants, "ENDPOINT", found.url)
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE",
            found.url + "/{repo_id}/resolve/{revision}/{filename}",
        )  # fmt: skip
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield found


def test_a_file_is_got_once_and_lies_under_its_commit(server):
    exact = f"hf:acme/nets@{FIRST}/n"
    path = hub.local(exact)
    assert path.read_bytes() == b"1"
    assert path.parts[-3:] == ("snapshots", FIRST, "n")
    assert any(each.startswith("GET") for each in server.asked)
    server.asked.clear()
    assert hub.local(exact) == path
    assert not server.asked


def test_a_path_stays_one():
    assert hub.local("some/net.onnx") == Path("some/net.onnx")


def test_what_is_not_pinned_is_said_with_the_commit_and_goes_with_the_branch(server, capsys):
    assert hub.pinned("hf:acme/nets/n") == f"hf:acme/nets@{FIRST}/n"
    assert f"today's is hf:acme/nets@{FIRST}/n" in capsys.readouterr().err
    server.main = SECOND
    assert hub.pinned("hf:acme/nets/n") == f"hf:acme/nets@{SECOND}/n"
    capsys.readouterr()
    assert hub.pinned(f"hf:acme/nets@{FIRST}/n") == f"hf:acme/nets@{FIRST}/n"
    assert capsys.readouterr().err == ""
    assert hub.local(f"hf:acme/nets@{FIRST}/n").read_bytes() == b"1"


def test_offline_only_the_cache_is_asked(server, monkeypatch):
    with pytest.raises(WeightsMissing, match=r"offline\); run: hf download acme/nets n$"):
        hub.local("hf:acme/nets/n", offline=True)
    hub.local("hf:acme/nets/n")
    server.asked.clear()
    assert hub.local("hf:acme/nets/n", offline=True).read_bytes() == b"1"
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert hub.local("hf:acme/nets/n").read_bytes() == b"1"
    with pytest.raises(WeightsMissing, match=rf"offline\); run: .* n --revision {SECOND}$"):
        hub.local(f"hf:acme/nets@{SECOND}/n")
    assert not server.asked


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("hf:acme", "expected hf:OWNER/REPO/path/in/repo or"),
        ("hf:acme/nets", "expected hf:OWNER/REPO/path/in/repo or"),
        ("hf:acme/nets@main", "expected hf:OWNER/REPO/path/in/repo or"),
        ("hf:acme/nets/m", "acme/nets has no file 'm'"),
        ("hf:acme/nets@v9/n", "acme/nets has no revision 'v9'"),
        ("hf:acme/other/n", "there is no repository acme/other, or it is private.*hf auth login"),
        ("hf:acme/gated/n", "accept the terms at .*/acme/gated; do so, then run: hf auth login"),
        ("hf:acme/-nets/n", "cannot be had: "),
    ],
)
def test_what_cannot_be_had_is_said_with_what_to_do(server, address, message):
    with pytest.raises(BenchError, match=message):
        hub.local(address)


def test_the_library_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(BenchError, match=r"needs huggingface_hub .*run: pip install 'inpaint-"):
        hub.local(ADDRESS)


@pytest.mark.parametrize("text", [f"mine=lama:{ADDRESS}", f"mine=onnx:{ADDRESS}(layout='NCHW')"])
def test_names_of_methods_are_pinned_when_they_are_looked_up(server, text):
    exact = text.replace("nets/", f"nets@{FIRST}/")
    assert methods.parse(text).target == ADDRESS
    found = methods.look_up(text)
    assert found.text == exact
    assert found.stored == exact
    assert methods.parse(exact) == found


def test_weights_of_the_hub_fill_as_those_of_a_file(server):
    method = methods.get(f"mine=lama:{ADDRESS}")
    method.load()
    plain = methods.get("lama:small")
    plain.load()
    theirs, ours = method.network.state_dict(), plain.network.state_dict()
    assert all((theirs[name] == ours[name]).all() for name in ours)
    assert method.card.title == "LaMa (own weights, best.safetensors)"


@pytest.mark.nightly
def test_a_run_needs_the_hub_once(server, tmp_path, photos):
    command = [
        sys.executable, "-m", "bench", "run", "--images", str(photos), "--limit", "1",
        "--tiers", "small", "--size", "64", "--metrics", "l1", "--workers", "1", "--no-report",
    ]  # fmt: skip
    variables = {**os.environ, "HF_ENDPOINT": server.url, "HF_HOME": str(tmp_path / "home")}

    def run(name: str, *more: str) -> subprocess.CompletedProcess[str]:
        words = [*command, "--methods", name, "--out", str(tmp_path / "out"), *more]
        return subprocess.run(words, capture_output=True, text=True, env=variables, timeout=300)

    first = run(f"mine=lama:{ADDRESS}")
    assert first.returncode == 0, first.stderr
    exact = f"lama:hf:acme/nets@{FIRST}/lama/best.safetensors"
    assert exact.removeprefix("lama:") in first.stderr
    assert f'"mine": "mine={exact}"' in (tmp_path / "out/run.json").read_text("utf-8")
    server.asked.clear()
    again = run(f"mine={exact}", "--offline")
    assert again.returncode == 0, again.stderr
    missing = run("mine=lama:hf:acme/nets/other.safetensors", "--offline")
    assert missing.returncode == 2
    assert "offline); run: hf download acme/nets other.safetensors" in missing.stderr
    assert not server.asked


def test_weights_are_added_from_the_hub(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    assert main(["weights", "add", "lama-small", ADDRESS]) == 0
    assert "lama-small.safetensors" in capsys.readouterr().out
    assert main(["run", "--weights", "lpips-alex=hf:acme/nets/none"]) == 2
    assert "acme/nets has no file 'none'" in capsys.readouterr().err
