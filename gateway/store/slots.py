"""Telemetry by slots: `gateway.ports.accounts.SlotReader`, day after day so that memory is bounded.

A value holds until the next one, at most `max_hold`; its integral is exact at the slots' edges,
and the same however a window is cut into days (`slot_sums`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlmodel import Session

from contracts.time import Interval
from gateway.domain.accounts.grid import Numbers, slot_sums
from gateway.domain.metering.means import Piece, beside
from gateway.ports.accounts import Slots
from gateway.store.columns import read_columns
from gateway.store.database import Database
from gateway.store.instants import micros
from gateway.store.means import mean_pieces
from gateway.store.tables import MeasurementRow, table

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
        return Slots.joined(parts)

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
        span = micros(window.start), micros(window.end or window.start)
        slots = span[0], step // _MICRO, (window.duration or step) // step
        return await self._read(
            lambda session: _slots(
                *_steps(session, site_id, point, span, self._max_hold_us), slots=slots
            )
        )


def _steps(
    session: Session, site_id: str, point: str, span: tuple[int, int], max_hold_us: int
) -> tuple[_Micros, _Micros, Numbers]:
    """Begin, end and value of every usable value inside a span, cut at its ends."""
    here = (_M.site_id == site_id, _M.point == point, _M.at_us <= span[0])
    before = session.connection().scalar(select(func.max(_M.at_us)).where(*here))
    rows = read_columns(session, site_id, point, span[0] if before is None else before, span[1])
    hold = np.where(rows.hold_us < 0, max_hold_us, rows.hold_us)
    until = np.minimum(rows.at_us + hold, np.append(rows.at_us[1:], span[1]))
    since = np.maximum(rows.at_us, span[0])
    usable = ~np.isnan(rows.value) & (until > since)
    found = since[usable], until[usable], rows.value[usable]
    thinned = mean_pieces(session, site_id, point, *span)
    return _beside(found, thinned) if thinned else found


def _beside(
    found: tuple[_Micros, _Micros, Numbers], thinned: Sequence[Piece]
) -> tuple[_Micros, _Micros, Numbers]:
    """With the means of what was thinned, where nothing is known better."""
    begins, ends, numbers = (one.tolist() for one in found)
    known = [(*one, False) for one in zip(begins, ends, numbers, strict=True)]
    begin, end, value, _ = zip(*beside(known, thinned), strict=True)
    return np.array(begin, np.int64), np.array(end, np.int64), np.array(value, np.float64)


def _slots(begin: _Micros, end: _Micros, values: Numbers, *, slots: tuple[int, int, int]) -> Slots:
    def over(heights: Numbers) -> Numbers:
        return slot_sums(begin, end, heights, slots)

    return Slots(
        above_h=over(np.maximum(values, 0.0)) / _HOUR_US,
        below_h=over(np.minimum(values, 0.0)) / _HOUR_US,
        seconds=over(np.ones(len(values))) / _SECOND_US,
    )
