"""Numbers and names as a reader sees them."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
TO = "\N{EN DASH}"
TIMES = "\N{MULTIPLICATION SIGN}"
UP, DOWN = "\N{UPWARDS ARROW}", "\N{DOWNWARDS ARROW}"
_KNOWN_TIERS = ("small", "region", "large", "object", "own")
_MOST_DECIMALS = 6
_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (65534, 65535))
_UNPRINTABLE = re.compile(
    f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]"
)


def decimals_for(half_widths: Iterable[float], *, unit: str = "") -> int:
    """Digits after the point so that two significant digits of the typical half-width show.

    Args:
        half_widths: Half-widths of the intervals in one column; only positive ones count.
        unit: Unit of the column, which decides where there is no interval at all.
    """
    widths = sorted(w for w in half_widths if math.isfinite(w) and w > 0)
    if not widths:
        return 2 if unit else 4
    typical = widths[len(widths) // 2]
    return min(_MOST_DECIMALS, max(0, 1 - math.floor(math.log10(typical))))


def four_digits(values: Iterable[float]) -> int:
    """Digits after the point so that the largest value has four significant digits, at most 4."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    return 4 if largest < 1 else max(0, 3 - math.floor(math.log10(largest)))


def pieces(name: str) -> list[str]:
    """A file name cut where a line may break: after slashes, underscores, dots and dashes."""
    return re.findall(r"[^/\\_.-]*[/\\_.-]+|[^/\\_.-]+", name)


def number(value: float, decimals: int) -> str:
    """Fixed decimals with a true minus sign; a dash for NaN, the infinity sign for inf."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    text = f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", MINUS)


def signed(value: float, decimals: int) -> str:
    """Like `number`, with a plus sign before what is above zero as it is shown."""
    text = number(value, decimals)
    return f"+{text}" if value > 0 and float(text.strip("\N{INFINITY}") or 1) else text


def interval(low: float, high: float, decimals: int) -> str:
    """``[low, high]``, or empty where there is no interval."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def significant(value: float, digits: int) -> str:
    """So many significant digits with a true minus sign, large ones in full; a dash for NaN."""
    if not math.isfinite(value):
        return number(value, 0)
    text = f"{value or 0.0:.{digits}g}"
    return (f"{float(text):,.0f}" if "e+" in text else text).replace("-", MINUS)


def p_number(p: float) -> str:
    """``< 0.001``, ``0.012``, ``0.66``; a dash for NaN."""
    if math.isnan(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def p_value(p: float) -> str:
    """``p < 0.001``, ``p = 0.012``, ``p = 0.66``; empty for NaN."""
    text = p_number(p)
    if text == NOTHING:
        return ""
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def places(first: int, last: int) -> str:
    """``2``, or ``1-3`` with a dash where the order is open."""
    return str(first) if first == last else f"{first}{TO}{last}"


def seconds(value: float) -> str:
    """Seconds with two to three significant digits."""
    if not math.isfinite(value):
        return NOTHING
    return number(value, 3 if value < 1 else 2 if value < 10 else 1)


def milliseconds(value: float) -> str:
    """Milliseconds with two to three significant digits, thousands apart."""
    if not math.isfinite(value):
        return NOTHING
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return number(value, 1 if value >= 10 else 2)


def time(milliseconds_: float) -> str:
    """Milliseconds below a second, seconds from there on, with their unit."""
    if milliseconds_ < 1e3:
        return f"{milliseconds(milliseconds_)} ms"
    return NOTHING if not math.isfinite(milliseconds_) else f"{milliseconds_ / 1e3:.3g} s"


def rate(a_second: float) -> str:
    """How many a second, with three significant digits, thousands apart."""
    return f"{float(f'{a_second:.3g}'):,g}"


def between_milliseconds(low: float, high: float) -> str:
    """An interval as `milliseconds` shows its ends, in brackets; empty where there is none."""
    return f"[{milliseconds(low)}, {milliseconds(high)}]" if math.isfinite(high - low) else ""


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def joined(names: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    *first, last = list(names)
    return f"{', '.join(first)} and {last}" if first else last


def lower_first(text: str) -> str:
    """The text with a small first letter, to go on within a heading."""
    return text[:1].lower() + text[1:]


def counted(count: int, noun: str) -> str:
    """``1 photo``, ``15 photos``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def holes(tier: str) -> str:
    """Words for the holes of a tier."""
    return f"{tier} holes" if tier in _KNOWN_TIERS else f"holes of tier {tier}"


def short_hash(*parts: object) -> str:
    """16 hex digits that name what the parts identify; safe as a file name."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()[:16]


def slug(name: str) -> str:
    """A name if it is harmless as a file name, otherwise its hash."""
    return name if re.fullmatch(r"[a-z][a-z0-9]{0,30}", name) else short_hash(name)


def printable(text: str) -> str:
    """Replace what no page may hold: control characters but line breaks, lone surrogates."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
