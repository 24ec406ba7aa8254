"""Equal slots of a month, and step functions over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
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


def slot_sums(
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
    heights: Numbers,
    slots: tuple[int, int, int],
) -> Numbers:
    """Integral of disjoint ascending steps over each slot, value times the unit of time.

    `slots`: begin, length and number of them; no step reaches outside. What a slot sums to depends
    on its own steps alone, added up in order of time: however a window is cut, it is the same
    number, to the last bit.
    """
    start, length, count = slots
    first, last = (begins - start) // length, (ends - 1 - start) // length
    touched = last - first + 1
    step = np.repeat(np.arange(len(begins)), touched)
    slot = first[step] + np.arange(len(step)) - np.repeat(np.cumsum(touched) - touched, touched)
    since = np.maximum(begins[step], start + slot * length)
    until = np.minimum(ends[step], start + (slot + 1) * length)
    areas = heights[step] * (until - since)
    return np.bincount(slot, weights=areas, minlength=count).astype(np.float64, copy=False)


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

    def overlaps_s(self, interval: Interval) -> tuple[int, Numbers]:
        """The first slot an interval touches, and for how many seconds of each from there on."""
        part = interval.intersection(self.window)
        if part is None:
            return 0, np.zeros(0)
        begin, end = self._at(part.start), self._at(part.end or self.end)
        first, behind = int(begin // self.seconds), ceil(end / self.seconds)
        edges = self.seconds * np.arange(first, behind + 1)
        lasting: Numbers = np.diff(np.clip(edges, begin, end))
        return first, lasting

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
