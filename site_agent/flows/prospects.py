"""Vehicles' prospects for the gateway, sent when they change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from contracts.site_link.messages import VehicleReadiness
from site_agent.domain.fleet.readiness import Readiness
from site_agent.flows.rows import name, text

STEADY = timedelta(seconds=20)
"""A new outlook is told when it has lasted: while limits move, it flickers."""
_LARGEST_WH = 1e7
_Essence = tuple[str, datetime, bool, bool]


class Prospects:
    """Remembers what was last said of each EVSE's vehicle."""

    def __init__(self) -> None:
        self._said: dict[str, _Essence] = {}
        self._differs: dict[str, datetime] = {}

    def changes(self, prospects: Iterable[Readiness], now: datetime) -> list[VehicleReadiness]:
        """Rows for vehicles that came, and for those whose outlook has changed for a while."""
        rows = [_row(prospect, now) for prospect in prospects]
        changed = {row.evse_id for row in rows if self._said.get(row.evse_id) != _essence(row)}
        present = {row.evse_id for row in rows}
        self._said = {evse: said for evse, said in self._said.items() if evse in present}
        self._differs = {evse: self._differs.get(evse, now) for evse in changed}
        return [row for row in rows if row.evse_id in changed and self._due(row, now)]

    def sent(self, rows: Iterable[VehicleReadiness]) -> None:
        """These are in the outbox."""
        self._said |= {row.evse_id: _essence(row) for row in rows}

    def _due(self, row: VehicleReadiness, now: datetime) -> bool:
        said = self._said.get(row.evse_id)
        another = said is None or said[0] != row.vehicle_id
        return another or now - self._differs[row.evse_id] >= STEADY


def _essence(row: VehicleReadiness) -> _Essence:
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
