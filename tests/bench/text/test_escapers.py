"""Whatever a name holds is shown as text: in Markdown, LaTeX, spreadsheets, on terminals."""

from __future__ import annotations

import csv as reader
import io
import itertools
import re
import unicodedata

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.text import Ready, csv, latex, markdown, plain

SPACE = "\N{ZERO WIDTH SPACE}"
# Any character, and often those that mean something to one of the languages.
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\\|*_`<>[]()~#&@!$%^{}\"':/.-+=,1\t\r\n\x1b\u2028wW ")
)
HOSTILE = [
    "@me ~x~ #1", "a|b\\|c\\", "two\nlines", "\\input{x}\n\\input{y}", "% \\input{x}",
    "https://x.y www.x.y me@x.y", "<script>&amp;", "- - -", "===", "12. x", "a--b,,c", "[x]", "*",
    "\x1b[2Jx\u202e", "\ud800", "$x$", "=cmd|' /C calc'!A0",
]  # fmt: skip


def hostile(test):
    for text in HOSTILE:
        test = example(text)(test)
    return given(TEXTS)(test)


# -- terminals ------------------------------------------------------------------------------


@hostile
def test_nothing_acts_on_a_terminal(text):
    for shown in (plain.visible(text), plain.one_line(text)):
        assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert plain.visible(shown) == shown
    assert plain.lines(text).count("\n") == text.count("\n")


@given(st.text(st.characters(exclude_categories=["C", "Z"])))
def test_plain_characters_stay_as_they_are(text):
    assert plain.visible(text) == plain.one_line(text) == text


def test_columns_are_aligned_by_what_is_seen():
    rows = [["a\x1b", "\N{MINUS SIGN}1.5"], ["long name", "\N{LESS-THAN OR EQUAL TO} 0.002"]]
    assert plain.table(["name", "value"], rows, "lr").splitlines() == [
        "name          value", "a\\x1b          -1.5", "long name  <= 0.002"
    ]  # fmt: skip


# -- Markdown -------------------------------------------------------------------------------


@hostile
def test_markdown_shows_exactly_the_characters(text):
    shown = markdown.escaped(text)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", shown.replace(SPACE, "")) == plain.one_line(text)
    assert "\n" not in shown


@hostile
def test_no_character_of_markdown_is_live(text):
    shown = markdown.escaped(text)
    live = re.sub(r"\\[!-/:-@\[-`{-~]", "", shown)
    assert not re.search(r"[\\|*_`<>\[\]~#&@$]|://|www\.", live, re.IGNORECASE)
    assert not re.search(rf"[@#](?!{SPACE})", shown)
    assert not re.match(r"(\d{1,9}[.)]|[-+])(\s|$)|[-=]+\s*$|(-\s*){3,}$", shown)


@given(st.lists(TEXTS, min_size=2, max_size=2))
def test_a_markdown_table_keeps_its_columns_and_rows(row):
    lines = markdown.table(["a", "b"], [row], "lr").split("\n")
    assert lines[1] == "| --- | ---: |"
    assert len(lines) == 3
    # GitHub takes every bar for a border that no backslash stands before.
    assert len(re.findall(r"(?<!\\)\|", lines[2])) == 3


def test_markup_that_is_ready_is_not_escaped_again():
    bold = Ready(f"**{markdown.escaped('a_b')}**")
    assert markdown.table(["_"], [[bold], [1]]).split("\n")[0::2] == [r"| \_ |", r"| **a\_b** |"]


@hostile
def test_a_folded_part_is_opened_and_closed_once(text):
    shown = markdown.folded(text, "body")
    assert re.findall("<[^>]*>", shown) == ["<details>", "<summary>", "</summary>", "</details>"]
    assert shown.count("\n") == 4


# -- LaTeX ----------------------------------------------------------------------------------

COMMANDS = {
    rf"\{name}{{}}" for name in (
        "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater",
        "textbar", "textquotedbl", "textquotesingle", "textasciigrave",
    )
}  # fmt: skip
MATHS = {
    "$-$",
    "--",
    *(rf"$\{name}$" for name in ("infty", "times", "leq", "uparrow", "downarrow")),
}
TOKEN = re.compile(r"\\[a-z]+\{\}|\$-\$|\$\\[a-z]+\$|\\[&%$#_{}]|[-,]\{\}(?=[-,])|--|.", re.DOTALL)


@hostile
def test_latex_has_no_live_character_and_no_line_break(text):
    shown = latex.escaped(text)
    for token in TOKEN.findall(shown):
        known = token in COMMANDS | MATHS or re.fullmatch(r"\\[&%$#_{}]|[-,]\{\}", token)
        assert known or token not in set("\\{}&%$#_~^<>|\"'`\n\r"), token
    assert len(shown.splitlines()) <= 1


@given(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\u2013")))
def test_latex_shows_every_character_in_its_order(text):
    shown = [token.removesuffix("{}") if token[0] in "-," else token
             for token in TOKEN.findall(latex.escaped(text))]  # fmt: skip
    assert len(shown) == len(text)
    for token, char in zip(shown, text, strict=True):
        assert token in (char, f"\\{char}") or token in COMMANDS | MATHS


@hostile
def test_a_comment_of_latex_is_one_line(text):
    shown = latex.comment(text)
    assert shown.startswith("% ")
    assert len(shown.splitlines()) == 1


@given(TEXTS, st.lists(st.lists(TEXTS, min_size=2, max_size=2), min_size=1, max_size=3))
def test_a_latex_table_has_a_line_a_row_and_every_column(caption, rows):
    lines = latex.table(caption, ["a", "b"], [rows, []], "lr").split("\n")
    body = lines[lines.index(r"\midrule") + 1 : lines.index(r"\bottomrule")]
    assert len(body) == len(rows)
    for line in body:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == 1
        # It would be the argument of the \\ or \midrule before it.
        assert not line.startswith(("[", "*"))
    for line in lines:
        braces = re.findall(r"(?<!\\)[{}]", line)
        depths = list(itertools.accumulate(1 if brace == "{" else -1 for brace in braces))
        assert not depths or (min(depths), depths[-1]) == (0, 0), line


# -- spreadsheets ---------------------------------------------------------------------------


@pytest.mark.parametrize("start", list("=+-@\t\r\n"))
def test_text_that_looks_like_a_formula_gets_an_apostrophe(start):
    assert csv.guarded(f"{start}1") == f"'{start}1"
    assert csv.guarded(-1.5) == -1.5
    assert csv.guarded("plain") == "plain"


@given(st.lists(st.tuples(TEXTS, st.floats(allow_nan=False)), min_size=1, max_size=4))
@example([("a\r=cmd", 1.0)])
def test_a_csv_holds_every_number_and_no_formula(rows):
    text = csv.written(pd.DataFrame(rows, columns=["name", "value"]))
    found = list(reader.reader(io.StringIO(text, newline="")))[1:]
    assert [float(value) for _, value in found] == [value for _, value in rows]
    assert not any(name.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for name, _ in found)
    for (name, _), (text, _) in zip(found, rows, strict=True):
        assert name.removeprefix("'") == re.sub("\r\n?", "\n", text).removeprefix("'")
