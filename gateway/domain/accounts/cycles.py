"""How hard batteries were worked: equivalent full cycles, and cycles by depth.

Depths are counted by the rainflow method (ASTM E1049-85, clause 5.4.4) on the state of charge;
swings smaller than `RIPPLE_PCT` are noise of its measurement and count nothing. An equivalent full
cycle is 100 % down and 100 % up again, whatever it was made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

RIPPLE_PCT = 1.0
_FULL_PCT, _HALF = 100.0, 0.5
_DEPTH_STEP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Of a month."""

    equivalent_full: float
    by_depth: Mapping[int, float]
    """Cycles by depth: 10 means deeper than 0 and up to 10 %, 100 up to all; halves count 0.5."""


def cycles(soc_pct: Iterable[float]) -> Cycles:
    """From the state of charge in order, percent; unknown ones (NaN) are left out.

    Over a gap the change from its one end to the other counts: the least that must have been.
    """
    counted = list(rainflow(turning_points(soc_pct)))
    found: dict[int, float] = {}
    for depth, count in counted:
        key = _DEPTH_STEP * max(1, int(-(-depth // _DEPTH_STEP)))
        found[key] = found.get(key, 0.0) + count
    equivalent = sum(depth * count for depth, count in counted) / _FULL_PCT
    return Cycles(equivalent_full=equivalent, by_depth=dict(sorted(found.items())))


def turning_points(values: Iterable[float], ripple: float = RIPPLE_PCT) -> list[float]:
    """Where a course turns by at least `ripple`, with its first and last value."""
    known = [value for value in values if value == value]  # noqa: PLR0124 (NaN alone is not)
    points: list[float] = known[:1]
    extreme, rising = (known[0] if known else 0.0), 0
    for value in known[1:]:
        if rising == 0 and abs(value - points[0]) >= ripple:
            rising, extreme = (1 if value > points[0] else -1), value
        elif (value - extreme) * rising > 0:
            extreme = value
        elif (extreme - value) * rising >= ripple:
            points.append(extreme)
            rising, extreme = -rising, value
    return [*points, extreme] if rising else points


def rainflow(points: Sequence[float]) -> Iterator[tuple[float, float]]:
    """`(range, count)` of every cycle among turning points; the count is 1, or 0.5 for a half."""
    stack: list[float] = []
    for point in points:
        stack.append(point)
        while len(stack) >= 3:  # noqa: PLR2004 (three points make two ranges)
            newest, before = abs(stack[-1] - stack[-2]), abs(stack[-2] - stack[-3])
            if newest < before:
                break
            if len(stack) == 3:  # noqa: PLR2004 (the range contains the start)
                yield before, _HALF
                del stack[0]
            else:
                yield before, 1.0
                del stack[-3:-1]
    for one, other in pairwise(stack):
        yield abs(other - one), _HALF
