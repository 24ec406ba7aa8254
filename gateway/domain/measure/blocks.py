"""Delivery over the stretches a program averages it over: intervals, hours, or the event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby

from gateway.domain.measure.rows import Row
from gateway.domain.program.performing import Absent, Mean, Negative, Performance

_HOUR_S = 3600
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Rows that are averaged together; over-delivery in one does not make up for another."""

    rows: tuple[Row, ...]

    @property
    def seconds(self) -> Decimal:
        """Time it covers."""
        return sum((row.seconds for row in self.rows), ZERO)

    @property
    def committed(self) -> Decimal:
        """Promised, kW s."""
        return sum((row.committed_kw * row.seconds for row in self.rows), ZERO)

    @property
    def delivered(self) -> Decimal:
        """Delivered, kW s; what is not measured counts as nothing."""
        return sum(((row.delivered_kw or ZERO) * row.seconds for row in self.rows), ZERO)

    @property
    def ratio(self) -> Decimal | None:
        """Delivered over promised; None where nothing was promised."""
        return self.delivered / self.committed if self.committed > 0 else None


def blocks(rows: Iterable[Row], rule: Performance) -> tuple[Block, ...]:
    """Rows in order of time, missing and negative ones treated by the rule, averaged by it.

    Hours are counted from the first row's start. `ALL_HOURS` weighs events, so inside one event it
    is the event.
    """
    kept = _negative(_missing(sorted(rows, key=lambda row: row.interval.start), rule), rule)
    if not kept:
        return ()
    if rule.mean is Mean.INTERVAL:
        return tuple(Block(rows=(row,)) for row in kept)
    if rule.mean is Mean.HOUR:
        first = kept[0].interval.start
        hours = groupby(
            kept, key=lambda row: (row.interval.start - first).total_seconds() // _HOUR_S
        )
        return tuple(Block(rows=tuple(group)) for _, group in hours)
    return (Block(rows=tuple(kept)),)


def _missing(rows: Sequence[Row], rule: Performance) -> list[Row]:
    known = [row for row in rows if row.delivered_kw is not None]
    if rule.missing is Absent.LEFT_OUT:
        return known
    instead = ZERO
    if rule.missing is Absent.ESTIMATE and known:
        whole = Block(rows=tuple(known))
        instead = whole.delivered / whole.seconds
    return [
        row if row.delivered_kw is not None else replace(row, delivered_kw=instead) for row in rows
    ]


def _negative(rows: list[Row], rule: Performance) -> list[Row]:
    if rule.negative is Negative.PER_INTERVAL:
        return [replace(row, delivered_kw=max(ZERO, row.delivered_kw or ZERO)) for row in rows]
    if rule.negative is Negative.PER_EVENT and Block(rows=tuple(rows)).delivered < 0:
        return [replace(row, delivered_kw=ZERO) for row in rows]
    return rows
