"""Two scripts for Slurm: an array of shards, and the merge after it.

Each shard is a run of its own, by the command that was given, in a folder of its own below the run
folder; nothing of it knows of Slurm. Either script runs by plain ``bash`` too.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError
from bench.folder import header as headers
from bench.folder.store import RunFolder
from bench.run.lock import require_run_folder

_OURS = ("--array", "--dependency", "--job-name", "-a", "-d", "-J")  # which the scripts rest on

# A minute before its time is over SIGTERM goes to the script alone, which ends as by Ctrl-C.
_SHARDS = """\
#!/bin/bash
# One of {count} shards of a run, by its number: `sbatch FILE` for all, `bash FILE 0` for the first.
# Doing it again continues: kept fills stay.
#SBATCH --array=0-{last} --requeue --signal=B:TERM@60
{common}
shard=${{1:-${{SLURM_ARRAY_TASK_ID:?expected the number of a shard, 0 to {last}}}}}
cd {cwd} || exit 2
exec {run}{workers} \\
  --executor local --shard "$shard/{count}" --out {folder}/"$shard-of-{count}" --no-report
"""

_MERGE = """\
#!/bin/bash
# Joins what the shards have, and builds the report; to be done again when shards have more.
{common}
cd {cwd} || exit 2
begun=() unfinished=
for shard in {{0..{last}}}; do
  part={folder}/"$shard-of-{count}"
  [ -f "$part/run.json" ] && begun+=("$part")
  grep -qsE '"state": "(in)?complete"' "$part/run.json" || unfinished+=${{unfinished:+,}}$shard
done
status=1
if [ ${{#begun[@]}} -gt 0 ]; then
  {merge} "${{begun[@]}}"
  status=$?
fi
if [ "$unfinished" ]; then
  printf 'shards not finished: %s; shard-N.log beside the scripts says why\\n' "$unfinished" >&2
  printf 'to go on, give the command again, or: sbatch --array=%s %q, then sbatch %q\\n' \\
    "$unfinished" {folder}/shards.sbatch {folder}/merge.sbatch >&2
  [ $status -ne 0 ] || status=1
fi
exit $status
"""


class Scripts(NamedTuple):
    """The array; what is to follow it, however it ends; and the name of both jobs."""

    shards: Path
    merge: Path
    name: str


def options(text: str) -> list[str]:
    """The words of options for ``sbatch``.

    Raises:
        BenchError: If they are no words of one line, or say what the scripts say.
    """
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BenchError(f"--sbatch: {error} in {text!r}") from error
    if not all(word.isprintable() for word in words):
        raise BenchError(f"--sbatch: expected options in one line, found {text!r}")
    for word in words:
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        if name in _OURS:
            raise BenchError(f"--sbatch: {name} is set by the scripts; --shards says how many")
    return words


def require_free(out: Path, count: int) -> None:
    """Refuse a run folder that is not for so many shards, or has jobs that wait or run.

    Raises:
        BenchError: If it is one, or Slurm is here and does not answer.
    """
    require_run_folder(out)
    out, store = out.absolute(), RunFolder(out)
    folder = out / "slurm"
    if not str(out).isprintable() or "\\" in str(out):
        raise BenchError(f"--out: Slurm takes no such name: {str(out)!r}; give another --out")
    if store.file(headers.FILE).exists() and {
        Path(part).parent for part in headers.read(store).merged_from
    } != {folder}:
        raise BenchError(f"--out: {out} holds a run that was made otherwise; give another --out")
    for other in folder.glob("*-of-*"):
        if not other.name.endswith(f"-of-{count}"):
            raise BenchError(f"--shards: there is {other}; give as many, or another --out")
    if shutil.which("squeue"):
        found = _said("squeue", "--me", "--noheader", f"--name={_name(out)}", "--format=%F")
        if jobs := " ".join(sorted(set(found.split()), key=int)):
            raise BenchError(
                f"jobs of this run folder wait or run already: {jobs}; wait for them, or end them "
                f"with: scancel {jobs}"
            )


def write(
    out: Path,
    run: Sequence[str],
    merge: Sequence[str],
    *,
    count: int,
    sbatch: Sequence[str],
    threads: int | None,
) -> Scripts:
    """Write the scripts, to be run in the current directory by the Python that runs now.

    Args:
        out: The run folder.
        run: Words of the command, without executor, shard and run folder.
        merge: Options of ``merge``.
        count: How many shards.
        sbatch: Options for ``sbatch``, of both.
        threads: Of a worker, of which there are then as many as Slurm gives processors for; None
            if ``run`` says how many workers.
    """
    out = out.absolute()
    folder = out / "slurm"
    scripts = Scripts(folder / "shards.sbatch", folder / "merge.sbatch", _name(out))
    # -P: not what the current directory has under that name.
    program = [sys.executable, "-P", "-m", "bench"]
    per_worker = f'"$(( (${{SLURM_CPUS_PER_TASK:-1}} + {threads} - 1) / {threads} ))"'
    parts = {
        "run": shlex.join([*program, *run]),
        "workers": "" if threads is None else f" ${{SLURM_JOB_ID:+--workers {per_worker}}}",
        "merge": shlex.join([*program, "merge", *merge, str(out)]),
        "count": count,
        "last": count - 1,
        "cwd": shlex.quote(str(Path.cwd())),
        "folder": shlex.quote(str(folder)),
    }
    place = str(folder).replace("%", "%%")  # which begins what Slurm puts in
    folder.mkdir(parents=True, exist_ok=True)
    jobs = (scripts.shards, _SHARDS, "shard-%a.log"), (scripts.merge, _MERGE, "merge.log")
    for path, text, log in jobs:
        said = [f"--job-name={scripts.name}", "--open-mode=append", f"--output={place}/{log}"]
        made = text.format(common=f"#SBATCH {shlex.join([*said, *sbatch])}", **parts)
        path.write_text(made, "utf-8", "surrogateescape")
    return scripts


def submit(scripts: Scripts) -> tuple[str, str] | None:
    """Submit both scripts, the merge to follow; gives the numbers of the jobs, None without Slurm.

    Raises:
        BenchError: If Slurm refuses, with its words.
    """
    if shutil.which("sbatch") is None:
        return None
    shards = _submitted(scripts.shards)
    try:
        return shards, _submitted(scripts.merge, f"--dependency=afterany:{shards}")
    except BenchError as error:
        raise BenchError(
            f"{error}; the shards are submitted as job {shards}, the merge is not: sbatch "
            f"{shlex.quote(str(scripts.merge))} once they have ended"
        ) from error


def _name(out: Path) -> str:
    return f"inpaint-bench-{hashlib.sha256(os.fsencode(out.absolute())).hexdigest()[:8]}"


def _submitted(script: Path, *more: str) -> str:
    return _said("sbatch", "--parsable", *more, str(script)).strip().partition(";")[0]


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BenchError(f"{command[0]} refused: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
