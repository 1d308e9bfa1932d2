import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Presses the tabulator behind each line, as bash does it, and prints what it would offer.
ASKED = """
eval "$(inpaint-bench completion bash)"
function=$(complete -p inpaint-bench | grep -o '\\-F [^ ]*' | cut -c 4-)
while IFS= read -r COMP_LINE; do
    COMP_POINT=${#COMP_LINE} COMP_TYPE=9 COMP_KEY=9 COMPREPLY=()
    $function inpaint-bench < /dev/null
    echo "${COMPREPLY[*]}"
done
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_commands_options_and_names(tmp_path):
    program = tmp_path / "inpaint-bench"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom bench.cli import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    wanted = {
        "inpaint-bench rece": {"receptive"},
        "inpaint-bench run --met": {"--methods", "--metrics"},
        "inpaint-bench run --methods tel": {"telea"},
        "inpaint-bench run --methods telea,pat": {"telea,patchmatch"},
        "inpaint-bench run --methods pennet:sm": {"small"},  # a colon ends a word in bash
        "inpaint-bench run --methods telea,mine=tor": {"torchscript:"},  # so does this sign
        "inpaint-bench run --metrics psnr_db,gm": {"psnr_db,gmsd"},
        "inpaint-bench run --executor ": {"local", "inline", "ray", "slurm"},
        "inpaint-bench weights fetch lpips-al": {"lpips-alex"},
        "inpaint-bench list t": {"tiers"},
        "inpaint-bench run --protocol mat-places-512-s": {"mat-places-512-small"},
        "inpaint-bench protocols show hd": {"hdpainter-coco"},
        "inpaint-bench figure run --rule ": {"random", "worst", "best", "disagreement"},
        "inpaint-bench table run --metrics psnr_db,gm": {"psnr_db,gmsd"},
    }
    root = Path(__file__).parents[3]
    done = subprocess.run(
        ["bash", "--norc", "-c", ASKED],
        input="".join(f"{line}\n" for line in wanted),
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(root)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    offered = [set(line.split()) for line in done.stdout.splitlines()]
    assert dict(zip(wanted, offered, strict=True)) == wanted, done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_have_their_own(shell):
    done = subprocess.run(
        [sys.executable, "-m", "bench", "completion", shell],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "inpaint-bench" in done.stdout
