"""What a user who mistypes is told: the usage of the command at hand, and what was meant."""

import subprocess
import sys

import pytest

from bench.cli import main
from bench.cli.arguments import listed
from bench.errors import BenchError


def told(arguments, capsys) -> str:
    """What a mistake prints; the exit status is that of a mistake, either way."""
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("inpaint-bench: ")
    return captured.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run --methods Lamma", "Did you mean lama"),
        ("run --methods lama:big", "Did you mean big-lama"),
        ("run --methods lama@bf61", "Did you mean bf16"),
        ("run --metrics PSNR", "did you mean psnr_db?"),
        ("run --tiers smal", "Did you mean small?"),
        ("run --device gpu", "--device: expected cpu, cuda"),
        ("run --size 0", "--size"),
        ("run --images fotos", "Did you mean photos?"),
        ("run --methods mine=nte.py:Mine", "Did you mean net.py?"),
        ("run --methods mine=net.py:Mien", "has no 'Mien'; it has Mine. Did you mean Mine?"),
        ("run --methods theirs=folder:fotos", "Did you mean photos?"),
        ("run --metrics mine=net.py:worts", "has no 'worts'"),
        ("latency --methods Lamma", "Did you mean lama"),
        ("latency --tiers smal", "Did you mean small?"),
        ("check Lamma", "Did you mean lama"),
        ("verify Lamma file.npz", "Did you mean lama"),
        ("receptive Lamma", "Did you mean lama"),
        ("train Lamma --images photos --budget 8 --out o", "Did you mean lama"),
        ("train lama --config smal --images photos --budget 8 --out o", "Did you mean small?"),
        ("weights fetch lama", "lama is a method, whose files are lama-big"),
        ("weights fetch lpips-alx", "Did you mean lpips-alex?"),
        ("rn", "there is no command 'rn'. Did you mean run?"),
        ("weights ftech lama-big", "there is no command 'weights ftech'. Did you mean fetch?"),
        ("run --methds telea", "there is no option --methds here. Did you mean --methods?"),
        ("compare a --format tabel", "Did you mean table?"),
        ("run --workers two", "--workers: expected a whole number from 1, found 'two'"),
        ("run --seed one", "--seed: expected a whole number, found 'one'"),
        ("run telea lama", "'telea' is one word too many"),
        ("run \u2013methods telea", "begins with a dash; write hyphens: --methods"),
        ("run \u2014methods telea", "begins with a dash; write hyphens: --methods"),
        ("run --metrics=", "--metrics: expected names, found ''"),
        ("run --methods=", "--methods: expected names, found none"),
        ("run --methods ,", "--methods: expected names, found none"),
        ("run --methods net.py:Mine", "write LABEL=net.py:Class"),
        ("run --methods net.py:Mine(a=1)", "write LABEL=net.py:Mine(a=1)"),
        ("run --methods mine=net.py:Mine(a=1", "a bracket is not closed"),
        ("run --weights lpips-alex=gone.pth", "expected a file, found none at gone.pth"),
        ("run --mask-threshold 300", "--mask-threshold: expected 1 to 255, found 300"),
        ("run --images photos --masks photos --truth gone", "--truth: expected a folder or a file"),
        ("run --format latex", "there is no option --format here. All:"),
        ("compare gone", "expected a run folder's run.json: No such file or directory; restore"),
    ],
)
def test_a_mistake_is_told_with_what_was_meant(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    (tmp_path / "net.py").write_text("class Mine:\n    pass\n")
    assert words in told(arguments.split(), capsys)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["net.py", "photos"]


@pytest.mark.parametrize("word", ["--method", "--metric", "--samp", "--retry"])
def test_options_are_not_abbreviated(word, capsys):
    message = told(["run", word, "x"], capsys)
    assert f"there is no option {word} here. Did you mean {word}" in message
    assert message.startswith("usage: inpaint-bench run [-h]")  # not that of the program


def test_names_are_taken_in_any_case_and_after_spaces(capsys):
    assert listed(["LaMa, TELEA", "mean,"]) == ["lama", "telea", "mean"]
    assert listed(["Lama:Big-LaMa@BF16+channels_last"]) == ["lama:big-lama@bf16+channels_last"]
    with pytest.raises(BenchError, match="Did you mean big-lama"):
        listed(["LaMa:big"])
    # As words of their own, too: each of these is refused for its second name only.
    for words in (["--methods", "telea,", "lamma"], ["--methods=telea,", "lamma"]):
        assert "no method 'lamma'" in told(["run", *words], capsys)
    assert "'' is one word too many" in told(["run", ""], capsys)
    for option, word in (("--metrics", "pnsr_db"), ("--tiers", "smal")):
        first = {"--metrics": "ssim,", "--tiers": "large,"}[option]
        assert word in told(["run", option, first, word], capsys)
        assert word in told(["run", option, f"{first} {word}"], capsys)


LOADED = """
import sys
from bench.cli import main
try:
    print(main(sys.argv[1:]))
except SystemExit as ended:
    print(ended.code)
print("torch" in sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        "run --methods telia", "run --methods lama:bgi", "run --metrics pnsr", "run --tiers smal",
        "run --device gpu", "run --images nowhere", "run --methods mine=nowhere.py:Mine",
        "latency --methods telia", "check telia", "receptive telia", "verify telia x.npz",
        "train telia --images x --budget 8 --out o", "weights fetch telia", "--version", "list",
        "list --json", "list tiers",
    ],
)  # fmt: skip
def test_names_are_checked_before_torch_is_loaded(arguments, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments.split()],
        capture_output=True, text=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    *_, status, torch = done.stdout.split()
    right = arguments.startswith(("list", "--version"))
    assert (status, torch) == ("0" if right else "2", "False"), done.stderr
    assert not list(tmp_path.iterdir())


def test_no_help_shows_that_nothing_was_chosen(capsys):
    refused = told(["nothing"], capsys)
    commands = refused.partition("Known: ")[2].strip().split(", ")
    assert {"run", "compare", "doctor", "completion", "train"} <= set(commands)
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        shown = capsys.readouterr().out
        assert ended.value.code == 0
        assert "default: None" not in shown
        assert "default: False" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="closes by the words of a shell of Unix")
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_command_whose_output_is_closed_does_its_work(tmp_path, closed):
    script = f'"$0" -m bench masks --count 1 --tiers region "$1" {closed}'
    done = subprocess.run(["sh", "-c", script, sys.executable, str(tmp_path / "pack")], check=False)
    assert done.returncode == 0
    assert any((tmp_path / "pack").iterdir())
