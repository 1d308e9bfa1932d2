"""Runs from request to tables, and what two methods or two runs differ in."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.errors import BenchError
from inpaint_bench._names import listed

if TYPE_CHECKING:
    from bench.folder.read import Run
    from bench.statistics import Comparison
    from methods.base import Inpainter


def run(
    images: str | os.PathLike[str] = "bundled",
    masks: str | os.PathLike[str] | None = None,
    methods: Sequence[str | type[Inpainter]] | None = None,
    metrics: Sequence[str] | None = None,
    out: str | os.PathLike[str] = "runs/bench",
    *,
    invert_masks: bool = False,
    mask_threshold: int = 128,
    mask_labels: Sequence[str] = (),
    size: int | str | None = None,
    tiers: Sequence[str] | None = None,
    draws: int | None = None,
    limit: int | None = None,
    truth: str | os.PathLike[str] | None = None,
    pairs: str | os.PathLike[str] | None = None,
    pairing: Literal["name", "order", "pool"] = "name",
    clusters: Literal["photo", "folder"] = "photo",
    groups: Literal["none", "folder"] = "none",
    prompt: str = "",
    protocol: str = "",
    seed: int = 0,
    samples: int = 1,
    weights: Mapping[str, str | os.PathLike[str]] | None = None,
    offline: bool = False,
    executor: Literal["local", "inline", "ray"] = "local",
    address: str = "",
    workers: int | None = None,
    threads: int = 1,
    device: str = "cpu",
    timeout: float = 600.0,
    shard: tuple[int, int] = (0, 1),
    retry_failed: bool = False,
    strict: bool = False,
    latency: bool = False,
    report: bool = False,
) -> Run:
    """Fill and measure every photo and hole with every method; an existing run is continued.

    What each argument means and its default stand in ``inpaint-bench run --help``; those of
    several names take a sequence.

    Args:
        images: Folder of photos, or ``bundled`` or ``bundled-512``: 48 photos that come with this
            package.
        masks: Folder of masks, a mask for all photos, or an annotation; generated holes if omitted.
        methods: Names and classes of one's own. A class of a notebook or script needs
            ``executor="inline"``, since worker processes cannot import it from there.
        metrics: Names; all usual ones if omitted.
        out: The run folder.
        invert_masks: Black is hole in the mask files.
        mask_threshold: Least value of a mask file that is hole.
        mask_labels: Which labels or classes of mask files are hole; all but the background if
            empty.
        size: Side of the evaluated square in pixels (256), ``"WxH"``, ``"fit:N"`` (short side,
            nothing cut off) or ``"native"``.
        tiers: Of generated holes, as `inpaint-bench list tiers` has them.
        draws: Generated holes a tier, or masks of a pool a photo.
        limit: Only the first so many photos.
        truth: Folder of what fills are held against, by the photos' names, or ``unknown``, where
            objects are to be removed; the photos themselves if omitted.
        pairs: CSV file with columns photo, mask, truth, cluster, prompt, group, credit.
        pairing: How photos get masks of the folder: by ``name``, in ``order``, or from a ``pool``.
        clusters: What statistics resample: each ``photo``, or each ``folder`` of photos.
        groups: What kind a photo is of: nothing, or the name of its ``folder``.
        prompt: What to fill in where ``pairs`` says nothing, for methods that can be told.
        protocol: Published protocol to follow (``inpaint-bench protocols list``): ``images`` is
            laid out as it says; it decides sizes, holes, what is scored and by which metrics.
        seed: Of holes and stochastic methods.
        samples: Fills of stochastic methods.
        weights: Files of the networks of metrics, by name, as ``weights list`` shows it.
        offline: Fetch no weights.
        executor: ``local`` is processes of this machine, ``inline`` this process, ``ray`` actors
            on the nodes of a Ray cluster, or of a Ray of this machine.
        address: Of the Ray cluster to join, ``HOST:PORT`` or ``auto``.
        workers: Processes; by default as many as there are cores, or a cluster has room for.
        threads: Threads of each.
        device: Of methods and networks.
        timeout: Seconds for one case.
        shard: Do part ``i``, from 0, of ``n``: ``(i, n)``.
        retry_failed: Try failed cases again.
        strict: Refuse to start unless every given file can be used.
        latency: Time the methods afterwards, in a short pass.
        report: Build the HTML report too, ``OUT/report/index.html``.

    Returns:
        The tables of the run, as `read_run` gives them.

    Raises:
        BenchError: Before any work, if it cannot be served; later only if the folder cannot be
            read or written.

    Warns:
        UserWarning: Of files that could not be used, and of a method that completed no case.

    Examples:
        >>> import tempfile
        >>> import inpaint_bench as ib
        >>> out = tempfile.mkdtemp()
        >>> found = ib.run(methods=["telea", "mean"], metrics=["l1_hole"], out=out, limit=2,
        ...                tiers=["large"], executor="inline")
        >>> found.cases.groupby("method")["l1_hole"].count().to_dict()
        {'mean': 2, 'original': 2, 'telea': 2}
    """
    from bench.folder.store import RunFolder
    from bench.planning.protocol import Protocol
    from bench.run import runner, summary
    from bench.run.limits import Limits
    from bench.run.request import Request, default_methods
    from inpaint_bench._own import text_of
    from methods.weights import hub

    compared = Protocol.asked(
        photos=os.fspath(images),
        masks=None if masks is None else os.fspath(masks),
        mask_threshold=mask_threshold,
        invert_masks=invert_masks,
        mask_labels=listed(mask_labels),
        size=size,
        tiers=None if tiers is None else listed(tiers),
        draws=draws,
        seed=seed,
        limit=limit,
        truth=None if truth is None else os.fspath(truth),
        pairs=None if pairs is None else os.fspath(pairs),
        pairing=pairing,
        clusters=clusters,
        groups=groups,
        prompt=prompt,
        published=protocol,
    )
    asked = default_methods(protocol) if methods is None else listed(methods)
    files = {name: hub.local(path, offline=offline) for name, path in (weights or {}).items()}
    request = Request(
        out=Path(out),
        protocol=compared,
        methods=tuple(text_of(method, executor) for method in asked),
        metrics=None if metrics is None else listed(metrics),
        samples=samples,
        executor=executor,
        address=address,
        workers=(0 if address else os.cpu_count() or 1) if workers is None else workers,
        threads=threads,
        device=device,
        shard=shard,
        retry_failed=retry_failed,
        strict=strict,
        offline=offline,
        weights=files,
        limits=Limits(timeout=timeout),
    )
    header = runner.run(request)
    for line in summary.refusals(RunFolder(request.out).read_table("inputs.parquet")):
        warnings.warn(f"{line}; all: {request.out / 'inputs.parquet'}", stacklevel=2)
    for line in summary.without_result(RunFolder(request.out), header.without_result):
        warnings.warn(line, stacklevel=2)
    if latency and not header.missing:
        from bench.run.brief_latency import measure_briefly

        measure_briefly(request, header, partial(print, file=sys.stderr))
    if report and not header.missing:
        from reports.build import build

        build(request.out, None)
    return read_run(request.out)


def read_run(path: str | os.PathLike[str]) -> Run:
    """Read the tables of a run folder.

    Args:
        path: The folder.

    Returns:
        Data frames ``cases`` (one row a fill), ``sets`` (one a method, tier and metric of whole
        sets), ``methods``, ``metrics``, ``plan``, ``inputs``, ``samples``, ...; their columns are
        described in ``docs/run-folder.md``. ``header`` is the typed content of ``run.json``.

    Raises:
        InputError: If a file is missing or damaged.

    Examples:
        >>> import tempfile
        >>> import inpaint_bench as ib
        >>> out = tempfile.mkdtemp()
        >>> _ = ib.run(methods=["mean"], metrics=["psnr_db"], out=out, limit=1, executor="inline")
        >>> ib.read_run(out).cases["tier"].unique().tolist()
        ['small', 'region', 'large']
    """
    from bench.folder.read import read_run as read

    return read(Path(path))


def compare(
    run: Run | str | os.PathLike[str],
    other: Run | str | os.PathLike[str] | None = None,
    metrics: Sequence[str] | None = None,
    tiers: Sequence[str] | None = None,
    *,
    reference: str | None = None,
    anyway: bool = False,
) -> Comparison:
    """Compare the methods of a run with each other, or each with itself in a later run.

    Args:
        run: What `run` or `read_run` gave, or a run folder.
        other: A later run of the same protocol; differences are ``other`` minus ``run``.
        metrics: Names, ``["all"]`` for every measured one; the headline metric if omitted.
        tiers: Some of the run's tiers; all if omitted.
        reference: A method of one run, if each other one is to be compared with it only.
        anyway: Compare runs of different protocols too, and say so in the notes.

    Returns:
        Data frames ``ranks``, ``pairs`` (paired differences with intervals and p-values) and
        ``partial``; and ``notes``, what a reader must know.

    Raises:
        BenchError: If a metric was not measured, a tier or the reference does not occur, or the
            runs cannot be compared.

    Examples:
        >>> import tempfile
        >>> import inpaint_bench as ib
        >>> found = ib.run(methods=["telea", "mean"], metrics=["psnr_db"], out=tempfile.mkdtemp(),
        ...                limit=3, tiers=["large"], executor="inline")
        >>> ranks = ib.compare(found, metrics=["psnr_db"]).ranks
        >>> ranks.set_index("method")["role"].to_dict()
        {'telea': 'ranked', 'original': 'ceiling', 'mean': 'floor'}
    """
    from bench.compare.runs import compare_between, compare_within

    first = read_run(run) if isinstance(run, str | os.PathLike) else run
    names, places = (None if each is None else listed(each) for each in (metrics, tiers))
    if other is None:
        return compare_within(first, names, places, reference)
    if reference is not None:
        raise BenchError("reference: expected one run, found two")
    second = read_run(other) if isinstance(other, str | os.PathLike) else other
    return compare_between(first, second, names, places, anyway=anyway)
