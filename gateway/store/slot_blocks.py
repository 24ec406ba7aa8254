"""Slots that are kept: `gateway.ports.accounts.SlotBlocks`, and what drops them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlmodel import Session

from contracts.time import Interval
from gateway.ports.accounts import Slots
from gateway.store.account_tables import SlotBlockRow, SlotWatchRow
from gateway.store.database import Database, insert_into, upsert
from gateway.store.instants import from_micros, micros
from gateway.store.tables import MeasurementRow, table

_B, _W, _M = table(SlotBlockRow).c, table(SlotWatchRow).c, table(MeasurementRow).c
_LATEST = select(func.max(_W.until_us))
_SECOND = timedelta(seconds=1)


class SqlSlotBlocks:
    """See `SlotBlocks`."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def within(
        self, site_id: str, point: str, window: Interval, step: timedelta
    ) -> Mapping[Interval, Slots]:
        """See the port."""
        query = (
            select(_B.start_us, _B.end_us, _B.sums)
            .where(*_series(site_id, point, step), *_inside(window))
            .order_by(_B.start_us, _B.end_us)
        )

        def work(session: Session) -> Mapping[Interval, Slots]:
            return {
                Interval(start=from_micros(start), end=from_micros(end)): _unpacked(sums)
                for start, end, sums in session.connection().execute(query)
            }

        return await self._read(work)

    async def watch(self, site_id: str, until: datetime) -> int:
        """See the port."""
        until_us = micros(until)
        new = {"site_id": site_id, "until_us": until_us, "changes": 0}

        def work(session: Session) -> int:
            connection = session.connection()
            insert = insert_into(session, SlotWatchRow).on_conflict_do_nothing()
            connection.execute(insert, [new])
            later = (_W.site_id == site_id, _W.until_us < until_us)
            connection.execute(update(table(SlotWatchRow)).where(*later).values(until_us=until_us))
            return _count(session, site_id)

        return await self._write(work)

    async def keep(
        self,
        site_id: str,
        point: str,
        step: timedelta,
        found: Mapping[Interval, Slots],
        count: int,
    ) -> bool:
        """See the port."""

        def work(session: Session) -> bool:
            if _count(session, site_id) != count:
                return False
            connection = session.connection()
            for window, slots in found.items():
                one = (*_series(site_id, point, step), *_inside(window))
                connection.execute(delete(table(SlotBlockRow)).where(*one))
                row = {
                    "site_id": site_id,
                    "point": point,
                    "step_s": step // _SECOND,
                    "start_us": micros(window.start),
                    "end_us": micros(window.end or window.start),
                    "sums": _packed(slots),
                }
                connection.execute(upsert(session, SlotBlockRow), [row])
            return True

        return await self._write(work)


def drop_changed(session: Session, values: Iterable[tuple[str, str, int]]) -> None:
    """In the transaction that writes values (`site_id, point, at_us`): drop what they change.

    A value changes what follows it, up to the next one. Live ones come after all that is watched:
    they cost one look at an index.
    """
    latest = session.connection().scalar(_LATEST)
    if latest is None:
        return
    spans: dict[str, dict[str, tuple[int, int]]] = {}
    for site_id, point, at in values:
        if at < latest:
            points = spans.setdefault(site_id, {})
            first, last = points.get(point, (at, at))
            points[point] = min(first, at), max(last, at)
    for site_id, points in spans.items():
        _drop(session, site_id, points)


def _drop(session: Session, site_id: str, points: Mapping[str, tuple[int, int]]) -> None:
    connection = session.connection()
    earliest = min(first for first, _ in points.values())
    watched = (_W.site_id == site_id, _W.until_us > earliest)
    counted = update(table(SlotWatchRow)).where(*watched).values(changes=_W.changes + 1)
    if not connection.execute(counted).rowcount:
        return
    for point, (first, last) in points.items():
        series = (_M.site_id == site_id, _M.point == point)
        behind = connection.scalar(select(func.min(_M.at_us)).where(*series, _M.at_us > last))
        touched = [_B.site_id == site_id, _B.point == point, _B.end_us > first]
        if behind is not None:
            touched.append(_B.start_us < behind)
        connection.execute(delete(table(SlotBlockRow)).where(*touched))


def _count(session: Session, site_id: str) -> int:
    query = select(_W.changes).where(_W.site_id == site_id)
    return int(session.connection().scalar(query) or 0)


def _series(site_id: str, point: str, step: timedelta) -> tuple[ColumnElement[bool], ...]:
    return _B.site_id == site_id, _B.point == point, _B.step_s == step // _SECOND


def _inside(window: Interval) -> tuple[ColumnElement[bool], ...]:
    return _B.start_us >= micros(window.start), _B.end_us <= micros(window.end or window.start)


def _packed(slots: Slots) -> bytes:
    whole = np.concatenate([slots.above_h, slots.below_h, slots.seconds])
    return zlib.compress(whole.astype("<f8").tobytes(), 1)


def _unpacked(sums: bytes) -> Slots:
    above, below, seconds = np.frombuffer(zlib.decompress(sums), "<f8").reshape(3, -1)
    return Slots(above_h=above, below_h=below, seconds=seconds)
