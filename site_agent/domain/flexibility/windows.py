"""How much vehicles can put off in a window of the hours ahead with nobody left behind.

First a bound from energy: what each vehicle must have within the window because its power cannot
make up for it later, and what all must have because the connection could not (the earliest-deadline
test). Then every candidate is proved by filling the day again with the request taken up
(`fill.step`): it stands only if no vehicle is worse off than without. What fails is made smaller.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.flexibility.crowd import Crowd, Table, earlier
from site_agent.domain.flexibility.fill import Course, course, step
from site_agent.domain.horizon import Series

SPARE = timedelta(minutes=10)
"""Every vehicle is taken to leave this much earlier: limits, contactors and pauses cost time."""
LOST_SHARE = 0.03
"""Of the import limit, what steady limits and the margin may leave unused (`ControlPolicy`)."""
_SHRINKS = (1.0, 0.7, 0.4)
_TOLERANCE_H = 1.0 / 60.0
Lengths = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """For a window from every slot on: what can be put off, and what then follows."""

    course: Course
    """The day without any request."""
    down_w: Series
    """[T] Power by which all vehicles together can stay below that."""
    slots: Lengths
    """[T] Length of each window."""
    load_w: Table
    """[T, T] Power of all vehicles in each slot if a window's offer is taken up."""


def windows(crowd: Crowd, import_w: Series, least_w: float, lengths: Lengths) -> Windows:
    """`least_w`: what a vehicle takes at least while it charges; `lengths`: of windows, slots."""
    proof = _Proof.of(crowd, import_w, least_w)
    count, day = len(crowd.slot_h), proof.day
    down_w, load_w = np.zeros(count), np.tile(day.load_w, (count, 1))
    candidates = _bound_w(proof.careful, day, lengths, least_w)
    open_now = np.flatnonzero(candidates > least_w / 10)
    for share in _SHRINKS:
        if not len(open_now):
            break
        asked_w = share * candidates[open_now]
        holds, loads = proof.taken_up(open_now, lengths[open_now], asked_w)
        passed = open_now[holds]
        down_w[passed], load_w[passed] = asked_w[holds], loads[holds]
        open_now = open_now[~holds]
    return Windows(course=day, down_w=down_w, slots=lengths, load_w=load_w)


def longer(found: Windows, crowd: Crowd, import_w: Series, least_w: float, by: int) -> Windows:
    """The same power over windows `by` times as long where that is proved, else as they were."""
    proof = _Proof.of(crowd, import_w, least_w)
    count = len(crowd.slot_h)
    lengths = np.minimum(found.slots * by, count - np.arange(count))
    bound_w = _bound_w(proof.careful, found.course, lengths, least_w)
    tried = np.flatnonzero((found.down_w > 0) & (bound_w >= found.down_w) & (lengths > found.slots))
    if not len(tried):
        return found
    holds, loads = proof.taken_up(tried, lengths[tried], found.down_w[tried])
    slots, load_w = found.slots.copy(), found.load_w.copy()
    slots[tried[holds]], load_w[tried[holds]] = lengths[tried][holds], loads[holds]
    return replace(found, slots=slots, load_w=load_w)


def proved_share(
    crowd: Crowd, import_w: Series, least_w: float, slots: int, now_w: float, down_w: float
) -> float:
    """How much of `down_w` vehicles can put off from now on for so many slots, 0 to 1.

    They draw `now_w`, and are held at what is left of that.
    """
    proof = _Proof.of(crowd, import_w, least_w)
    shares = np.array([1.0, 0.85, 0.7, 0.5, 0.3, 0.15])
    holds = proof.held_at(np.maximum(0.0, now_w - shares * down_w), slots)
    return float(shares[int(np.argmax(holds))]) if holds.any() else 0.0


def _bound_w(crowd: Crowd, day: Course, lengths: Lengths, least_w: float) -> Series:
    """[T] Most that each window can do without by its energy, W."""
    count = len(crowd.slot_h)
    starts = np.arange(count)
    ends = np.minimum(starts + lengths, count)
    until = np.concatenate([[0.0], np.cumsum(crowd.slot_h)])
    hours = until[ends] - until[starts]
    drawn = np.concatenate([[0.0], np.cumsum(day.load_w * crowd.slot_h)])
    must_wh = _must_wh(crowd, day, ends)
    mean_w = (drawn[ends] - drawn[starts] - must_wh) / np.maximum(hours, 1e-9)
    lowest = np.array([day.load_w[a:b].min() for a, b in zip(starts, ends, strict=True)])
    stays_w = np.where(must_wh > 0, least_w, 0.0)  # the last vehicle cannot take less than that
    most: Series = np.maximum(0.0, np.minimum(lowest, mean_w - stays_w))
    return most


def _must_wh(crowd: Crowd, day: Course, ends: Lengths) -> Series:
    """[T] What vehicles must have within each window: alone, and together."""
    count = len(crowd.slot_h)
    left = day.left_wh[:count]
    possible = np.minimum(left, crowd.power_w * crowd.ahead_h[:, :count].T)
    later = crowd.power_w * crowd.ahead_h[:, ends].T
    alone = np.maximum(0.0, possible - later).sum(axis=1)
    room = np.concatenate([[0.0], np.cumsum(crowd.room_w * crowd.slot_h)])
    leaves = np.array([_leaves(hours) for hours in crowd.hours], dtype=np.intp)
    by_deadline = np.argsort(leaves, kind="stable")
    due = np.cumsum(possible[:, by_deadline], axis=1)
    ends_at = leaves[by_deadline]
    beyond = np.maximum(0.0, room[ends_at][None, :] - room[ends][:, None])
    together = np.max(due - beyond, axis=1, initial=0.0)
    inside = ends_at[None, :] <= ends[:, None]
    within = np.where(inside, due, 0.0).max(axis=1, initial=0.0)
    must: Series = np.maximum(np.maximum(alone, together), within)
    return must


def _leaves(hours: Series) -> int:
    """The slot after the last in which a vehicle is there."""
    there = np.flatnonzero(hours)
    return int(there[-1]) + 1 if len(there) else len(hours)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proof:
    """Fills the day again for many requests at once, with vehicles leaving early and on time.

    Which of two rules shares power when it is short (see `fill`) depends on a hair, and on it who
    goes short: a request must hold on both days.
    """

    careful: Crowd
    """Every vehicle leaves `SPARE` early."""
    day: Course
    """... and what then is expected: requests are counted from it."""
    on_time: Crowd
    day_on_time: Course
    least_w: float

    @classmethod
    def of(cls, crowd: Crowd, import_w: Series, least_w: float) -> _Proof:
        """With what steady limits may leave unused taken off."""
        on_time = replace(crowd, room_w=np.maximum(0.0, crowd.room_w - LOST_SHARE * abs(import_w)))
        careful = earlier(on_time, SPARE)
        return cls(
            careful=careful,
            day=course(careful)[0],
            on_time=on_time,
            day_on_time=course(on_time)[0],
            least_w=least_w,
        )

    def taken_up(
        self, starts: Lengths, lengths: Lengths, down_w: Series
    ) -> tuple[NDArray[np.bool_], Table]:
        """Which requests leave nobody worse off, and the load of each day. `starts` ascend."""
        holds, load = self._filled(self.careful, self.day, starts, lengths, down_w)
        if holds.any():
            again, _ = self._filled(
                self.on_time, self.day_on_time, starts[holds], lengths[holds], down_w[holds]
            )
            holds[holds] = again
        return holds, load

    def held_at(self, levels_w: Series, slots: int) -> NDArray[np.bool_]:
        """Whether nobody is worse off if vehicles are held at these powers for the first slots."""
        holds = np.ones(len(levels_w), dtype=np.bool_)
        for crowd, day in ((self.careful, self.day), (self.on_time, self.day_on_time)):
            left = np.tile(day.left_wh[0], (len(levels_w), 1))
            for t in range(len(crowd.slot_h)):
                free = np.full(len(levels_w), crowd.room_w[t])
                room_w = self._usable(crowd, t, levels_w) if t < slots else free
                left -= step(crowd, t, left, room_w * crowd.slot_h[t])
            holds &= (left <= _worst(crowd, day)).all(axis=1)
        return holds

    def _filled(
        self, crowd: Crowd, day: Course, starts: Lengths, lengths: Lengths, down_w: Series
    ) -> tuple[NDArray[np.bool_], Table]:
        left = day.left_wh[starts].copy()
        load = np.tile(day.load_w, (len(starts), 1))
        for t in range(int(starts[0]), len(crowd.slot_h)):
            begun = int(np.searchsorted(starts, t, side="right"))
            if begun == len(starts) and not (left > 1e-3).any():  # noqa: PLR2004 (a mWh)
                load[:, t:] = 0.0
                break
            held = t < starts[:begun] + lengths[:begun]
            allowed_w = self._usable(crowd, t, self.day.load_w[t] - down_w[:begun])
            room_w = np.where(held, allowed_w, crowd.room_w[t])
            given = step(crowd, t, left[:begun], room_w * crowd.slot_h[t])
            left[:begun] -= given
            load[:begun, t] = given.sum(axis=1) / max(float(crowd.slot_h[t]), 1e-9)
        return np.all(left <= _worst(crowd, day), axis=1, keepdims=True)[:, 0], load

    def _usable(self, crowd: Crowd, t: int, level_w: Series) -> Series:
        """What is left of a slot to vehicles that take the least or more, each with some loss."""
        rest = np.minimum(level_w, crowd.room_w[t])
        return np.where(rest < self.least_w, 0.0, np.maximum(0.0, rest - self.least_w / 2))


def _worst(crowd: Crowd, day: Course) -> Series:
    """[V] What may be missing at the end."""
    worst: Series = day.left_wh[-1] + _TOLERANCE_H * crowd.power_w
    return worst
