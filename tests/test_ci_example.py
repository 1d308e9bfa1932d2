"""The workflow of examples/gate-in-ci, step by step in a repository of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml

EXAMPLE = Path(__file__).parents[1] / "examples" / "gate-in-ci"
WORKFLOW = yaml.safe_load(
    (EXAMPLE / ".github" / "workflows" / "inpaint-bench.yml").read_text("utf-8")
)
JOBS = WORKFLOW["jobs"]
# A GitHub with the comments of one pull request; what is asked of them is really asked of jq.
GH = f"""#!{sys.executable}
import json, subprocess, sys
from pathlib import Path
store = Path(__file__).with_name("comments.json")
comments = json.loads(store.read_text()) if store.exists() else []
words = [word for word in sys.argv[2:] if word not in ("--paginate", "--silent")]
option = {{word: words[i + 1] for i, word in enumerate(words) if word.startswith("--")}}
place = next(word for word in words if word.startswith("repos/me/mine/issues/"))
assert sys.argv[1] == "api"
if "--jq" in option:
    assert place == "repos/me/mine/issues/7/comments", place
    subprocess.run(["jq", "-r", option["--jq"]], input=json.dumps(comments), text=True, check=True)
    sys.exit()
name, _, file = option["--field"].partition("=@")
assert name == "body"
if option["--method"] == "POST":
    assert place == "repos/me/mine/issues/7/comments", place
    bot = {{"login": "github-actions[bot]"}}
    comments.append({{"id": 100 + len(comments), "user": bot, "body": Path(file).read_text()}})
else:
    number = int(place.removeprefix("repos/me/mine/issues/comments/"))
    next(each for each in comments if each["id"] == number)["body"] = Path(file).read_text()
store.write_text(json.dumps(comments))
"""
VALUES = {
    "github.token": "none", "github.repository": "me/mine", "github.event.number": "7",
    "github.server_url": "https://github.example", "github.run_id": "1",
}  # fmt: skip
MEAN_COLOUR = """
    def fill_picture(self, picture, hole, generator):
        filled = picture.copy()
        filled[hole] = picture[~hole].mean(0).round()
        return filled
"""


def test_actions_are_pinned_and_rights_are_the_least():
    steps = [step for job in JOBS.values() for step in job["steps"]]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", s["uses"]) for s in steps if "uses" in s)
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in JOBS["gate"]
    assert JOBS["comment"]["permissions"] == {"pull-requests": "write"}
    # Where there is the right to write, nothing of the pull request is fetched or run.
    assert not any("checkout" in step.get("uses", "") for step in JOBS["comment"]["steps"])
    assert all("${{" not in step.get("run", "") for step in steps), "texts belong into env"
    pinned = (EXAMPLE / "requirements.txt").read_text("utf-8").splitlines()[-1]
    assert pinned == f"inpaint-bench=={metadata.version('inpaint-bench')}"


class Repository:
    """A repository with the example in it, and what GitHub does with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "mine"
        shutil.copytree(EXAMPLE, self.folder)
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.bin / "gh").write_text(GH)
        (self.bin / "gh").chmod(0o755)
        self.method = self.folder / "my_inpainter.py"

    def pull_request(self) -> tuple[bool, str]:
        """Do all steps of a pull request; whether it passed, and what was said."""
        said, passed = "", True
        for job in JOBS.values():
            going = True
            for step in job["steps"]:
                if "run" not in step or not (going or "always()" in step.get("if", "")):
                    continue
                done = self.step(step["run"], job.get("env", {}) | step.get("env", {}))
                said += f"--- {step['name']}\n{done.stdout}{done.stderr}"
                going &= done.returncode == 0 or step.get("continue-on-error", False)
            passed &= going
        return passed, said

    def step(self, script: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        env = WORKFLOW["env"] | env
        env = {name: re.sub(r"\$\{\{ (.+?) \}\}", lambda found: VALUES[found[1]], value)
               for name, value in env.items()}  # fmt: skip
        path = os.pathsep.join(
            [str(self.bin), str(Path(sys.executable).parent), os.environ["PATH"]]
        )
        script = script.replace("--no-report", "--no-report --limit 15")  # for time
        # What is to be installed is here; nothing is fetched.
        pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
        more = {"PATH": path, "GITHUB_STEP_SUMMARY": str(self.bin / "summary"), **pip}
        return subprocess.run(
            ["bash", "-e", "-c", script], cwd=self.folder, env=os.environ | env | more,
            capture_output=True, text=True, timeout=500,
        )  # fmt: skip

    def comment(self) -> str:
        """The one comment on the pull request."""
        (only,) = json.loads((self.bin / "comments.json").read_text("utf-8"))
        return only["body"]

    def accept(self) -> None:
        """Commit the baseline of the artifact."""
        shutil.copy(self.folder / "out" / "baseline.json", self.folder / "baseline.json")


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("jq"), reason="jq, which GitHub's runners have, is not here")
def test_the_steps_hold_a_worse_method_and_let_a_better_one_pass(tmp_path):
    mine = Repository(tmp_path)
    passed, said = mine.pull_request()
    assert not passed, said
    assert (mine.folder / "out" / "baseline.json").exists(), said
    assert "no baseline.json yet" in mine.comment()
    mine.accept()
    setting = "inpaint-bench baseline update out/run --file baseline.json --rule mean"
    assert mine.step(setting, {}).returncode == 0

    passed, said = mine.pull_request()
    assert passed, said
    assert "Gate: same or better" in mine.comment()
    assert "over photos" in mine.comment()
    assert (mine.folder / "out" / "run" / "report.html").exists()

    good = mine.method.read_text("utf-8")
    mine.method.write_text(good + MEAN_COLOUR)
    passed, said = mine.pull_request()
    assert not passed, said
    assert "Gate: regressed" in mine.comment()
    assert "worse by more than a tolerance" in mine.comment()

    mine.accept()
    mine.method.write_text(good)
    passed, said = mine.pull_request()
    assert passed, said
    assert re.search(r"Gate: same or better.*\d+ values better", mine.comment(), re.DOTALL)
    assert json.loads((mine.folder / "baseline.json").read_text())["rules"] == {"mine": "mean"}
    assert "Gate: regressed" in (mine.bin / "summary").read_text("utf-8")
