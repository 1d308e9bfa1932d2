"""The directions of imports, and what the light commands may not load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
METHOD_FILES = sorted((ROOT / "methods").rglob("*.py"))
OURS = {"bench", "masks", "methods", "reports"}
ALLOWED = {
    "masks": {"masks", "bench.errors"},
    "methods": {"methods", "bench.errors"},
    "reports": {
        "reports",
        "bench.errors",
        "bench.shown",
        "bench.thumbnails",
        "bench.store",
        "bench.statistics",
    },
}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.split(".")[0] in OURS}


@pytest.mark.parametrize("folder", ALLOWED)
def test_data_flows_one_way(folder):
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        for name in imported(path):
            allowed = any(name == a or name.startswith(a + ".") for a in ALLOWED[folder])
            assert allowed, f"{path.relative_to(ROOT)} imports {name}"


def test_bench_does_not_import_reports_outside_the_command_line():
    for path in (ROOT / "bench").rglob("*.py"):
        if "cli" not in path.parts:
            assert not any(name.startswith("reports") for name in imported(path)), path


def test_no_method_imports_another():
    shared = {
        "base", "blocks", "card", "certificates", "conformance", "contextual", "execution", "ffc",
        "ffc_attention", "ffc_lean", "goldens", "harness", "pretrained", "recording", "sizes",
        "weights", "windows",
    }  # fmt: skip
    found = {path.relative_to(ROOT / "methods").parts[0] for path in METHOD_FILES}
    implementations = {name.removesuffix(".py") for name in found} - shared - {"__init__"}
    assert implementations >= {"classical", "floors", "folder", "lama", "deepfill", "ict"}
    for path in METHOD_FILES:
        name = path.relative_to(ROOT / "methods").parts[0].removesuffix(".py")
        for used in imported(path) if name in implementations else ():
            part = used.split(".")[1] if "." in used else ""
            assert part == name or part not in implementations, f"{path} imports {used}"


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        ("['--help']", {"torch", "numpy", "pandas"}),
        ("['list']", {"torch", "numpy", "pandas"}),
        ("['report', '--help']", {"torch", "numpy", "pandas"}),
        ("['weights', 'list']", {"torch", "pandas"}),
    ],
)
def test_light_commands_stay_light(command, forbidden):
    code = (
        "import sys, contextlib\nfrom bench.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({command})\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
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
