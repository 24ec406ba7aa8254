"""How vehicles will charge over the hours ahead, by the rule that shares power every second.

Slot by slot: while everybody below a constraint can still be served, each gets its steady need and
the rest goes by least laxity; else by rank and departure (`decide.allocate`). One pass can follow
many courses of the same day at once (a row each), such as the day with one offer or another taken
up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from site_agent.domain.flexibility.crowd import Crowd, Table
from site_agent.domain.horizon import Series

_ALMOST = 1.05
"""As in `decide.allocate`: needs this little beyond a capacity are shared, not triaged."""
_PRESSED_H = 0.5
"""Below this laxity a wish to wait does not count (`ControlPolicy.wish_reserve`)."""
_FIRST = -1e6
_DONE_WH = 1e-3
Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one day goes."""

    left_wh: Table
    """[T + 1, V] Energy still missing at the start of each slot."""
    load_w: Series
    """[T] Mean power of all vehicles in each slot."""
    withheld_wh: Table
    """[G + 1, V] What each constraint kept from each vehicle; the last one: the import limit."""
    import_blame: Series
    """[T] How much the import limit kept back in each slot, Wh."""


def course(crowd: Crowd, high_room_w: Series | None = None) -> tuple[Course, Table]:
    """The day as it comes, and what is missing at its end, Wh [V], if the room were only so much.

    `high_room_w`: [T] what all may draw together on a day with a larger building load.
    """
    rooms_w = np.array([crowd.room_w, crowd.room_w if high_room_w is None else high_room_w])
    slots, vehicles = len(crowd.slot_h), len(crowd.energy_wh)
    left_wh = np.zeros((slots + 1, 2, vehicles))
    left_wh[0] = crowd.energy_wh
    load_w, blame = np.zeros(slots), np.zeros(slots)
    withheld = np.zeros((len(crowd.causes) + 1, vehicles))
    for t in range(slots):
        if not (left_wh[t] > _DONE_WH).any():
            left_wh[t + 1 :] = left_wh[t]
            break
        before = withheld[-1].sum()
        given = step(crowd, t, left_wh[t], rooms_w[:, t] * crowd.slot_h[t], withheld)
        left_wh[t + 1] = left_wh[t] - given
        load_w[t] = given[0].sum() / crowd.slot_h[t] if crowd.slot_h[t] > 0 else 0.0
        blame[t] = withheld[-1].sum() - before
    day = Course(left_wh=left_wh[:, 0], load_w=load_w, withheld_wh=withheld, import_blame=blame)
    return day, left_wh[-1, 1]


def step(
    crowd: Crowd, t: int, left_wh: Table, room_wh: Series, withheld: Table | None = None
) -> Table:
    """[S, V] What each vehicle is given in slot `t` in each course, Wh.

    `withheld`: is added what constraints keep back in the first course.
    """
    laxity_h = crowd.ahead_h[:, t] - left_wh / crowd.power_w
    hours = crowd.hours[:, t]
    most = np.minimum(left_wh, crowd.power_w * hours)
    most = np.where(laxity_h < _PRESSED_H, most, np.minimum(most, crowd.wish_w[:, t] * hours))
    limits = crowd.limits_a[:, t] * crowd.slot_h[t]
    tight = np.flatnonzero(((most @ crowd.weights.T) > limits).any(axis=0)).tolist()
    short = (most.sum(axis=1) > room_wh).any()
    if not tight and not short:
        return most
    parts, keys = _in_two(crowd, t, left_wh, most, laxity_h, room_wh)
    order = np.argsort(keys, axis=1, kind="stable")
    granted = np.take_along_axis(parts, order, axis=1)
    whose = order % most.shape[1]
    for g in tight:
        bound = np.full(len(left_wh), limits[g])
        booked = None if withheld is None else withheld[g]
        granted = _clipped(granted, crowd.weights[g][whose], bound, whose, booked)
    if short:
        booked = None if withheld is None else withheld[-1]
        granted = _clipped(granted, np.ones_like(granted), room_wh, whose, booked)
    given = np.empty_like(granted)
    np.put_along_axis(given, order, granted, axis=1)
    return given[:, : most.shape[1]] + given[:, most.shape[1] :]


def _clipped(
    granted: Table, weights: Table, bound: Series, whose: Places, withheld: Series | None
) -> Table:
    """In order of priority, as far as the bound goes; what is cut off is booked to `withheld`."""
    load = granted * weights
    before = np.cumsum(load, axis=1) - load
    kept = np.clip(bound[:, None] - before, 0.0, load)
    share = np.divide(kept, weights, out=granted.copy(), where=weights > 0)
    if withheld is not None:
        np.add.at(withheld, whose[0], granted[0] - share[0])
    return share


def _in_two(
    crowd: Crowd, t: int, left_wh: Table, most: Table, laxity_h: Table, room_wh: Series
) -> tuple[Table, Table]:
    """What each may be given in two helpings, and who goes first: the least key.

    Below a constraint that is short, all at once, by rank and departure. Else first the steady need
    that has it ready on time, then, once all have that, the rest; least laxity first.
    """
    hours = np.maximum(crowd.ahead_h[:, t], 1e-6)
    present = crowd.hours[:, t] > 0
    steady_w = np.where(present, np.minimum(left_wh / hours, crowd.power_w), 0.0)
    room_w = room_wh / max(float(crowd.slot_h[t]), 1e-9)
    late = (steady_w.sum(axis=1) > room_w * _ALMOST)[:, None] & (steady_w > 0)
    if len(crowd.weights):
        short = steady_w @ crowd.weights.T > crowd.limits_a[:, t] * _ALMOST
        late |= (short @ (crowd.weights > 0)) & (steady_w > 0)
    first = np.where(late, most, np.minimum(most, steady_w * crowd.hours[:, t]))
    key = np.where(late, _FIRST + crowd.order, laxity_h)
    parts = np.concatenate([first, most - first], axis=1)
    return parts, np.concatenate([key, key - _FIRST], axis=1)
