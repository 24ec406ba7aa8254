"""Equal slots of a month, and step functions over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.time import Interval

Numbers = NDArray[np.float64]


def integrals(
    begins: NDArray[Any], ends: NDArray[Any], heights: Numbers, edges: NDArray[Any]
) -> Numbers:
    """Integral of disjoint ascending steps between each edge and the next.

    In value times the unit of the edges; where there is no step there is nothing.
    """
    if not len(begins):
        return np.zeros(len(edges) - 1)
    moments = np.column_stack([begins, ends]).ravel()
    areas = np.column_stack([np.zeros(len(begins)), heights * (ends - begins)]).ravel()
    found: Numbers = np.diff(np.interp(edges, moments, np.cumsum(areas)))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotGrid:
    """The slots of a closed window.

    Raises:
        ValueError: the window is open, or no whole number of steps.
    """

    window: Interval
    step: timedelta

    def __post_init__(self) -> None:
        if self.window.duration is None or self.window.duration % self.step:
            raise ValueError("slots need a closed window of a whole number of steps")

    @property
    def count(self) -> int:
        """How many slots there are."""
        return (self.window.duration or self.step) // self.step

    @property
    def end(self) -> datetime:
        """Of the last slot."""
        return self.window.end or self.window.start

    @property
    def seconds(self) -> float:
        """Length of a slot."""
        return self.step.total_seconds()

    def slot(self, index: int) -> Interval:
        """One slot."""
        return Interval.lasting(self.window.start + index * self.step, self.step)

    def overlaps_s(self, interval: Interval) -> Numbers:
        """For how many seconds of each slot an interval lasts."""
        part = interval.intersection(self.window)
        return self.means([] if part is None else [(part, 1.0)])[1]

    def means(self, steps: Iterable[tuple[Interval, float]]) -> tuple[Numbers, Numbers]:
        """Of disjoint steps in order: mean over what is covered (0 where nothing is), seconds."""
        found = list(steps)
        begin = np.array([self._at(one.start) for one, _ in found])
        end = np.array([self._at(one.end or self.end) for one, _ in found])
        values = np.array([value for _, value in found], dtype=np.float64)
        edges = self.seconds * np.arange(self.count + 1)
        covered = integrals(begin, end, np.ones(len(found)), edges)
        total = integrals(begin, end, values, edges)
        mean: Numbers = np.divide(total, covered, out=np.zeros(self.count), where=covered > 0)
        return mean, covered

    def _at(self, instant: datetime) -> float:
        return (instant - self.window.start).total_seconds()
