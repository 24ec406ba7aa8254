"""Slots of what is over are read once and kept: a depot's month is tens of millions of rows.

What is kept is what was read, to the last bit, and is dropped in the transaction in which a value
comes in that changes it (`gateway.ports.accounts.SlotBlocks`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from contracts.time import Clock, Interval
from gateway.domain.accounts.blocks import HOUR, Piece, pieces
from gateway.domain.portfolio import Portfolio
from gateway.ports.accounts import SlotBlocks, SlotReader, Slots

_LATE = timedelta(minutes=2)
"""What is over so long has most often arrived; what has not is read again when it comes."""
_Kept = Mapping[Interval, Slots]


class KeptSlots:
    """A `SlotReader` of the portfolio's sites, on the wall clock of each."""

    def __init__(
        self, reader: SlotReader, blocks: SlotBlocks, portfolio: Portfolio, clock: Clock
    ) -> None:
        self._reader = reader
        self._blocks = blocks
        self._portfolio = portfolio
        self._clock = clock

    async def points(self, site_id: str) -> Sequence[str]:
        """See the port."""
        return await self._reader.points(site_id)

    async def slots(self, site_id: str, point: str, window: Interval, step: timedelta) -> Slots:
        """See the port."""
        site = self._portfolio.site(site_id)
        if site is None or window.duration is None or HOUR % step or window.duration % step:
            return await self._reader.slots(site_id, point, window, step)
        wanted = list(pieces(window, site.time_zone, self._clock.now() - _LATE))
        series = _Series(self._reader, site_id, point, step)
        kept = await self._blocks.within(site_id, point, window, step)
        missing = [one.window for one in wanted if one.block and one.window not in kept]
        if not missing:
            return Slots.joined([await series.over(one, kept) for one in wanted])
        # Counted before it is read: what comes in meanwhile is noticed when it is to be kept.
        count = await self._blocks.watch(site_id, missing[-1].end or window.start)
        kept = await self._blocks.within(site_id, point, window, step)
        found = {one.window: await series.over(one, kept) for one in wanted}
        new = {one: found[one] for one in missing}
        await self._blocks.keep(site_id, point, step, new, count)
        return Slots.joined(list(found.values()))


class _Series:
    """One point of one site."""

    def __init__(self, reader: SlotReader, site_id: str, point: str, step: timedelta) -> None:
        self._reader = reader
        self._site_id = site_id
        self._point = point
        self._step = step

    async def over(self, piece: Piece, kept: _Kept) -> Slots:
        """A piece, of what is kept as far as that goes."""
        return Slots.joined(
            [
                kept[part] if part in kept else await self._read(part)
                for part in _parts(piece.window, kept)
            ]
        )

    async def _read(self, part: Interval) -> Slots:
        return await self._reader.slots(self._site_id, self._point, part, self._step)


def _parts(window: Interval, kept: _Kept) -> Iterator[Interval]:
    """A window cut where something is kept."""
    if window in kept:
        yield window
        return
    at, end = window.start, window.end or window.start
    for one in sorted(kept, key=lambda each: each.start):
        until = one.end or end
        if at <= one.start and until <= end:
            if at < one.start:
                yield Interval(start=at, end=one.start)
            yield one
            at = until
    if at < end:
        yield Interval(start=at, end=end)
