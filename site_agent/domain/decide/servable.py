"""Whether a set of stays can all be served in full: a quick fluid forecast of sharing.

Stays are played forward from one arrival, departure or change of capacity to the next. Inside such
an interval each gets at most its power, and first what it must have to finish even at full power
from then on; the rest raises a common laxity (least laxity first, as `allocate` shares). A set
that this completes can be completed. One that it does not may rarely be possible by other means:
then a vehicle is given up too many, never one too few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_TINY = 1e-9
_DONE_WH = 1.0
"""This little missing is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stays:
    """Stays in hours from now, one entry each."""

    arrives_h: Array
    departs_h: Array
    required_wh: Array
    power_w: Array
    """Most each can take, > 0."""

    def only(self, members: NDArray[np.intp]) -> Stays:
        """These of them."""
        return Stays(
            arrives_h=self.arrives_h[members],
            departs_h=self.departs_h[members],
            required_wh=self.required_wh[members],
            power_w=self.power_w[members],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Σ weight x power of the stays below a bottleneck, over the hours to come."""

    starts_h: Array
    """Where each piece begins, ascending; the last one has no end."""
    values: Array
    """By bottleneck and piece, >= 0."""
    weights: Array
    """By bottleneck and stay, units of the capacity per W."""

    def only(self, members: NDArray[np.intp]) -> Capacity:
        """For these stays."""
        return Capacity(
            starts_h=self.starts_h, values=self.values, weights=self.weights[:, members]
        )


def servable(stays: Stays, capacity: Capacity, reserve_share: float = 0.0) -> bool:
    """Whether all stays leave with what they require when this share of every capacity is kept."""
    missing = stays.required_wh.astype(np.float64, copy=True)
    edges = _edges(stays, capacity)
    piece = np.searchsorted(capacity.starts_h, edges[:-1] + _TINY, side="right") - 1
    if _beyond(stays, capacity, edges, piece, 1.0 - reserve_share):
        return False
    for start, end, now in zip(edges[:-1], edges[1:], np.maximum(piece, 0), strict=True):
        here = np.flatnonzero(
            (stays.arrives_h <= start + _TINY)
            & (stays.departs_h >= end - _TINY)
            & (missing > _TINY)
        )
        if here.size:
            able_wh = capacity.values[:, now] * (1.0 - reserve_share) * (end - start)
            given = _shared(stays, missing, here, end, end - start, capacity.weights, able_wh)
            if given is None:
                return False
            missing[here] -= given
        if (missing[stays.departs_h <= end + _TINY] > _DONE_WH).any():
            return False
    return not (missing > _DONE_WH).any()


def _beyond(
    stays: Stays, capacity: Capacity, edges: Array, piece: NDArray[np.intp], share: float
) -> bool:
    """Whether those who leave by some edge require more than can flow until then: a quick no."""
    flow = capacity.values[:, np.maximum(piece, 0)] * np.diff(edges) * share
    able = np.concatenate([np.zeros((len(flow), 1)), np.cumsum(flow, axis=1)], axis=1)
    order = np.argsort(stays.departs_h)
    required = np.cumsum(capacity.weights[:, order] * stays.required_wh[order], axis=1)
    until = np.searchsorted(edges, stays.departs_h[order] - _TINY)
    done = _DONE_WH * capacity.weights.sum(axis=1, keepdims=True)
    return bool(np.any(required > able[:, np.minimum(until, len(edges) - 1)] * (1 + 1e-9) + done))


def _edges(stays: Stays, capacity: Capacity) -> Array:
    known = np.concatenate([stays.arrives_h, stays.departs_h, capacity.starts_h])
    last = float(stays.departs_h.max(initial=0.0))
    inside: Array = np.unique(np.concatenate([[0.0], known[(known > 0) & (known <= last)]]))
    return inside


def _shared(
    stays: Stays,
    missing: Array,
    here: NDArray[np.intp],
    end: float,
    hours: float,
    weights: Array,
    able_wh: Array,
) -> Array | None:
    """What each of those here gets in an interval, Wh; None: some cannot have what they must."""
    power = stays.power_w[here]
    most = np.minimum(missing[here], power * hours)
    loads = weights[:, here]
    if np.all(loads @ most <= able_wh + _TINY):
        return most
    spare_h = stays.departs_h[here] - end - missing[here] / power
    given: Array = np.minimum(np.maximum(-spare_h * power, 0.0), most)
    if np.any(loads @ given > able_wh * (1 + 1e-9) + _TINY):
        return None
    rising = np.ones(here.size, dtype=bool)
    while rising.any():
        level, full = _level(power, spare_h, given, most, rising, loads, able_wh)
        raised = np.minimum(np.maximum(power * (level - spare_h), given), most)
        given = np.where(rising, raised, given)
        if full is None:
            break
        rising &= loads[full] <= 0
    return given


def _level(
    power: Array,
    spare_h: Array,
    given: Array,
    most: Array,
    rising: NDArray[np.bool_],
    loads: Array,
    able_wh: Array,
) -> tuple[float, int | None]:
    """The laxity all that rise can be raised to, h, and the bottleneck that stops them."""
    starts, stops = spare_h + given / power, spare_h + most / power
    lowest, full = float(stops[rising].max()), None
    for number, load in enumerate(loads):
        slopes = np.where(rising, load * power, 0.0)
        if not slopes.any() or load @ np.where(rising, most, given) <= able_wh[number] + _TINY:
            continue
        reached = _crossing(starts, stops, slopes, float(able_wh[number] - load @ given))
        if reached < lowest or full is None:
            lowest, full = min(reached, lowest), number
    return lowest, full


def _crossing(starts: Array, stops: Array, slopes: Array, room: float) -> float:
    """Where a sum of ramps (from `starts` to `stops`, each of its slope) has used up the room."""
    at = np.concatenate([starts, stops])
    order = at.argsort()
    at, slope = at[order], np.concatenate([slopes, -slopes])[order].cumsum()
    used = np.zeros_like(at)
    np.cumsum(slope[:-1] * (at[1:] - at[:-1]), out=used[1:])
    last = int(used.searchsorted(max(0.0, room), side="right")) - 1
    if slope[last] <= 0:
        return float(at[last])
    return float(at[last] + (room - used[last]) / slope[last])


def stays_of(rows: Sequence[tuple[float, float, float, float]]) -> Stays:
    """From (arrives h, departs h, Wh, W)."""
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Stays(
        arrives_h=table[:, 0], departs_h=table[:, 1], required_wh=table[:, 2], power_w=table[:, 3]
    )
