"""Telemetry by slots: `gateway.ports.accounts.SlotReader`, day after day so that memory is bounded.

A value holds until the next one, at most `max_hold`; its integral is exact at the slots' edges.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlmodel import Session

from contracts.reading import Quality
from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers, integrals
from gateway.domain.metering.means import Piece, beside
from gateway.ports.accounts import Slots
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.means import mean_pieces, value_pieces, value_rows
from gateway.store.tables import MeasurementRow, table

_USABLE = frozenset({Quality.GOOD.value, Quality.ESTIMATED.value})
_M = table(MeasurementRow).c
_CHUNK = timedelta(days=1)
_MICRO = timedelta(microseconds=1)
_SECOND_US, _HOUR_US = 1e6, 3.6e9
_Micros = NDArray[np.int64]


class SqlSlots:
    """One chunk of slots a transaction, so that whoever writes never waits long."""

    def __init__(self, database: Database, *, max_hold: timedelta) -> None:
        self._read = database.read
        self._max_hold_us = max_hold // _MICRO

    async def slots(self, site_id: str, point: str, window: Interval, step: timedelta) -> Slots:
        """A point over the slots of a closed window.

        Raises:
            ValueError: the window is open, or no whole number of slots.
        """
        if window.duration is None or window.duration % step:
            raise ValueError("slots need a closed window of a whole number of steps")
        chunk = max(step, _CHUNK - _CHUNK % step)
        parts = [await self._chunk(site_id, point, piece, step) for piece in window.split(chunk)]
        return Slots(
            above_h=_joined([one.above_h for one in parts]),
            below_h=_joined([one.below_h for one in parts]),
            seconds=_joined([one.seconds for one in parts]),
        )

    async def points(self, site_id: str) -> Sequence[str]:
        """Every point that a site has ever told, by one index seek each."""

        def work(session: Session) -> Sequence[str]:
            found: list[str] = []
            following = select(func.min(_M.point)).where(_M.site_id == site_id)
            while True:
                last = found[-1] if found else ""
                name = session.connection().scalar(following.where(_M.point > last))
                if name is None:
                    return found
                found.append(name)

        return await self._read(work)

    async def _chunk(self, site_id: str, point: str, window: Interval, step: timedelta) -> Slots:
        start, end = micros(window.start), micros(window.end or window.start)
        edges = np.arange(start, end + 1, step // _MICRO, dtype=np.int64)
        return await self._read(
            lambda session: _slots(
                *_steps(session, site_id, point, (start, end), self._max_hold_us), edges
            )
        )


def _steps(
    session: Session, site_id: str, point: str, span: tuple[int, int], max_hold_us: int
) -> tuple[_Micros, _Micros, Numbers]:
    """Begin, end and value of every usable value inside a span, and of the one before it."""
    rows = value_rows(session, site_id, point, *span)
    if not rows or rows[0][0] > span[0]:  # nothing was in force: it may have been thinned
        thinned = mean_pieces(session, site_id, point, *span)
        if thinned:
            return _arrays(beside(value_pieces(rows, max_hold_us, *span), thinned))
    if not rows:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    instants, numbers, qualities, holds = zip(*rows, strict=True)  # columns
    at, values = np.array(instants, np.int64), np.array(numbers, np.float64)  # None: NaN
    hold = np.full(len(at), max_hold_us)
    if any(one is not None for one in holds):
        hold = np.array([max_hold_us if one is None else one for one in holds], np.int64)
    usable = ~np.isnan(values)
    if not _USABLE.issuperset(qualities):
        usable &= np.array([one in _USABLE for one in qualities])
    until = np.minimum(at + hold, np.append(at[1:], span[1]))
    return at[usable], until[usable], values[usable]


def _arrays(pieces: Sequence[Piece]) -> tuple[_Micros, _Micros, Numbers]:
    begin, end, value, _ = zip(*pieces, strict=True)
    return np.array(begin, np.int64), np.array(end, np.int64), np.array(value, np.float64)


def _slots(begin: _Micros, end: _Micros, values: Numbers, edges: _Micros) -> Slots:
    def over(heights: Numbers) -> Numbers:
        return integrals(begin, end, heights, edges)

    return Slots(
        above_h=over(np.maximum(values, 0.0)) / _HOUR_US,
        below_h=over(np.minimum(values, 0.0)) / _HOUR_US,
        seconds=over(np.ones(len(values))) / _SECOND_US,
    )


def _joined(parts: Sequence[Numbers]) -> Numbers:
    return np.concatenate(parts) if parts else np.zeros(0)
