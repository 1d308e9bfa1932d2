"""How the command line reads its words: full names only, and mistakes answered with what was meant.

A mistake prints the usage of the command it was made in, then one line.
"""

from __future__ import annotations

import argparse
import platform
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from bench.errors import did_you_mean, nearest

_KINDS = {"int": "a whole number", "float": "a number"}


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Show defaults but those that are only the absence of a choice; texts of lines as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.const is True:
            return action.help
        return super()._get_help_string(action)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class Version(argparse.Action):
    """Print the versions of this, Python and torch, none of them loaded."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        """Take no value."""
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print and end."""
        from bench.machine.provenance import version_of

        python, torch = platform.python_version(), version_of("torch")
        print(f"inpaint-bench {version_of('inpaint-bench')} (Python {python}, torch {torch})")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """A parser of one command, or of them all."""

    def __init__(self, **options: Any) -> None:
        """Make one; takes what `argparse.ArgumentParser` takes."""
        super().__init__(**{"formatter_class": Help, **options, "allow_abbrev": False})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse; words that are left over are a mistake here, not of the command above."""
        words = self._joined(sys.argv[1:] if args is None else args)
        found, extra = super().parse_known_args(words, namespace)
        if extra:
            self.error(self._unexpected(extra[0]))
        return found, extra

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake; the exit status is 2."""
        self.print_usage(sys.stderr)
        kind = r"invalid (int|float) value: (.*)"
        message = re.sub(kind, lambda m: f"expected {_KINDS[m[1]]}, found {m[2]}", message)
        self.exit(2, f"inpaint-bench: {message.removeprefix('argument ')}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        known = list(map(str, action.choices))
        meant = did_you_mean(str(value), known)
        if isinstance(action, argparse._SubParsersAction):
            asked = f"{self.prog} {value}".partition(" ")[2]
            self.error(f"there is no command {asked!r}.{meant} Known: {', '.join(known)}")
        raise argparse.ArgumentError(action, f"expected {_either(known)}, found {value!r}.{meant}")

    def _joined(self, words: Sequence[str]) -> list[str]:
        """Put the parts of a list together that spaces after its commas have separated."""
        joined: list[str] = []
        for word in words:
            if self._goes_on(joined) and not word.startswith("-"):
                joined[-1] += word
            else:
                joined.append(word)
        return joined

    def _goes_on(self, words: Sequence[str]) -> bool:
        """Whether the last of these words is the value of an option and ends with a comma."""
        if not words or not words[-1].endswith(","):
            return False
        name = words[-1].partition("=")[0] if words[-1].startswith("-") else words[-2:-1]
        option = self._option_string_actions.get("".join(name))
        return option is not None and option.nargs is None

    def _unexpected(self, word: str) -> str:
        if word.startswith("-"):
            name = word.partition("=")[0]
            # Without the hyphens, which make all of them alike.
            known = {option.lstrip("-"): option for option in self._option_string_actions}
            found = " or ".join(known[each] for each in nearest(name.lstrip("-"), known, 3))
            meant = found and f" Did you mean {found}?"
            return f"there is no option {name} here.{meant} All: {self.prog} --help"
        if "\N{HYPHEN}" <= word[:1] <= "\N{HORIZONTAL BAR}":  # word processors make these of --
            return f"{word!r} begins with a dash; write hyphens: --{word.lstrip(word[0] + '-')}"
        return f"{word!r} is one word too many; a value of several words needs quotes"


def _either(known: Iterable[str]) -> str:
    *first, last = known
    return f"{', '.join(first)} or {last}" if first else last
