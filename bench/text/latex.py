"""LaTeX: text that is printed as it is, tables with booktabs, comments."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence

from bench.text import Ready, plain

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}", "`": r"\textasciigrave{}", "\N{MINUS SIGN}": "$-$",
    "\N{EN DASH}": "--", "\N{INFINITY}": r"$\infty$", "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$", "\N{UPWARDS ARROW}": r"$\uparrow$",
    "\N{DOWNWARDS ARROW}": r"$\downarrow$",
}  # fmt: skip
# Two hyphens or commas would be drawn as one character.
_TO_ESCAPE = re.compile(rf"([-,])(?=\1)|[{re.escape(''.join(_SPECIAL))}]")


def escaped(text: str) -> Ready:
    """Text that LaTeX prints as it is, on one line; control characters are made visible."""
    return Ready(
        _TO_ESCAPE.sub(lambda m: f"{m[1]}{{}}" if m[1] else _SPECIAL[m[0]], plain.one_line(text))
    )


def bold(text: str) -> Ready:
    """Text in bold."""
    return Ready(rf"\textbf{{{_cell(text)}}}")


def underlined(text: str) -> Ready:
    """Text with a line below."""
    return Ready(rf"\underline{{{_cell(text)}}}")


def small(text: str) -> Ready:
    """Text in small type."""
    return Ready(rf"{{\scriptsize {_cell(text)}}}")


def stacked(text: str, longest: int) -> Ready:
    """Text in several lines, none longer than so many characters if words allow."""
    lines = textwrap.wrap(plain.one_line(text), longest, break_long_words=False)
    # A bracket or star after \\ would be taken for its argument.
    together = r"\\{}".join(map(escaped, lines))
    return Ready(rf"\shortstack[r]{{{together}}}")


def breakable(text: str) -> Ready:
    """`escaped`, with leave to break lines within addresses and names of files."""
    return Ready(re.sub(r"([/:_])(?=\S)", r"\1\\allowbreak{}", escaped(text)))


def comment(text: str) -> str:
    """A line that is not printed."""
    return f"% {plain.one_line(text)}"


NEEDS = comment(r"Needs \usepackage{booktabs}, and \usepackage[T1]{fontenc} for quotation marks.")


def table(
    caption: str,
    header: Sequence[str],
    groups: Iterable[Sequence[Sequence[str]]],
    align: str,
    *,
    above: Sequence[str] = (),
    wide: bool = False,
) -> str:
    """A table with a caption; needs the package booktabs.

    Args:
        caption: Text above it.
        header: Names of the columns.
        groups: Rows in groups that are parted by a rule; texts are escaped where they are not
            `Ready`.
        align: A letter a column, ``l`` or ``r``.
        above: Lines of LaTeX above the header, within the table.
        wide: Whether it takes both columns of a page, in smaller type.
    """
    kind, size = ("table*", "footnotesize") if wide else ("table", "small")
    ruled = ("\n".join([r"\midrule", *map(_row, rows)]) for rows in groups if rows)
    return "\n".join(
        [
            rf"\begin{{{kind}}}", r"\centering", rf"\caption{{{_cell(caption)}}}",
            rf"\{size}\setlength{{\tabcolsep}}{{4pt}}", rf"\begin{{tabular}}{{{align}}}",
            r"\toprule", *above, _row(header), *ruled, r"\bottomrule", r"\end{tabular}",
            rf"\end{{{kind}}}",
        ]
    )  # fmt: skip


def _row(cells: Sequence[str]) -> str:
    line = " & ".join(map(_cell, cells)) + r" \\"
    # A bracket or star after \\ or \midrule would be taken for its argument.
    return f"{{}}{line}" if line.startswith(("[", "*")) else line


def _cell(text: str) -> str:
    return text if isinstance(text, Ready) else escaped(text)
