"""One station's proxy: made of its parts, and the station's way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from contracts.tasks import first_of
from contracts.time import Clock
from site_agent.devices.ocpp.evse import refusal
from site_agent.devices.ocpp.evse.charger import OcppCharger
from site_agent.devices.ocpp.known.desk import CertificateDesk
from site_agent.devices.ocpp.proxy.downward import Downward
from site_agent.devices.ocpp.proxy.ledger import Ledger
from site_agent.devices.ocpp.proxy.link import CloudLink
from site_agent.devices.ocpp.proxy.profile_book import ProfileBook
from site_agent.devices.ocpp.proxy.settings import CloudConfig
from site_agent.devices.ocpp.proxy.upward import Local, Parts, Upward
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.versions.dialect import Dialect
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request
from site_agent.devices.ocpp.wire.session import Session
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.ports import CloudQueue, KeyValues, Wake

_SOURCE = "cloud CSMS"
_AWAY_S = 60.0
"""A charger that is away this long is so for the cloud as well, once it has heard everything."""


@dataclass(frozen=True, slots=True)
class _CloudCeiling:
    """What the cloud's profiles allow one EVSE at any time."""

    book: ProfileBook
    evse: int

    def at(self, now: datetime) -> float | None:
        """The limit at an instant, A per phase; None: the cloud does not say."""
        return self.book.ceiling_a(self.evse, now)


class Proxied(Protocol):
    """A station, as its proxy needs it."""

    config: StationConfig
    timing: Timing
    desk: CertificateDesk | None

    @property
    def evses(self) -> Mapping[int, OcppCharger]:
        """By connector (1.6) or EVSE number."""
        ...

    @property
    def link(self) -> object | None:
        """The charger's connection, if any."""
        ...

    async def command(self, request: Request) -> Json:
        """Send a CALL to the charger and wait for the result."""
        ...


class CloudProxy:
    """Stands between a station and its cloud CSMS; the station sends everything through it."""

    def __init__(
        self,
        station: Proxied,
        config: CloudConfig,
        *,
        dialects: Mapping[Version, Dialect],
        queue: CloudQueue,
        memory: KeyValues,
        clock: Clock,
        wake: Wake,
    ) -> None:
        name = station.config.charge_point_id
        self._station = station
        self._clock = clock
        self._version: Version | None = None
        self._needed = asyncio.Event()
        self.tally = Tally(name)
        """What went wrong between us and the cloud."""
        self._ledger = Ledger(name, memory)
        self._book = ProfileBook(
            name,
            {number: evse.spec for number, evse in station.evses.items()},
            ledger=self._ledger,
            memory=memory,
            clock=clock,
            changed=wake,
        )
        parts = Parts(
            station=name,
            config=config,
            ledger=self._ledger,
            book=self._book,
            queue=queue,
            clock=clock,
            tally=self.tally,
        )
        self._up = Upward(parts, lambda: self.link, judged=self._judged)
        self._down = Downward(
            parts,
            self._up,
            command=station.command,
            ours_a=self._ours_a,
            evses=tuple(station.evses),
            interval_s=station.timing.meter_interval_s,
            version=lambda: self.link.version or Version.V16,
        )
        self.link = CloudLink(
            config,
            dialects=dialects,
            serve=self._down.serve,
            talk=self._talk,
            clock=clock,
            tally=self.tally,
        )

        station.desk = self._up
        for number, evse in station.evses.items():
            evse.ceilings.put(_SOURCE, [_CloudCeiling(self._book, number)])

    async def load(self) -> None:
        """Go on where the process before this one ended."""
        await self._ledger.load()
        await self._book.load()
        await self._up.load()

    async def run(self) -> None:
        """Keep the station connected to its cloud until cancelled."""
        await self.link.run(self._wanted)

    async def serve(self, version: Version, action: str, payload: Json, local: Local) -> Json:
        """The answer to a CALL of the charger; `local` is how we answer it ourselves."""
        self._version = version
        self._needed.set()
        return await self._up.serve(version, action, payload, local)

    @property
    def waiting(self) -> int:
        """Messages that the cloud has not heard yet."""
        return len(self._up.journal)

    async def _wanted(self) -> Version:
        """The version to speak, as soon as there is something to say."""
        await self._up.journal.keep()
        if self._station.link is None and not self.waiting:
            self._needed.clear()
            await self._needed.wait()
        head = await self._up.journal.head()
        return head[1].version if head is not None else self._version or Version.V16

    async def _talk(self, session: Session, version: Version) -> None:
        await self._up.connected()
        await first_of(self._up.courier.talk(session, version), self._until_of_no_use())

    async def _until_of_no_use(self) -> None:
        """The cloud shall not think that a charger is there when it is not."""
        absent_s = 0.0
        while absent_s < _AWAY_S:
            await self._clock.sleep(_AWAY_S / 4)
            here = self._station.link is not None or self.waiting
            absent_s = 0.0 if here else absent_s + _AWAY_S / 4

    async def _judged(self, payload: Json, answer: Json) -> None:
        """A late verdict counts whenever the transaction began; the charger does not hear it."""
        evses, now = self._station.evses.values(), self._clock.now()
        await refusal.note(evses, payload, answer, anyone=False, now=now, told=False)

    def _ours_a(self, evse: int) -> float:
        state = self._station.evses[evse].state(self._clock.now())
        limit_a = state.confirmed_limit_a
        return state.spec.max_current_a if limit_a is None else limit_a
