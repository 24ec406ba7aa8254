"""Means over short intervals with how much of each is covered: what old values are thinned to.

A mean is weighted by time over the covered part, so mean x coverage x length is the integral of
what was measured, exactly; how the values lay inside is lost. Times are microseconds since 1970.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Piece = tuple[int, int, float, bool]
"""`begin, end, value, estimated`: a value that held from begin to before end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMean:
    """One interval's mean."""

    mean: float
    coverage: float
    """Part of the interval with a value, above 0 to 1."""
    estimated: bool = False
    """Whether any of the values was not measured."""

    def joined(self, other: StepMean) -> StepMean:
        """With what came in of the same interval later."""
        both = self.coverage + other.coverage
        return StepMean(
            mean=(self.mean * self.coverage + other.mean * other.coverage) / both,
            coverage=min(1.0, both),
            estimated=self.estimated or other.estimated,
        )


def means(pieces: Iterable[Piece], step_us: int) -> Mapping[int, StepMean]:
    """By their begin the intervals in which something was measured; pieces must not overlap."""
    found: dict[int, StepMean] = {}
    for begin, end, value, estimated in pieces:
        at = begin - begin % step_us
        while at < end:
            covered = min(end, at + step_us) - max(begin, at)
            part = StepMean(mean=value, coverage=covered / step_us, estimated=estimated)
            found[at] = found[at].joined(part) if at in found else part
            at += step_us
    return found


def coarser(fine: Mapping[int, StepMean], step_us: int, fine_us: int) -> Mapping[int, StepMean]:
    """Means over longer intervals, each a whole number of the shorter ones."""
    pieces = [
        (at, at + round(one.coverage * fine_us), one.mean, one.estimated)
        for at, one in sorted(fine.items())
    ]
    return means(pieces, step_us)


def beside(first: Sequence[Piece], second: Sequence[Piece]) -> Sequence[Piece]:
    """Everything of the first in order of time, and of the second what overlaps none of it."""
    begins = [piece[0] for piece in first]
    kept = list(first)
    for piece in second:
        after = bisect_right(begins, piece[0])
        clear_before = after == 0 or first[after - 1][1] <= piece[0]
        if clear_before and (after == len(first) or begins[after] >= piece[1]):
            kept.append(piece)
    return sorted(kept)
