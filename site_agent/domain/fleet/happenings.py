"""What a fleet's systems want to hear: sessions as they run, and vehicles that will not be ready.

A pure comparison of two moments: what was told so far, and how it is now. Whoever stores both the
events and what `Told` becomes, in one transaction, loses none and tells none twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.fleet.readiness import Outlook, Readiness
from site_agent.domain.site import SiteSnapshot

Data = Mapping[str, object]
PROGRESS_EVERY = timedelta(minutes=15)
MOVED = timedelta(minutes=10)
"""An expected completion that moves by this much is told."""


class Kind(StrEnum):
    """What may happen."""

    STARTED = "session.started"
    PROGRESS = "session.progress"
    COMPLETION = "session.expected-completion"
    WILL_MISS = "vehicle.will-miss-departure"
    WILL_MAKE = "vehicle.will-make-departure"
    """Told only after the contrary."""
    COMPLETED = "session.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event. `data` is JSON; instants in it are aware."""

    kind: Kind
    subject: str
    """The vehicle; events of one are told in order."""
    at: datetime
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSession:
    """What was told of a session that runs."""

    subject: str
    """As of its events: the vehicle, or the EVSE of one that nobody knows."""
    vehicle_id: str
    transaction_id: str
    started_at: datetime
    progress_at: datetime
    """When its course was told last."""
    ready_at: datetime | None
    """The expected completion that was told last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told so far."""

    sessions: Mapping[str, RunningSession] = field(default_factory=dict)
    """By EVSE."""
    late: Mapping[str, datetime] = field(default_factory=dict)
    """Vehicles that were told to miss a departure, and which."""


def happenings(
    told: Told,
    snapshot: SiteSnapshot,
    prospects: Sequence[Readiness],
    progress_every: timedelta = PROGRESS_EVERY,
) -> tuple[list[Happening], Told]:
    """What has happened since, and what is then told."""
    here = {one.need.evse_id: one for one in prospects if one.here}
    needs = {need.evse_id: need for need in snapshot.needs}
    sessions: dict[str, RunningSession] = {}
    events: list[Happening] = []
    for charger in snapshot.chargers:
        evse_id = charger.spec.evse_id
        picture = _Picture(charger, needs.get(evse_id), here.get(evse_id), snapshot.at)
        running, found = _course(told.sessions.get(evse_id), picture, progress_every)
        events += found
        if running is not None:
            sessions[evse_id] = running
    departures, late = _departures(told.late, prospects, snapshot.at)
    return [*events, *departures], Told(sessions=sessions, late=late)


@dataclass(frozen=True, slots=True)
class _Picture:
    """One EVSE now."""

    charger: ChargerState
    need: VehicleNeed | None
    prospect: Readiness | None
    at: datetime

    @property
    def ready_at(self) -> datetime | None:
        return None if self.prospect is None else self.prospect.ready_at

    def data(self, session: RunningSession) -> dict[str, object]:
        need = self.need
        return {
            "vehicle_id": session.vehicle_id,
            "known": need.known if need is not None else None,
            "evse_id": self.charger.spec.evse_id,
            "transaction_id": session.transaction_id,
            "started_at": session.started_at,
            "soc_pct": self.charger.soc_pct.value,
            "energy_wh": self.charger.energy_wh.value,
            "power_w": self.charger.power_w.value,
            "required_wh": None if need is None else need.required_wh,
            "departure": None if need is None else need.departure,
            "expected_completion": self.ready_at,
            "outlook": None if self.prospect is None else self.prospect.outlook.value,
        }


def _course(
    before: RunningSession | None, now: _Picture, progress_every: timedelta
) -> tuple[RunningSession | None, list[Happening]]:
    """What becomes of the session at one EVSE. Of a charger that is offline nothing is known."""
    if not now.charger.online:
        return before, []
    number = now.charger.transaction_id
    events: list[Happening] = []
    if before is not None and _another(before, now):
        events.append(_event(Kind.COMPLETED, before, now))
        before = None
    if number is None or now.need is None:
        return before, events
    if before is None:
        need = now.need
        begun = RunningSession(
            subject=need.vehicle_id if need.known else f"evse {need.evse_id}",
            vehicle_id=need.vehicle_id,
            transaction_id=number,
            started_at=now.at,
            progress_at=now.at,
            ready_at=now.ready_at,
        )
        return begun, [*events, _event(Kind.STARTED, begun, now)]
    running = before
    if running.ready_at != now.ready_at and _moved(running.ready_at, now.ready_at):
        more: dict[str, object] = {"before": running.ready_at}
        running = replace(running, ready_at=now.ready_at)
        events.append(_event(Kind.COMPLETION, running, now, more))
    if now.at - running.progress_at >= progress_every:
        running = replace(running, progress_at=now.at)
        events.append(_event(Kind.PROGRESS, running, now))
    return running, events


def _another(before: RunningSession, now: _Picture) -> bool:
    """Whether it is over: no transaction, another one, or (a card was shown) another vehicle."""
    if now.charger.transaction_id != before.transaction_id:
        return True
    return now.need is not None and now.need.vehicle_id != before.vehicle_id


def _moved(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return True
    return abs(one - other) >= MOVED


def _event(
    kind: Kind, session: RunningSession, now: _Picture, more: Data | None = None
) -> Happening:
    data = {**now.data(session), **(more or {})}
    return Happening(kind=kind, subject=session.subject, at=now.at, data=data)


def _departures(
    late: Mapping[str, datetime], prospects: Iterable[Readiness], now: datetime
) -> tuple[list[Happening], dict[str, datetime]]:
    """Who has begun to miss its departure, and who no longer does; strangers do not count."""
    events: list[Happening] = []
    after: dict[str, datetime] = {}
    for one in _nearest(prospects):
        need, was = one.need, late.get(one.need.vehicle_id)
        missing = one.outlook is Outlook.WILL_MISS
        if missing:
            after[need.vehicle_id] = need.departure
        if missing and was != need.departure:
            events.append(_departure(Kind.WILL_MISS, one, now))
        elif not missing and was == need.departure:
            events.append(_departure(Kind.WILL_MAKE, one, now))
    return events, after


def _nearest(prospects: Iterable[Readiness]) -> Iterator[Readiness]:
    """Each known vehicle's next departure."""
    seen: set[str] = set()
    for one in sorted(prospects, key=lambda one: one.need.departure):
        if one.need.known and one.need.vehicle_id not in seen:
            seen.add(one.need.vehicle_id)
            yield one


def _departure(kind: Kind, one: Readiness, now: datetime) -> Happening:
    need = one.need
    data: dict[str, object] = {
        "vehicle_id": need.vehicle_id,
        "evse_id": need.evse_id or None,
        "here": one.here,
        "departure": need.departure,
        "soc_pct": one.soc_pct,
        "required_wh": need.required_wh,
        "missing_wh": one.missing_wh,
        "expected_completion": one.ready_at,
        "outlook": one.outlook.value,
        "reason": one.reason,
        "helps": one.helps,
    }
    return Happening(kind=kind, subject=need.vehicle_id, at=now, data=data)
