"""``inpaint-bench completion``: commands, options and names completed by the shell."""

from __future__ import annotations

import argparse
import os

from bench.cli.arguments import Commands

_SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def add(commands: Commands) -> None:
    """Describe the command."""
    completion = commands.add_parser(
        "completion",
        help="print what makes a shell complete commands, options and names",
        description='In bash and zsh: eval "$(inpaint-bench completion bash)", best in a start '
        "file such as ~/.bashrc; in fish: inpaint-bench completion fish | source.",
    )
    completion.set_defaults(command=_completion)
    completion.add_argument("shell", choices=_SHELLS, help="the shell")


def answer(parser: argparse.ArgumentParser) -> None:
    """Answer a shell that asks for completions, and end; return if none does."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def _completion(options: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    print(shellcode(["inpaint-bench"], shell=options.shell))
    return 0
