"""The live fleet: the settings' vehicles, with what the fleet's systems have told since.

What is told is stored before it counts, survives `kill -9`, and at once reaches whoever judges
cards, allocates power or plans.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TypeVar

import structlog

from contracts.errors import PermanentError
from contracts.time import as_utc
from site_agent.domain.fleet.agreed import FleetVehicle
from site_agent.domain.fleet.facts import Change, Fact, Facts, Json, Source, Values, told, values
from site_agent.domain.fleet.identity import Credential, Key, Roster
from site_agent.domain.fleet.known import (
    ConflictError,
    FleetBook,
    KnownVehicle,
    Settled,
    fleet_book,
)
from site_agent.flows.fleet.sessions import Fleet
from site_agent.ports import RosterStore

KeyType = TypeVar("KeyType")
ValueType = TypeVar("ValueType")
log = structlog.get_logger(__name__)


class StaleRevisionError(ConflictError):
    """The vehicle has changed since the teller has looked at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One vehicle as its data are now."""

    vehicle_id: str
    values: Values
    facts: Facts
    """Those that stand above the settings."""
    settled: bool
    """It is in the settings, so it cannot be removed here."""

    @property
    def revision(self) -> str:
        """Changes with every change of its data."""
        return hashlib.sha256(_text(self.facts, self.values).encode()).hexdigest()[:16]


class LiveRoster:
    """Everything known of the fleet; `vehicles` and `access` are live views.

    Call `load` first.
    """

    def __init__(self, settled: Settled, store: RosterStore) -> None:
        self._settled = settled
        self._store = store
        self._facts: dict[str, Facts] = {}
        self._known: dict[str, KnownVehicle] = {}
        self._vehicles: dict[str, FleetVehicle] = {}
        self._credentials: dict[Key, Credential] = {}
        self._bays: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._turn = asyncio.Lock()
        self.vehicles: Mapping[str, FleetVehicle] = MappingProxyType(self._vehicles)
        roster = Roster(
            credentials=MappingProxyType(self._credentials),
            drives=settled.access.roster.drives,
            bays=MappingProxyType(self._bays),
        )
        self.access = replace(settled.access, roster=roster)
        """Who is who, and who may charge."""
        self._take_up({})

    def fleet(self) -> Fleet:
        """For `Sessions`: call its `renew` on every change."""
        return Fleet(
            vehicles=self.vehicles, roster=self.access.roster, stranger=self._settled.stranger
        )

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have `listener` called after every change; it must be quick."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Take up what was told in earlier runs, as far as it fits today's settings."""
        facts = dict(_read_rows(await self._store.all()))
        try:
            self._take_up(facts)
        except PermanentError:
            log.warning("not everything told of the fleet fits the settings any more")
            self._take_up_fitting(facts)

    def _take_up_fitting(self, facts: Mapping[str, Facts]) -> None:
        kept: dict[str, Facts] = {}
        for name in sorted(facts):
            try:
                self._take_up({**kept, name: facts[name]})
                kept[name] = facts[name]
            except PermanentError as error:
                log.error("told data of a vehicle left out", vehicle=name, why=str(error))  # noqa: TRY400 (the settings, not us)
        self._take_up(kept)

    # --- looking ----------------------------------------------------------------------------------

    def entry(self, vehicle_id: str) -> Entry | None:
        """One vehicle's data, or None when there is no such vehicle."""
        if vehicle_id not in self._known:
            return None
        base = self._settled.base.get(vehicle_id, {})
        facts = self._facts.get(vehicle_id, {})
        return Entry(
            vehicle_id=vehicle_id,
            values=values(base, facts),
            facts=facts,
            settled=vehicle_id in self._settled.base,
        )

    def ids(self) -> list[str]:
        """Every vehicle, sorted."""
        return sorted(self._known)

    # --- changing ---------------------------------------------------------------------------------

    async def tell(
        self,
        changes: Sequence[Change],
        expected: Mapping[str, str] | None = None,
        *,
        dry_run: bool = False,
    ) -> frozenset[str]:
        """Take changes: all or none; stored when it returns. Whose data are other than before.

        `expected`: revisions that vehicles must still have ("": there must be no such vehicle).
        `dry_run`: only judge them.

        Raises:
            InvalidFactsError: a vehicle cannot be so.
            ConflictError: it contradicts what is known of others.
            StaleRevisionError: a revision is not the expected one.
            TransientError: it cannot be stored now.
        """
        async with self._turn:
            self._expect(expected or {})
            facts = dict(self._facts)
            for change in changes:
                base = self._settled.base.get(change.vehicle_id, {})
                facts[change.vehicle_id] = told(facts.get(change.vehicle_id, {}), change, base)
            touched = {change.vehicle_id for change in changes}
            moved = {n for n in touched if facts[n] != self._facts.get(n) or n not in self._known}
            if dry_run:
                self._judged(facts, moved)
            else:
                await self._change(facts, moved)
            return frozenset(moved)

    async def remove(self, vehicle_id: str, expected: str | None = None) -> bool:
        """Forget a vehicle; False when there is none.

        Raises:
            ConflictError: it is in the settings, or has changed (`StaleRevisionError`).
            TransientError: it cannot be stored now.
        """
        async with self._turn:
            if expected is not None:
                self._expect({vehicle_id: expected})
            if vehicle_id in self._settled.base:
                raise ConflictError(
                    f"vehicle {vehicle_id!r} is in the settings file; remove it there"
                )
            if vehicle_id not in self._facts:
                return False
            facts = {name: held for name, held in self._facts.items() if name != vehicle_id}
            await self._change(facts, {vehicle_id})
            return True

    def _expect(self, expected: Mapping[str, str]) -> None:
        for vehicle_id, revision in expected.items():
            found = self.entry(vehicle_id)
            if (found.revision if found else "") != revision:
                raise StaleRevisionError(f"vehicle {vehicle_id!r} has changed: read it again")

    async def _change(self, facts: Mapping[str, Facts], moved: Collection[str]) -> None:
        """Judge, store, then let it count."""
        if not moved:
            return
        known, book = self._judged(facts, moved)
        rows = {name: _text(facts[name]) if name in facts else None for name in moved}
        await self._store.put(rows)
        self._facts = dict(facts)
        self._known = known
        _replace(self._vehicles, book.vehicles)
        _replace(self._credentials, book.credentials)
        _replace(self._bays, book.bays)
        for listener in self._listeners:
            listener()

    def _judged(
        self, facts: Mapping[str, Facts], moved: Iterable[str]
    ) -> tuple[dict[str, KnownVehicle], FleetBook]:
        known = dict(self._known)
        for name in moved:
            if name in facts or name in self._settled.base:
                known[name] = self._read(name, facts.get(name, {}))
            else:
                known.pop(name, None)
        return known, fleet_book(known.values(), self._settled.access, self._settled.evses)

    def _read(self, vehicle_id: str, facts: Facts) -> KnownVehicle:
        base = self._settled.base.get(vehicle_id, {})
        return self._settled.read(vehicle_id, values(base, facts), facts)

    def _take_up(self, facts: Mapping[str, Facts]) -> None:
        self._known = {}
        known, book = self._judged(facts, {*self._settled.base, *facts})
        self._facts, self._known = dict(facts), known
        _replace(self._vehicles, book.vehicles)
        _replace(self._credentials, book.credentials)
        _replace(self._bays, book.bays)


def _replace(view: dict[KeyType, ValueType], content: Mapping[KeyType, ValueType]) -> None:
    """Give a live view its new content."""
    view.clear()
    view.update(content)


def _text(facts: Facts, held: Values | None = None) -> str:
    told_facts = {
        name: [fact.value, fact.source.value, fact.at.isoformat()] for name, fact in facts.items()
    }
    document: Json = told_facts if held is None else [told_facts, held]
    return json.dumps(document, sort_keys=True, default=str)


def _read_rows(rows: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Facts]]:
    """A row that cannot be read (of a newer release, say) does not keep the depot down."""
    for name, body in rows:
        try:
            yield name, _facts(body)
        except (ValueError, TypeError, AttributeError) as error:
            log.error("told data of a vehicle cannot be read", vehicle=name, why=str(error))  # noqa: TRY400 (a message says it all)


def _facts(body: str) -> Facts:
    return {
        name: Fact(value=value, source=Source(source), at=as_utc(datetime.fromisoformat(at)))
        for name, (value, source, at) in json.loads(body).items()
    }
