import contextlib
import fractions
import hashlib
import pickle
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from bench.errors import BenchError, WeightsMissing
from methods import weights
from methods.card import read
from methods.spec import TABLE
from methods.weights import CHECKPOINTS, Checkpoint

CONTENT = bytes(range(256)) * 400


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404, "\x1b[2Jno\x9bne")
            return
        content = CONTENT[::-1] if self.path == "/other" else CONTENT
        content = b"<html>" if self.path == "/page" else content
        lengths = {"/endless": None, "/large": str(10**15), "/odd": "12a", "/minus": "-1"}
        self.send_response(302 if self.path.startswith("/to-") else 200)
        if self.path.startswith("/to-"):
            self.send_header("Location", self.path.removeprefix("/to-"))
        if (length := lengths.get(self.path, str(len(content)))) is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        with contextlib.suppress(OSError):  # who asked goes away
            while self.path == "/endless":
                self.wfile.write(bytes(1 << 16))
            if self.path == "/slow":
                for byte in CONTENT:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.01)
            self.wfile.write(content[:1000] if self.path == "/cut" else content)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1, and its key."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("no openssl to make a certificate with")
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    made_of = ["-newkey", "rsa:2048", "-nodes", "-subj", "/CN=here", "-addext"]
    made_of += ["subjectAltName=IP:127.0.0.1", "-keyout", file, "-out", file.with_suffix(".crt")]
    subprocess.run([openssl, "req", "-x509", *made_of], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + file.with_suffix(".crt").read_bytes())
    return file


@pytest.fixture
def server(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as httpd:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"https://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "torch" / "hub" / "checkpoints"


def checkpoint(*urls, content=CONTENT, characters=64):
    digest = hashlib.sha256(content).hexdigest()[:characters]
    return Checkpoint("tiny", "tiny.bin", urls, digest, len(content), "none")


def test_cache_folder_is_that_of_torch_hub(monkeypatch, tmp_path):
    for name, value in (("TORCH_HOME", None), ("XDG_CACHE_HOME", None), ("HOME", str(tmp_path))):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert str(weights.cache_folder()) == f"{torch.hub.get_dir()}/checkpoints"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert str(weights.cache_folder()) == f"{torch.hub.get_dir()}/checkpoints"
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    assert str(weights.cache_folder()) == f"{torch.hub.get_dir()}/checkpoints"


def test_a_good_file_is_fetched_into_the_cache_and_found(server, cache):
    tiny = checkpoint(f"{server}/good", characters=8)
    assert weights.find(tiny) is None
    path = weights.fetch(tiny)
    assert path == cache / "tiny.bin"
    assert path.read_bytes() == CONTENT
    assert weights.find(tiny) == path
    assert list(cache.iterdir()) == [path]


def test_the_next_address_is_tried(server):
    tiny = checkpoint(f"{server}/missing", f"{server}/good")
    assert weights.fetch(tiny).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("other", "expected SHA-256"),
        ("cut", "the connection ended after 1,000"),
        ("missing", r"HTTP Error 404: \\x1b\[2Jno\\x9bne"),
        ("endless", "expected at most 168,960 bytes, found .* or more"),
        ("large", "expected at most 168,960 bytes, found 1,000,000,000,000,000 or more"),
        ("odd", "expected a size as Content-Length, found '12a'"),
        ("minus", "expected a size as Content-Length, found '-1'"),
        ("slow", "which is too slow"),
        ("to-http://127.0.0.1/x", "expected an address of https, found http://127"),
        ("to-file:///etc/passwd", "not allowed|expected an address of https"),
    ],
)
def test_a_failed_fetch_says_why_and_what_to_do_and_leaves_nothing(
    server, cache, path, reason, monkeypatch
):
    monkeypatch.setattr("methods.weights.download._PATIENCE_SECONDS", 2.0)
    tiny = checkpoint(f"{server}/{path}")
    with pytest.raises(BenchError, match=reason) as caught:
        weights.fetch(tiny)
    assert f"{server}/{path}" in str(caught.value)
    assert "weights add tiny FILE" in str(caught.value)
    assert list(cache.iterdir()) == []


def test_nobody_listening_is_told_as_such():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(BenchError, match="refused"):
        weights.fetch(checkpoint(f"https://127.0.0.1:{port}/file"))


def test_no_address_but_of_https_is_asked():
    with pytest.raises(BenchError, match="expected an address of https"):
        weights.fetch(checkpoint("http://127.0.0.1:9/file"))


def test_what_a_server_sends_is_not_trusted_without_a_hash(server, cache):
    unknown = replace(checkpoint(f"{server}/good"), sha256="")
    with pytest.raises(BenchError, match=f"--sha256 {hashlib.sha256(CONTENT).hexdigest()}"):
        weights.fetch(unknown)
    with pytest.raises(BenchError, match="found a web page"):
        weights.fetch(replace(unknown, urls=(f"{server}/page",), bytes=0))
    assert list(cache.iterdir()) == []


def test_a_hash_known_in_part_is_said_to_be_so(server, capsys):
    weights.fetch(checkpoint(f"{server}/good", characters=8))
    assert "of its SHA-256 32 of 256 bits are documented" in capsys.readouterr().err


def test_what_a_killed_fetch_leaves_is_swept_but_not_of_one_that_goes_on(server, cache):
    code = """import sys, time
from methods.weights.files import placed
from methods.weights import Checkpoint
with placed(Checkpoint("tiny", "tiny.bin"), str) as part:
    print(part.write_text("half"), flush=True)
    time.sleep(60)"""
    words = [sys.executable, "-c", code]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        assert weights.fetch(checkpoint(f"{server}/good")).read_bytes() == CONTENT
        assert len(list(cache.glob("*.part"))) == 1
        other.kill()
    weights.fetch(checkpoint(f"{server}/good"))
    assert list(cache.iterdir()) == [cache / "tiny.bin"]


def test_a_checkpoint_without_address_cannot_be_fetched():
    with pytest.raises(BenchError, match="no address is known"):
        weights.fetch(checkpoint())


def test_a_failed_fetch_keeps_a_file_that_was_there(server, cache):
    cache.mkdir(parents=True)
    (cache / "tiny.bin").write_bytes(CONTENT)
    with pytest.raises(BenchError, match="404"):
        weights.fetch(checkpoint(f"{server}/missing"))
    assert (cache / "tiny.bin").read_bytes() == CONTENT


def test_the_named_folder_comes_before_the_cache(cache, tmp_path, monkeypatch):
    named = tmp_path / "named"
    for folder in (cache, named):
        folder.mkdir(parents=True)
        (folder / "tiny.bin").write_bytes(CONTENT)
    assert weights.find(checkpoint()) == cache / "tiny.bin"
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(named))
    assert weights.find(checkpoint()) == named / "tiny.bin"


def test_an_explicit_path_is_the_only_place_searched(cache, tmp_path):
    cache.mkdir(parents=True)
    (cache / "tiny.bin").write_bytes(CONTENT)
    with pytest.raises(BenchError, match="No such file"):
        weights.find(checkpoint(), tmp_path / "elsewhere.bin")
    (tmp_path / "renamed.bin").write_bytes(CONTENT)
    assert weights.find(checkpoint(), tmp_path / "renamed.bin") == tmp_path / "renamed.bin"
    assert weights.find(checkpoint(), cache) == cache / "tiny.bin"


def test_a_wrong_file_in_the_cache_is_refused(cache):
    cache.mkdir(parents=True)
    (cache / "tiny.bin").write_bytes(CONTENT[::-1])
    with pytest.raises(BenchError, match=r"expected SHA-256 .*weights add tiny"):
        weights.find(checkpoint())
    (cache / "tiny.bin").write_bytes(CONTENT[:50])
    with pytest.raises(BenchError, match="expected about 102,400 bytes"):
        weights.find(checkpoint("https://127.0.0.1/file"))


def test_add_copies_the_right_file_only(cache, tmp_path):
    given = tmp_path / "downloaded.bin"
    given.write_bytes(CONTENT)
    assert weights.add(given, checkpoint()).read_bytes() == CONTENT
    given.write_bytes(CONTENT[::-1])
    with pytest.raises(BenchError, match="expected SHA-256"):
        weights.add(given, checkpoint())
    assert (cache / "tiny.bin").read_bytes() == CONTENT


def test_load_reads_tensors_and_nothing_else(tmp_path):
    path = tmp_path / "state.pth"
    for content, accepted in (({"a": torch.ones(2)}, True), ({"a": object}, False), ([1], False)):
        torch.save(content, path)
        state = path.read_bytes()
        tiny = checkpoint(content=state)
        if accepted:
            assert weights.load(path, tiny)["a"].tolist() == [1, 1]
        else:
            with pytest.raises(BenchError, match="tensors"):
                weights.load(path, tiny)


def free(path):
    return Checkpoint("free", path.name)


def test_a_file_that_refers_to_more_than_tensors_is_refused_by_the_name_it_refers_to(tmp_path):
    path = tmp_path / "state.pth"
    for content in ({"a": fractions.Fraction(1, 2)}, {"b": fractions.Fraction}):
        for zipped in (True, False):
            torch.save(content, path, _use_new_zipfile_serialization=zipped)
            with pytest.raises(BenchError) as error:
                weights.load(path, free(path), wrapper="state_dict")
            assert "fractions.Fraction; nothing of it was run" in str(error.value)


WRONG = {
    "an empty file": b"",
    "a web page: download the file in a browser": b"<html>virus scan warning</html>",
    "web page": b"\xef\xbb\xbf\n  <!DOCTYPE html><title>Sign in</title>",
    "a Git LFS pointer of 134 bytes": b"version https://git-lfs.github.com/spec/v1\noid sha256:"
    + b"0" * 64 + b"\nsize 410046389\n",
    "cut off; get it again": b"PK\x03\x04" + bytes(200),
    "a pickle that torch did not write": pickle.dumps({"a": [1]}),
}  # fmt: skip


@pytest.mark.parametrize("said", WRONG)
def test_a_file_of_another_kind_is_refused_in_words_that_help(tmp_path, cache, said):
    path = tmp_path / "state.pth"
    path.write_bytes(WRONG[said])
    for use in (weights.load, add_loaded):
        with pytest.raises(BenchError, match=said) as error:
            use(path, free(path))
        assert str(path) in str(error.value)
        assert ".part" not in str(error.value)
    assert not cache.exists() or list(cache.iterdir()) == []


def add_loaded(path, wanted):
    return weights.add(path, wanted, lambda copy: weights.load(copy, wanted))


def test_what_does_not_load_is_not_added_and_what_was_there_stays(tmp_path, cache, capsys):
    given = tmp_path / "mine.pt"
    torch.save({"a": torch.ones(2)}, given)
    wanted = Checkpoint("tiny", "tiny.bin")
    seen = []
    assert weights.add(given, wanted, seen.append) == cache / "tiny.bin"
    assert [path.name for path in seen] == ["tiny.bin"]  # by its later name, which may decide
    assert sorted(cache.iterdir()) == [cache / "tiny.bin", cache / "tiny.bin.sha256"]
    before = (cache / "tiny.bin").read_bytes()
    torch.save({"a": torch.zeros(2)}, given)

    def refuse(path):
        raise BenchError(f"{path}: is of another network")

    with pytest.raises(BenchError, match=r"mine\.pt: is of another network. Nothing was added"):
        weights.add(given, wanted, refuse)
    assert (cache / "tiny.bin").read_bytes() == before
    assert weights.find(wanted) == cache / "tiny.bin"
    assert weights.add(given, wanted).read_bytes() == given.read_bytes()  # and is trusted afresh
    assert weights.find(wanted) == cache / "tiny.bin"


def test_what_is_fetched_is_loaded_before_it_gets_its_place(server, cache):
    def refuse(path):
        raise BenchError(f"{path}: of another network")

    with pytest.raises(BenchError, match="/good: of another network") as error:
        weights.fetch(checkpoint(f"{server}/good"), refuse)
    assert ".part" not in str(error.value)
    assert list(cache.iterdir()) == []


def test_a_torchscript_file_is_refused_without_advice_to_run_it(tmp_path):
    path = tmp_path / "state.pth"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own tracing, and warns of it
        torch.jit.trace(torch.nn.Conv2d(1, 1, 1), torch.ones(1, 1, 2, 2)).save(str(path))
    with pytest.raises(BenchError, match=r"Conv2d; nothing of it was run"):
        weights.load(path, free(path))


def test_what_no_command_adds_is_not_told_to_be_added(cache):
    own = Checkpoint("own", "own.pth", origin="a friend", listed=False)
    with pytest.raises(WeightsMissing, match=r"get own.pth from a friend; put it there$"):
        weights.need([own], "theirs")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"netD": {"a": torch.ones(1)}, "epoch": 3}, "the keys netD (dict), epoch (int)"),
        ({"netG": {"a": 3}}, "the keys netG (dict)"),
        ({str(i): 0 for i in range(20)}, "11 (int) and 8 more"),
        ([torch.ones(1)], "found list"),
    ],
)
def test_under_another_key_the_one_expected_and_those_found_are_named(tmp_path, content, found):
    path = tmp_path / "state.pth"
    torch.save(content, path)
    with pytest.raises(BenchError, match="bare or under the key 'netG', found") as error:
        weights.load(path, free(path), wrapper="netG")
    assert found in str(error.value)


def test_the_prefix_of_parallel_training_is_taken_off(tmp_path):
    path = tmp_path / "state.pth"
    torch.save({"netG": {"module.a": torch.ones(2), "b.module.c": torch.zeros(1)}}, path)
    assert list(weights.load(path, free(path), wrapper="netG")) == ["a", "b.module.c"]
    torch.save({"module.a": torch.ones(2), "a": torch.zeros(2), "module.b": torch.ones(1)}, path)
    with pytest.raises(BenchError, match=r"each tensor once, found a with the prefix module\. and"):
        weights.load(path, free(path))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_are_refused_by_name(value):
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 1), torch.nn.BatchNorm2d(1))
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    state = {name: tensor.clone() for name, tensor in before.items()}
    weights.put(state, network, "here")
    state["1.running_var"][0] = value
    with pytest.raises(BenchError, match=r"here: expected finite values, .* in 1\.running_var;"):
        weights.put(state, network, "here")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_all_files_that_are_missing_are_named_with_all_commands(cache):
    one = Checkpoint("one", "one.pth", origin="a folder of the authors")
    two = Checkpoint("two", "two.pth", ("https://example.org/two.pth",))
    cache.mkdir(parents=True)
    (cache / "tiny.bin").write_bytes(CONTENT)
    with pytest.raises(WeightsMissing) as error:
        weights.need([one, checkpoint(), two], "theirs")
    message = str(error.value)
    assert "theirs needs the weights one, two, expected one.pth, two.pth in " in message
    assert "get one.pth from a folder of the authors" in message
    assert message.endswith(
        "run: inpaint-bench weights add one FILE && inpaint-bench weights fetch two"
    )
    assert weights.need([checkpoint()], "theirs") == [cache / "tiny.bin"]


def test_every_known_checkpoint_can_be_fetched_and_checked():
    for name, known in CHECKPOINTS.items():
        assert name == known.name
        assert known.urls or "no https" in known.origin
        assert known.licence
        if not known.sha256:  # none is documented; of some the file's own name says little
            assert name == "ade20k-resnet50dilated" or known.bytes
            assert all(known.file.endswith(url.rpartition("/")[2]) for url in known.urls)
            continue
        assert all(url.startswith("https://") and url.endswith(known.file) for url in known.urls)
        assert len(known.sha256) >= 8
        assert known.sha256 in known.file


def documented():
    """The rows of the table in docs/weights.md: size and hash by name."""
    page = (Path(__file__).parents[3] / "docs" / "weights.md").read_text("utf-8")
    rows = re.findall(r"^\| `([\w.-]+)` \| ([^|]+) \| `?(\w+)`? \| ([^|]+) \|$", page, re.MULTILINE)
    assert len({row[0] for row in rows}) == len(rows)
    return {name: (size, sha, source) for name, size, sha, source in rows}


def test_the_documented_facts_are_those_of_the_cards():
    cards = {each.name: each for name in TABLE for each in read(name).checkpoints
             if each.choice != "small"}  # fmt: skip
    known = CHECKPOINTS | cards
    rows = documented()
    assert rows.keys() == known.keys()
    for name, (size, sha, source) in rows.items():
        assert source.strip()
        given = known[name]
        assert (sha == "unknown") == (not given.sha256), name
        assert sha == "unknown" or sha.startswith(given.sha256), name
        words = size.removesuffix(" MiB").replace(",", "")
        number = (
            0
            if size == "unknown"
            else float(words) * (1 if words == size.replace(",", "") else 2**20)
        )
        assert abs(number - given.bytes) <= 0.0005 * given.bytes, name
        urls = re.findall(r"https://drive.google.com/\S+", given.origin)
        assert given.urls or urls or "of the authors" in given.origin or name == "lama-big-ckpt"
