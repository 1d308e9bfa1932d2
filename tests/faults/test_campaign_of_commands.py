"""The campaign of kills on what is no run: report, merge, latency, train, weights fetch."""

import contextlib
import hashlib
import shutil
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from tests.faults.test_campaign_of_kills import same
from tests.methods.weights.test_weights import certificate  # noqa: F401
from tests.support import commands, strikes
from tests.support.hub import files_of
from tests.support.strikes import Struck
from tests.support.trainings import SIDE

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="children end with us by other means there"),
    pytest.mark.nightly,
]
BENCH = [sys.executable, "-m", "bench"]
METHODS = ("--methods", "telea,noise")
CONTENT = bytes(range(256)) * 8000


def campaign(name, make, count, tally, repeated=(), check=None, usual=None) -> None:
    """Strike a command so often, each time in a new place, and give it again.

    Args:
        name: Of the command.
        make: Makes the command, by the name of its place.
        count: How many strikes.
        tally: Where they are counted.
        repeated: Phases where children work, with how often they come.
        check: Told the folder that was struck and one that was not.
        usual: How long the phases are; found if omitted.
    """
    whole = make("whole")
    usual = usual or strikes.lengths(whole)
    for number, moment in enumerate(strikes.moments(whole.phases, count, dict(repeated))):
        struck = make(str(number))
        hit = strikes.strike(struck, moment, usual)
        strikes.again(struck)
        check(struck.folder, whole.folder)
        tally[name, hit, moment.how] += 1


@pytest.fixture(scope="module")
def complete(tmp_path_factory, photos) -> Path:
    """A run without a report, in two shards beside it."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    for name, shard in (("whole", "0/1"), ("0", "0/2"), ("1", "1/2")):
        done = commands.run(out.with_name(name), photos, *METHODS, "--shard", shard)
        assert done.returncode == 0, done.stderr
    return out


def of_report(folder: Path, said: str) -> str:
    if any(folder.glob(".report.staging")):
        return "writing"
    return "reading"


def test_report(complete, tmp_path, tally):
    def make(name: str) -> Struck:
        folder = tmp_path / name / "run"  # of one name, which its pages show
        shutil.copytree(complete, folder, dirs_exist_ok=True)
        words = [*BENCH, "report", str(folder)]
        return Struck(words, folder, of_report, ("reading", "writing"))

    def check(one: Path, other: Path) -> None:
        pages, others = (files_of(folder / "report") for folder in (one, other))
        assert {name: len(page) for name, page in pages.items()} == {
            name: len(page) for name, page in others.items()
        }

    campaign("report", make, 6, tally, check=check)


def of_merge(folder: Path, said: str) -> str:
    if (folder / "plan.parquet").exists():
        return "closing"
    return "copying" if folder.exists() else "reading"


def test_merge(complete, tmp_path, tally):
    shards = [str(complete.with_name(name)) for name in ("0", "1")]

    def make(name: str) -> Struck:
        folder = tmp_path / name
        words = [*BENCH, "merge", str(folder), *shards]
        return Struck(words, folder, of_merge, ("reading", "copying", "closing"))

    campaign("merge", make, 9, tally, check=lambda one, _: same(one, complete))


def of_latency(folder: Path, said: str) -> str:
    return "timing" if "rounds in" in said else "loading"


def test_latency(tmp_path, tally):
    def make(name: str) -> Struck:
        folder = tmp_path / name
        words = [*BENCH, "latency", "--methods", "mean", "--sizes", "32", "--tiers", "region"]
        words += ["--short", "--limit", "4", "--device", "cpu", "--out", str(folder)]
        ends = {"worker killed": {0, 1, 2}, "group interrupted": {0}, "parent terminated": {0}}
        return Struck(words, folder, of_latency, ("loading", "timing"), statuses=ends)

    def check(one: Path, other: Path) -> None:
        keys = ["method", "side", "tier", "region", "batch"]
        rows, others = (
            pd.read_parquet(folder / "latency.parquet")[keys] for folder in (one, other)
        )
        pd.testing.assert_frame_equal(rows, others)

    campaign("latency", make, 6, tally, {"timing": 1}, check)


def of_training(folder: Path, said: str) -> str:
    return "learning" if (folder / "state.pt").exists() else "reading"


def test_training(archive, tmp_path, tally):
    def make(name: str) -> Struck:
        folder = tmp_path / name / "out"
        words = [*BENCH, "train", "lama", "--images", str(archive), "--budget", "24"]
        words += ["--batch", "4", "--block", "4", "--crop", str(SIDE), "--networks", "none"]
        words += ["--out", str(folder)]
        return Struck(words, folder, of_training, ("reading", "learning"))

    def check(one: Path, other: Path) -> None:
        (weights,), (others) = one.glob("*.safetensors"), [*other.glob("*.safetensors")]
        assert [weights.read_bytes()] == [each.read_bytes() for each in others]

    campaign("train", make, 6, tally, check=check)


class Slow(BaseHTTPRequestHandler):
    """Gives the file bit by bit."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        for start in range(0, len(CONTENT), 1 << 18):
            self.wfile.write(CONTENT[start : start + (1 << 18)])
            time.sleep(0.2)

    def handle(self):
        with contextlib.suppress(OSError):  # who asked was killed
            super().handle()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def server(certificate):  # noqa: F811
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as httpd:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{httpd.server_port}/tiny.bin"
        httpd.shutdown()


FETCH = """
import sys, time
from bench import cli
from bench.cli.parser import Parser
from methods.weights import Checkpoint, fetch
tiny = Checkpoint("tiny", "tiny.bin", (sys.argv[1],), sys.argv[2], int(sys.argv[3]), "none")
cli._parser = lambda: parser
parser = Parser()
parser.set_defaults(command=lambda options: print(fetch(tiny)) or 0)
sys.exit(cli.main([]))
"""


def of_fetch(folder: Path, said: str) -> str:
    return "fetching" if any(folder.rglob("*.part")) else "loading"


def test_fetching_weights(server, certificate, tmp_path, tally):  # noqa: F811
    def make(name: str) -> Struck:
        folder = tmp_path / name
        words = [sys.executable, "-c", FETCH, server, hashlib.sha256(CONTENT).hexdigest()]
        words += [str(len(CONTENT))]
        trusted = str(certificate.with_suffix(".crt"))
        here = {"TORCH_HOME": str(folder), "no_proxy": "127.0.0.1", "SSL_CERT_FILE": trusted}
        return Struck(words, folder, of_fetch, ("fetching",), here)

    def check(one: Path, other: Path) -> None:
        assert files_of(one) == files_of(other) == {"hub/checkpoints/tiny.bin": CONTENT}

    campaign("fetch", make, 5, tally, check=check)
