"""Asks a provider steadily, and tells the fleet what is new; its failures never stop charging."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from contracts.backoff import Backoff
from contracts.errors import GridyardError, PermanentError, TransientError
from contracts.tasks import heed_cancellation
from contracts.time import Clock
from site_agent.domain.fleet.facts import Change, Source
from site_agent.domain.fleet.identity import Kind, normal
from site_agent.fleet.telematics.seen import (
    Page,
    Provider,
    RateLimitedError,
    RouteSeen,
    SocSeen,
    Who,
)
from site_agent.fleet.trips import over, trips_of
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.ports import KeyValues

ROUTES_AHEAD = timedelta(hours=48)
ROUTES_BACK = timedelta(hours=24)
_FIRST_S, _MOST_S = 5.0, 900.0
_MOST_PAGES = 50
"""In one round; a feed that never ends is gone on with in the next."""
_AHEAD = timedelta(minutes=5)
"""A clock that is so much ahead of ours is still believed; what is later is not."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often to ask, s."""

    states_s: float
    routes_s: float | None
    """None: not at all."""


class Poller:
    """One provider and the vehicles it knows."""

    def __init__(
        self,
        source: Source,
        provider: Provider,
        roster: LiveRoster,
        memory: KeyValues,
        clock: Clock,
        rhythm: Rhythm,
        names: Mapping[str, str],
        chance: Callable[[], float] | None = None,
    ) -> None:
        """`names`: the provider's ids or names, and our vehicle ids, where they differ."""
        self._source = source
        self._provider = provider
        self._roster = roster
        self._memory = memory
        self._clock = clock
        self._rhythm = rhythm
        self._names = names
        self._backoff = Backoff(_FIRST_S, _MOST_S, *([] if chance is None else [chance]))
        self._routes_at_s: float | None = None
        self._strange: set[str] = set()
        self.healthy: bool | None = None
        """Whether the last round succeeded; None: there was none yet."""
        self.failure: str = ""
        """Why it did not; empty: it did."""

    async def run(self, note: Callable[[str], None]) -> None:
        """Ask until cancelled; `note` is told after every round why it failed ("": it did not)."""
        while True:
            wait_s = await self.turn()
            note(self.failure)
            heed_cancellation()
            await self._clock.sleep(wait_s)

    async def turn(self) -> float:
        """One round, and how long to wait for the next, s."""
        try:
            await self._round()
        except RateLimitedError as error:
            return self._failed(error, error.wait_s)
        except PermanentError as error:  # credentials may be replaced meanwhile
            return self._failed(error, _MOST_S)
        except GridyardError as error:
            return self._failed(error, self._backoff.next_s())
        if self.healthy is False:
            _log.info("telematics answer again", source=self._source.value)
        self.healthy, self.failure = True, ""
        self._backoff.reset()
        return self._rhythm.states_s

    def _failed(self, error: GridyardError, wait_s: float) -> float:
        self.healthy, self.failure = False, str(error)
        _log.warning(
            "telematics not heard",
            source=self._source.value,
            why=str(error),
            again_in_s=round(wait_s),
        )
        return wait_s

    async def _round(self) -> None:
        key = f"fleet/{self._source.value}/cursor"
        cursor = await self._memory.get(key)
        for _ in range(_MOST_PAGES):
            page = await self._provider.states(cursor or None)
            await self._tell(self._changes(page))
            if page.cursor and page.cursor != cursor:
                await self._memory.put(key, page.cursor)  # what was told is stored before
                cursor = page.cursor
            elif page.more:
                break  # it does not go on
            if not page.more:
                break
        now_s = self._clock.monotonic()
        every_s = self._rhythm.routes_s
        if every_s is not None and (
            self._routes_at_s is None or now_s - self._routes_at_s >= every_s
        ):
            await self._routes()
            self._routes_at_s = now_s

    def _changes(self, page: Page) -> list[Change]:
        now = self._clock.now()
        newest: dict[str, SocSeen] = {}
        for one in page.states:
            vehicle = self._vehicle(one.who)
            late = vehicle in newest and newest[vehicle].at >= one.at
            if vehicle is not None and not late and one.at <= now + _AHEAD:
                newest[vehicle] = one
        if page.skipped:
            _log.info("telematics records left out", source=self._source.value, count=page.skipped)
        return [
            Change(
                vehicle_id=vehicle,
                values={"soc_pct": round(one.pct, 3)},
                source=self._source,
                at=now,
                measured_at=min(one.at, now),
            )
            for vehicle, one in newest.items()
        ]

    async def _routes(self) -> None:
        """Trips of this provider are replaced by those it plans now; others stay."""
        now = self._clock.now()
        found = await self._provider.routes(now - ROUTES_BACK, now + ROUTES_AHEAD)
        planned: dict[str, list[dict[str, Any]]] = {}
        for one in found:
            vehicle = self._vehicle(one.who)
            if vehicle is not None:
                planned.setdefault(vehicle, []).append(self._trip(one))
        changes = []
        for vehicle in self._roster.ids():
            held = trips_of(self._roster.entry(vehicle))
            kept = [one for one in held if not self._mine(one) and not over(one, now)]
            after = [*kept, *planned.get(vehicle, [])]
            if after != held:
                changes.append(
                    Change(
                        vehicle_id=vehicle,
                        values={"trips": after or None},
                        source=self._source,
                        at=now,
                    )
                )
        await self._tell(changes)

    def _trip(self, one: RouteSeen) -> dict[str, Any]:
        returns = {} if one.returns is None else {"returns": one.returns.isoformat()}
        name = f"{self._source.value}:{one.route_id}"[:60]
        return {"trip_id": name, "departs": one.departs.isoformat(), **returns}

    def _mine(self, trip: Mapping[str, Any]) -> bool:
        return str(trip["trip_id"]).startswith(f"{self._source.value}:")

    async def _tell(self, changes: Sequence[Change]) -> None:
        """One vehicle whose data do not fit must not keep the others' back."""
        if not changes:
            return
        try:
            await self._roster.tell(changes)
        except TransientError:
            raise
        except PermanentError:
            await self._tell_singly(changes)

    async def _tell_singly(self, changes: Iterable[Change]) -> None:
        for change in changes:
            try:
                await self._roster.tell([change])
            except PermanentError as error:
                _log.warning("telematics data left out", source=self._source.value, why=str(error))

    def _vehicle(self, who: Who) -> str | None:
        """Ours: by the settings' names, by VIN, or by the same name."""
        for told in (who.external_id, who.name):
            if told and told in self._names:
                return self._names[told]
        found = None
        if who.vin:
            credential = self._roster.access.roster.credentials.get(
                (Kind.VIN, normal(Kind.VIN, who.vin))
            )
            found = None if credential is None else credential.vehicle
        if found is None and who.name in self._roster.vehicles:
            found = who.name
        if found is None and who.external_id not in self._strange:
            self._strange.add(who.external_id)
            _log.info(
                "telematics vehicle is none of ours", source=self._source.value, name=who.name
            )
        return found
