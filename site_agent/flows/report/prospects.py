"""Vehicles' prospects: judged at every sample, held against flicker, told when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from contracts.site_link.messages import VehicleReadiness
from site_agent.domain.fleet.readiness import Outlook, Readiness, readiness
from site_agent.domain.flexibility.ahead import Ahead, steady_ahead
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.report.rows import name, text

STEADY = timedelta(seconds=20)
"""A new outlook is told when it has lasted: while limits move, it flickers."""
BETTER = timedelta(seconds=60)
"""An outlook is taken to be better only once it has been for so long; to be worse, at once."""
MOVED = timedelta(minutes=15)
"""An expected end that moves by more than this is told."""
_LARGEST_WH = 1e7
_LARGEST_S = 1e7
_WORSE = {Outlook.READY: 0, Outlook.ON_TRACK: 1, Outlook.AT_RISK: 2, Outlook.WILL_MISS: 3}
Look = Callable[[Cycle], Ahead]
"""What is expected of the hours ahead at one cycle."""


def standstill(cycle: Cycle) -> Ahead:
    """Everything goes on as now: for a site without forecasts."""
    decision = cycle.decision
    return steady_ahead(cycle.snapshot, decision.building_w, lambda _: decision.envelope)


class Prospects:
    """Remembers how it looked for each vehicle, since when, and what was last said of it."""

    def __init__(self, look: Look = standstill) -> None:
        self._look = look
        self._said: dict[str, VehicleReadiness] = {}
        self._differs: dict[str, datetime] = {}
        self._held: dict[str, Readiness] = {}
        self._better: dict[str, datetime] = {}
        self.latest: tuple[Readiness, ...] = ()
        """What was judged last."""

    def judge(self, cycle: Cycle) -> tuple[Readiness, ...]:
        """How it looks for every vehicle, plugged in or expected."""
        found = readiness(cycle.snapshot, self._look(cycle))
        now = cycle.snapshot.at
        judged = tuple(self._steadied(one, now) for one in found)
        self._held = {_key(one): one for one in judged}
        self._better = {key: at for key, at in self._better.items() if key in self._held}
        self.latest = judged
        return judged

    def _steadied(self, one: Readiness, now: datetime) -> Readiness:
        """What is worse counts at once; what is better once it has lasted."""
        key = _key(one)
        held = self._held.get(key)
        if held is None or held.need.departure != one.need.departure:
            self._better.pop(key, None)
            return replace(one, since=now)
        if held.outlook is one.outlook:
            self._better.pop(key, None)
            return replace(one, since=held.since)
        if _WORSE[one.outlook] > _WORSE[held.outlook] or one.outlook is Outlook.READY:
            self._better.pop(key, None)
            return replace(one, since=now)
        if now - self._better.setdefault(key, now) < BETTER:
            return replace(held, need=one.need, soc_pct=one.soc_pct)
        self._better.pop(key)
        return replace(one, since=now)

    def changes(self, prospects: Iterable[Readiness], now: datetime) -> list[VehicleReadiness]:
        """Rows for vehicles that came, and for those whose outlook has changed for a while."""
        rows = {_key(prospect): _row(prospect, now) for prospect in prospects}
        changed = {key for key, row in rows.items() if _news(self._said.get(key), row)}
        self._said = {key: said for key, said in self._said.items() if key in rows}
        self._differs = {key: self._differs.get(key, now) for key in changed}
        return [row for key, row in rows.items() if key in changed and self._due(key, row, now)]

    def sent(self, rows: Iterable[VehicleReadiness]) -> None:
        """These are in the outbox."""
        self._said |= {_row_key(row): row for row in rows}

    def _due(self, key: str, row: VehicleReadiness, now: datetime) -> bool:
        said = self._said.get(key)
        another = said is None or said.vehicle_id != row.vehicle_id
        return another or now - self._differs[key] >= STEADY


def _key(one: Readiness) -> str:
    """An EVSE's vehicle, or one that is expected."""
    return name(one.need.evse_id) if one.here else f"~{name(one.need.vehicle_id)}"


def _row_key(row: VehicleReadiness) -> str:
    return row.evse_id if row.here else f"~{row.vehicle_id}"


def _news(said: VehicleReadiness | None, row: VehicleReadiness) -> bool:
    if said is None:
        return True
    same = _essence(said) == _essence(row)
    return not same or _apart(said.ready_at, row.ready_at) > MOVED


def _essence(row: VehicleReadiness) -> tuple[str, datetime, str, bool]:
    return row.vehicle_id, row.departure, row.outlook, row.required_wh > 0


def _apart(one: datetime | None, other: datetime | None) -> timedelta:
    if one is None or other is None:
        return timedelta(0) if one is other else timedelta.max
    return abs(one - other)


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
        outlook=prospect.outlook.value,
        since=prospect.since,
        ready_at=prospect.ready_at,
        missing_wh=min(_LARGEST_WH, prospect.missing_wh),
        late_by_s=min(_LARGEST_S, prospect.late_by.total_seconds()),
        helps=text(prospect.helps),
        here=prospect.here,
    )
