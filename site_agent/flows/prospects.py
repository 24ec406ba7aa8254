"""Vehicles' prospects for the gateway, sent when they change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from contracts.site_link.messages import VehicleReadiness
from site_agent.domain.readiness import Readiness
from site_agent.flows.rows import name, text

_LARGEST_WH = 1e7


class Prospects:
    """Remembers what was last said of each EVSE's vehicle."""

    def __init__(self) -> None:
        self._said: dict[str, tuple[object, ...]] = {}

    def changes(self, prospects: Iterable[Readiness], now: datetime) -> list[VehicleReadiness]:
        """Rows for vehicles that came, or whose departure or outlook is another than last said."""
        rows = [_row(prospect, now) for prospect in prospects]
        present = {row.evse_id for row in rows}
        self._said = {evse: said for evse, said in self._said.items() if evse in present}
        return [row for row in rows if self._said.get(row.evse_id) != _essence(row)]

    def sent(self, rows: Iterable[VehicleReadiness]) -> None:
        """These are in the outbox."""
        self._said |= {row.evse_id: _essence(row) for row in rows}


def _essence(row: VehicleReadiness) -> tuple[object, ...]:
    return row.vehicle_id, row.departure, row.on_track, row.required_wh > 0


def _row(prospect: Readiness, now: datetime) -> VehicleReadiness:
    need, soc = prospect.need, prospect.soc_pct
    return VehicleReadiness(
        at=now,
        vehicle_id=name(need.vehicle_id),
        evse_id=name(need.evse_id),
        soc_pct=None if soc is None else min(100.0, max(0.0, soc)),
        required_wh=min(_LARGEST_WH, need.required_wh),
        departure=need.departure,
        on_track=prospect.on_track,
        reason=text(prospect.reason),
    )
