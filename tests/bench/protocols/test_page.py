"""docs/protocols.md says of each protocol what the catalogue says.

``python -m tests.bench.protocols.test_page`` prints its table.
"""

from pathlib import Path

from bench.protocols.read import catalogue
from bench.protocols.record import PAIRED

PAGE = Path(__file__).parents[3] / "docs/protocols.md"
HEADER = ("protocols", "pictures", "size", "holes", "scored", "metrics", "numbers here, and why")


def facts(published):
    """All of a row but the names."""
    holes, score = published.holes, published.score
    drawn = f"drawn: {holes.generator.replace(published.name.rpartition('-')[2], '...')}"
    files = f"files {PAIRED[holes.pairing]}, {holes.hole}"
    return (
        f"{published.expects:,}" if published.expects else "not stated",
        published.size,
        drawn if holes.generator else files,
        f"{score.paste}, {score.quantise}",
        ", ".join(f"`{name}`" for name in published.metrics) or "none of theirs",
        f"**{published.reproduces}.** {published.why}",
    )


def shown():
    rows: dict[tuple[str, ...], list[str]] = {}
    for each in catalogue().values():
        rows.setdefault(facts(each), []).append(f"`{each.name}`")
    cells = [HEADER, ["---"] * len(HEADER), *((", ".join(n), *f) for f, n in rows.items())]
    assert not any("|" in cell for row in cells for cell in row)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def test_the_page_has_the_table_of_the_catalogue():
    assert shown() in PAGE.read_text("utf-8"), "python -m tests.bench.protocols.test_page"


def test_the_table_names_every_protocol_once():
    text = shown()
    assert all(text.count(f"`{name}`") == 1 for name in catalogue())


if __name__ == "__main__":
    print(shown())
