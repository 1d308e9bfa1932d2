"""The directions of imports, and what the light commands may not load."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The rooms of each folder from top to bottom: imports go down, never up, and never to a room
# beside. A room is a file or folder; those of one line stand beside each other.
ROOMS = {
    "bench": [
        {"__main__"},
        {"cli"},
        {"run"},
        {"gate"},
        {"bundle", "latency", "training", "receptive", "orders"},
        {"compare", "planning"},
        {"folder"},
        {"protocols"},
        {"metrics"},
        {"statistics"},
        {"machine", "text"},
        {"errors"},
    ],
    "reports": [
        {"build", "board"},
        {"pages"},
        {"files", "paper"},
        {"plots"},
        {"site"},
        {"results"},
        {"figures"},
    ],
    "methods": [
        {"conformance"},
        {"__init__"},
        {"own", "verification"},
        {"networks", "adapters", "classical", "floors"},
        {"pretrained"},
        {"harness"},
        {"base"},
        {"layers"},
        {"own_weights"},
        {"naming", "spawned"},
        {"labels"},
        {"spec"},
        {"execution", "parameters", "sizes", "identity", "user_code"},
        {"card", "case_key", "recording", "scene", "sources", "suspicions"},
        {"weights", "state"},
    ],
}
# What a folder may use of the others.
OUTSIDE = {
    "masks": {"bench.errors"},
    "methods": {"bench.errors"},
    "reports": {
        "bench.bundle",
        "bench.errors",
        "bench.folder",
        "bench.metrics",
        "bench.protocols",
        "bench.statistics",
        "bench.text",
    },
    "bench": {"masks", "methods"},
    "inpaint_bench": {"bench", "masks", "methods", "reports"},
}
# The command line is what puts bench and reports together.
EXCEPTIONS = {("bench.cli", "reports")}


def modules() -> dict[str, Path]:
    found = {}
    for top in OUTSIDE:
        for path in sorted((ROOT / top).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports, inside of functions as well."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= {name if name in MODULES else node.module for name in inside}
    return {name for name in names if name in MODULES}


def below(name: str, top: str) -> bool:
    return name == top or name.startswith(top + ".")


def floor(name: str) -> int:
    top, _, room = name.partition(".")
    room = room.partition(".")[0] or "__init__"
    return next(place for place, rooms in enumerate(ROOMS[top]) if room in rooms)


@pytest.mark.parametrize("top", ROOMS)
def test_every_room_has_its_place(top):
    rooms = {name.split(".")[1] for name in MODULES if name.startswith(top + ".")}
    known = set.union(*ROOMS[top]) - {"__init__"}
    assert rooms == known


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down(name):
    top = name.partition(".")[0]
    for used in imported(MODULES[name]):
        if any(below(name, a) and below(used, b) for a, b in EXCEPTIONS):
            continue
        if used.partition(".")[0] != top:
            assert any(below(used, allowed) for allowed in OUTSIDE[top]), used
        elif top in ROOMS and name.split(".")[:2] != used.split(".")[:2]:
            assert floor(name) < floor(used), used


def test_pictures_are_opened_as_kinds_that_are_named():
    """Of what Pillow opens else, some start programs, whatever the name of the file."""
    paths = [*MODULES.values(), *(ROOT / "tests" / "support").glob("*.py")]
    for path in paths:
        for call in re.findall(r"Image\.open\((.*)", path.read_text("utf-8")):
            assert "formats=" in call, f"{path}: {call}"


def test_no_network_imports_another():
    packages = {path.name for path in (ROOT / "methods/networks").iterdir() if path.is_dir()}
    assert packages >= {"lama", "deepfill", "ict"}
    for name, path in MODULES.items():
        if name.startswith("methods.networks."):
            for used in imported(path):
                if used.startswith("methods.networks."):
                    assert used.split(".")[2] == name.split(".")[2], f"{name} imports {used}"


def test_every_network_has_one_shape():
    paths = sorted(path for path in (ROOT / "methods/networks").iterdir() if path.is_dir())
    networks = [path.name for path in paths if (path / "__init__.py").exists()]
    verified = {name.split(".")[-1] for name in MODULES if "methods.verification.networks." in name}
    assert set(networks) == verified
    for name in networks:
        package = f"methods.networks.{name}"
        assert {f"{package}.method", f"{package}.network"} <= MODULES.keys()
        (docstring,) = ast.parse(MODULES[package].read_text("utf-8")).body
        assert isinstance(docstring, ast.Expr)


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        ("['--help']", {"torch", "numpy", "pandas"}),
        ("['list']", {"torch", "numpy", "pandas"}),
        ("['report', '--help']", {"torch", "numpy", "pandas"}),
        ("['weights', 'list']", {"torch", "pandas"}),
        (
            # A run folder that is there, such as that of `nox -s bench`, is compared with.
            "['plan', '--out', 'new', '--methods', 'lama:small,mine=tests.support.faulty:Slow']",
            {"torch", "bench.statistics"},
        ),
    ],
)
def test_light_commands_stay_light(command, forbidden):
    code = (
        "import sys, contextlib\nfrom bench.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({command})\n"
        "print('LOADED', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "LOADED" in done.stdout, done.stderr
    assert not forbidden & set(done.stdout.rpartition("LOADED")[2].split())


def test_building_a_report_loads_neither_torch_nor_methods():
    code = "import sys, reports.build; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "reports" in loaded
    assert not {"torch", "methods"} & loaded
