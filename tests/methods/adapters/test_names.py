import itertools
import re
import unicodedata
from pathlib import Path

import pytest

from bench.errors import InputError
from methods.adapters.names import choose, composed, exported
from methods.case_key import CaseKey

PHOTOS = ["a.png", "sub/b c.jpg", "sub/\N{LATIN SMALL LETTER U WITH DIAERESIS}.v1.png"]
ONE_EACH = [CaseKey(photo, "small", 0) for photo in PHOTOS]
SEVERAL = [
    CaseKey(photo, tier, draw)
    for photo, tier, draw in itertools.product(PHOTOS, ("small", "large"), (0, 1))
]
MASKED = [
    CaseKey(photo, "small", 0, mask=f"{photo.rpartition('.')[0]}_mask001.jpg") for photo in PHOTOS
]


def there(*names: str) -> dict[str, str]:
    return {composed(name): f"{name}.png" for name in names}


@pytest.mark.parametrize(
    ("pattern", "cases", "name"),
    [
        ("<tier>/<photo>-<draw>", SEVERAL, "{tier}/{photo}-{draw}"),
        ("<stem>-<tier>-<draw>", SEVERAL, "{last}-{tier}-{draw}"),
        ("<stem>-<tier>-<draw>", SEVERAL, "{stem}-{tier}-{draw}"),
        ("<stem>-<tier>-<draw>_mask000", SEVERAL, "{last}-{tier}-{draw}_mask000"),
        ("<photo>-<tier>-<draw>", SEVERAL, "{photo}-{tier}-{draw}"),
        ("<stem>", ONE_EACH, "{stem}"),
        ("<stem>", ONE_EACH, "{last}"),
        ("<stem>-<draw>", ONE_EACH, "{last}-{draw}"),
        ("<photo>", ONE_EACH, "{photo}"),
        ("<mask>", MASKED, "{stem}_mask001"),
        ("<mask>", MASKED, "{last}_mask001"),
    ],
)
def test_a_naming_is_known_by_most_of_its_files(pattern, cases, name):
    wanted = []
    for case in cases:
        stem = case.photo.rpartition(".")[0]
        last = stem.rpartition("/")[2]
        wanted.append(name.format(stem=stem, last=last, **case._asdict()))
    for some in (wanted, wanted[1:], wanted[:1]):
        found, names = choose(cases, there(*some, "strange", "a_LR"))
        assert found == pattern
        # Of those that are not there, folders are not known if the others lie in none.
        assert [name if name in some else "" for name in names] == [
            name if name in some else "" for name in wanted
        ]


def test_letters_and_accents_may_be_apart():
    apart = unicodedata.normalize("NFD", "\N{LATIN SMALL LETTER U WITH DIAERESIS}.v1")
    assert choose(ONE_EACH, there(apart))[0] == "<stem>"
    decomposed = [CaseKey(f"{apart}.png", "small", 0)]
    assert choose(decomposed, there(composed(apart)))[0] == "<stem>"


@pytest.mark.parametrize(
    ("cases", "files", "words"),
    [
        (SEVERAL, ["a", "b c"], ["<stem>.png", "a.png may be of 4 (a.png large 0, "]),
        (
            [CaseKey("a.jpg", "small", 0), CaseKey("a.png", "small", 0)], ["a"],
            ["a.png may be of 2 (a.jpg small 0, a.png small 0)", "(a.jpg-small-0.png)"],
        ),
        (
            [CaseKey("a.jpg", "small", 0), CaseKey("a-0.jpg", "small", 0)], ["a-0"],
            ["1 files each", "<stem>.png (a-0.png) and <stem>-<draw>.png (a-0.png)"],
        ),
        (ONE_EACH, ["a", "small/a.png-0"], ["(small/a.png-0.png) and <stem>.png (a.png)"]),
        (ONE_EACH, ["other"], ["outputs of 3 cases", "a-small-0.png", "1 (other.png)", "export"]),
        (ONE_EACH, [], ["Pictures there: none"]),
        ([], ["a"], ["outputs of 0 cases"]),
    ],
)  # fmt: skip
def test_what_may_mean_several_things_or_none_is_refused(cases, files, words):
    with pytest.raises(InputError) as error:
        choose(cases, there(*files))
    assert all(each in str(error.value) for each in words), str(error.value)


@pytest.mark.parametrize(
    ("photos", "names"),
    [
        (["a.png", "sub/b.png"], ["a", "b"]),
        (["x/a.png", "y/a.png"], ["x__a", "y__a"]),
        (["x/A.png", "y/a.png"], ["x__A", "y__a"]),
        (["a.jpg", "a.png"], ["a.jpg", "a.png"]),
        (["plain"], ["plain"]),
    ],
)
def test_exported_names_are_as_short_as_they_can_be_told_apart(photos, names):
    cases = [CaseKey(photo, "small", 0) for photo in photos]
    assert list(exported(cases).values()) == [f"{name}-small-0" for name in names]


@pytest.mark.parametrize(
    "photos",
    [
        ["x/a.png", "x__a.png", "a.png"],
        ["a.png", "A.png"],
        ["n" * 251 + ".png", "m" * 251 + ".png"],
        ["\N{LATIN SMALL LETTER U WITH DIAERESIS}.png", "u\N{COMBINING DIAERESIS}.png"],
        [".../a.png", "../a.png", "a..png"],
    ],
)
def test_exported_names_are_distinct_files_on_every_file_system(photos):
    cases = [CaseKey(photo, "small", draw) for photo in photos for draw in range(2)]
    names = list(exported(cases).values())
    assert len({composed(name).casefold() for name in names}) == len(cases)
    assert all(len(name.encode()) < 240 and "/" not in name for name in names)
    assert choose(cases, there(*names))[1] == [composed(name) for name in names]


def test_the_page_has_every_naming():
    page = (Path(__file__).parents[3] / "docs" / "outputs.md").read_text("utf-8")
    with pytest.raises(InputError) as error:
        choose(MASKED, {})
    patterns = re.findall(r"(<[^ ]+\.png) \(", str(error.value))
    assert len(patterns) == 9
    assert all(f"`{pattern}`" in page for pattern in patterns)
