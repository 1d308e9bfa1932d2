"""``inpaint-bench train``."""

from __future__ import annotations

import argparse
from pathlib import Path

from bench.cli.arguments import Commands, completed, device, methods_known, positive, taken
from bench.errors import BenchError


def add(commands: Commands) -> None:
    """Describe the command."""
    train = commands.add_parser(
        "train",
        help="train a network on the equal-budget track; an existing training is continued",
    )
    train.set_defaults(command=_train)
    method = train.add_argument("method", help="name of a learnable method, such as lama")
    completed(method, methods_known)
    train.add_argument(
        "--images", type=Path, nargs="+", required=True, help="folders or .tar archives of photos"
    )
    much = train.add_mutually_exclusive_group(required=True)
    much.add_argument("--budget", type=positive, help="pictures to be seen")
    much.add_argument(
        "--recipe",
        choices=("source-report",),
        help="source-report: all photos six times in batches of six, as ReLaMa's author trained it "
        "on faces",
    )
    train.add_argument("--out", type=Path, required=True, help="folder of the training")
    train.add_argument("--config", default="small", help="configuration on the method's card")
    train.add_argument("--seed", type=int, default=0, help="of first weights, pictures and holes")
    train.add_argument("--batch", type=positive, help="pictures of a step (default: 8)")
    train.add_argument("--crop", type=positive, default=128, help="side of the squares, in pixels")
    train.add_argument("--block", type=positive, default=800, help="pictures between two savings")
    train.add_argument("--device", type=device, default="cpu", help="torch device")
    train.add_argument(
        "--devices", type=positive, default=1, help="how many of these share each batch"
    )
    train.add_argument("--precision", default="32-true", help="32-true or bf16-mixed")
    train.add_argument("--readers", type=int, default=0, help="processes that read photos ahead")
    train.add_argument(
        "--networks",
        choices=("found", "fetch", "none"),
        default="found",
        help="downloaded networks that terms of the papers need: take those that are here, fetch "
        "what is not, or train without such terms",
    )
    train.add_argument(
        "--network-weights", type=Path, help="file of such a network, or a folder of them"
    )
    train.add_argument(
        "--start",
        default="",
        metavar="METHOD",
        help="go on from these weights, such as lama:small, and not from ones drawn at random; "
        "LaMa may grow: in channels (--config wide) or by attention (relama)",
    )
    train.add_argument("--terms", default="not stated", help="terms of use of the photos")


def _train(options: argparse.Namespace) -> int:
    if options.recipe and options.batch:
        raise BenchError("--batch: source-report has batches of six; give one of the two")
    if options.seed < 0:
        raise BenchError(f"--seed: expected 0 or more, found {options.seed}")
    if options.network_weights and options.networks == "none":
        raise BenchError("--network-weights: --networks none needs no file; give one of the two")
    import methods

    spec = methods.look_up(options.method)  # before what takes seconds to load
    if spec.kind == "built-in":
        methods.card(spec).config(options.config)

    from bench.training.job import TrainingJob
    from bench.training.loop import train

    weights = train(
        TrainingJob(
            images=tuple(options.images),
            batch=options.batch or (6 if options.recipe else 8),
            rounds=6 if options.recipe else 0,
            workers=options.readers,
            terms_of_use=options.terms,
            method=spec.text,
            budget=options.budget or 0,
            **taken(options, "out", "config", "seed", "crop", "block"),
            **taken(
                options, "device", "devices", "precision", "networks", "network_weights", "start"
            ),
        )
    )
    print(f"{weights}: weights of {options.method}:{options.config}; beside it, its card")
    return 0
