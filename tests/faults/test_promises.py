"""docs/reliability.md promises nothing without a test of the name that it gives."""

import re
from pathlib import Path

HOME = Path(__file__).parents[2]
TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_the_tests_that_promises_name_are_there():
    page = (HOME / "docs" / "reliability.md").read_text("utf-8")
    promises = page.partition("## What is promised")[2].partition("\n## ")[0]
    rows = [line for line in promises.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 15
    assert [row for row in rows if not TEST.search(row)] == []
    for file, name in TEST.findall(page):
        assert f"def {name}" in (HOME / file).read_text("utf-8"), (file, name)
