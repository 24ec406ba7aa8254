"""Charging sessions that are over, told to a gateway that takes them.

Each is told at least once, and again when what is known of it changes: a charger tells an end, or
samples of the past, late.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from contracts.errors import TransientError
from contracts.site_link.sessions import EndedSession
from contracts.time import Clock
from site_agent.domain.fleet.identity import Identity, Presented
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.session import ChargingSession
from site_agent.flows.report.rows import name, text
from site_agent.ports import KeyValues, Outbox, SessionStore

log = structlog.get_logger(__name__)

TOLD_KEY = "sessions/told"
EVERY = timedelta(minutes=1)
FAR, NEAR = timedelta(days=35), timedelta(days=1)
"""How far back is looked: far at the start and once an hour, for what chargers tell late."""
_FAR_ROUNDS = 60
_LARGEST_WH = 1e8
_MOST_VEHICLES = 10_000

Identify = Callable[[Presented, str], Identity]
"""`Fleet.identify`."""


class EndedSessions:
    """Looks every minute.

    What was told is remembered once it is in the outbox: a kill between the two tells it twice,
    which the gateway absorbs.
    """

    def __init__(
        self,
        *,
        store: SessionStore,
        outbox: Outbox,
        memory: KeyValues,
        needs: Callable[[], Sequence[VehicleNeed]],
        identify: Identify,
        taken: Callable[[], bool],
        clock: Clock,
    ) -> None:
        """`needs`: of the vehicles that are plugged in now."""
        self._store = store
        self._outbox = outbox
        self._memory = memory
        self._needs = needs
        self._identify = identify
        self._taken = taken
        self._clock = clock
        self._told: dict[str, str] | None = None
        """By session, what was told of it, as a digest."""
        self._vehicles: dict[int, str] = {}
        """Of sessions that run or were seen to run."""
        self._rounds = 0

    async def run(self) -> None:
        """Look until cancelled; while the disk fails nothing is forgotten."""
        while True:
            try:
                await self.look()
            except TransientError as error:
                log.error("ended sessions not stored yet", why=str(error))  # noqa: TRY400 (the disk, not us)
            await self._clock.sleep(EVERY.total_seconds())

    async def look(self) -> None:
        """Note who charges, and tell what is over and not told as it is."""
        now, taken = self._clock.now(), self._taken()
        back = FAR if taken and self._rounds % _FAR_ROUNDS == 0 else NEAR
        found = await self._store.sessions(now - back, now + NEAR)
        self._note_vehicles(found)
        if not taken:
            return
        if self._told is None:
            self._told = _read(await self._memory.get(TOLD_KEY))
        rows = {one.transaction_id: self._row(one, now) for one in found if one.ended_at}
        news = {
            str(number): row
            for number, row in rows.items()
            if row is not None and self._told.get(str(number)) != _digest(row)
        }
        if news:
            await self._outbox.append(list(news.values()))
            self._told |= {number: _digest(row) for number, row in news.items()}
        kept = self._told if back is NEAR else _only(self._told, rows)
        if news or kept != self._told:
            self._told = kept
            await self._memory.put(TOLD_KEY, json.dumps(kept))
        self._rounds += 1

    def _note_vehicles(self, found: Sequence[ChargingSession]) -> None:
        here = {need.evse_id: need.vehicle_id for need in self._needs() if need.known}
        for one in found:
            if one.ended_at is None and one.evse_id in here:
                self._vehicles.pop(one.transaction_id, None)
                self._vehicles[one.transaction_id] = here[one.evse_id]
        while len(self._vehicles) > _MOST_VEHICLES:
            self._vehicles.pop(next(iter(self._vehicles)))

    def _row(self, one: ChargingSession, now: datetime) -> EndedSession | None:
        """None: its end lies before its start, by a charger's wrong clock."""
        if one.ended_at is None or one.ended_at < one.started_at:
            return None
        vehicle = self._vehicles.get(one.transaction_id)
        if vehicle is None and one.id_tag is not None:
            vehicle = self._identify(Presented(token=one.id_tag), one.evse_id).vehicle
        energy_wh = one.energy.energy_wh
        return EndedSession(
            at=now,
            session_id=name(f"{self._outbox.epoch}-{one.transaction_id}"),
            evse_id=name(one.evse_id),
            vehicle_id="" if vehicle is None else name(vehicle),
            started_at=one.started_at,
            ended_at=one.ended_at,
            energy_wh=None if energy_wh is None else min(_LARGEST_WH, max(0.0, energy_wh)),
            quality=one.energy.quality,
            remarks=text("; ".join(one.energy.remarks)),
            reason=text(one.reason or ""),
        )


def _digest(row: EndedSession) -> str:
    """Of what counts: a vehicle that is forgotten after a restart is no news."""
    said = (row.started_at, row.ended_at, row.energy_wh, row.quality, row.remarks, row.reason)
    return hashlib.blake2b(repr(said).encode(), digest_size=6).hexdigest()


def _only(told: Mapping[str, str], rows: Mapping[int, object]) -> dict[str, str]:
    """Without sessions that are too old to be looked at again."""
    return {number: digest for number, digest in told.items() if int(number) in rows}


def _read(kept: str | None) -> dict[str, str]:
    """Of a note that cannot be read nothing is known: all is told again."""
    try:
        found = json.loads(kept or "{}")
    except ValueError:
        found = {}
    if not isinstance(found, dict):
        return {}
    return {str(number): str(digest) for number, digest in found.items() if str(number).isdigit()}
