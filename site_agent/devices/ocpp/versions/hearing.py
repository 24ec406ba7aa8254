"""What chargers' messages are told to: a station and its EVSEs, as far as messages concern them.

`station.Station` and `evse.charger.OcppCharger` are these; the versions know no more of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from site_agent.devices.ocpp.authorization.tokens import Certificates
from site_agent.devices.ocpp.evse.ceilings import Ceilings
from site_agent.devices.ocpp.known.desk import CertificateDesk
from site_agent.devices.ocpp.known.inventory import Inventory
from site_agent.devices.ocpp.settings import StationConfig, Timing, Version
from site_agent.devices.ocpp.versions.samples import Sample
from site_agent.devices.ocpp.versions.words import Nameplate
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.tally import Tally
from site_agent.domain.device import ChargerSpec
from site_agent.domain.fleet.access import Verdict
from site_agent.domain.fleet.identity import Presented


class Outlet(Protocol):
    """One EVSE."""

    ceilings: Ceilings

    @property
    def spec(self) -> ChargerSpec:
        """What it is."""
        ...

    @property
    def transaction_id(self) -> int | None:
        """Our id of its transaction."""
        ...

    def runs(self, remote_id: str) -> bool:
        """Whether its transaction is this one, by its id on the wire."""
        ...

    def status(
        self, plugged: bool | None, *, charging: bool = False, surely_idle: bool = False
    ) -> None:
        """Whether a vehicle is on the cable (None: it does not say)."""
        ...

    def present(self, presented: Presented) -> None:
        """Something is told of the one at this plug."""
        ...

    def ceiling_changed(self) -> None:
        """Others limit it differently now."""
        ...

    def vehicle_discharges(self, offered: bool | None) -> None:
        """Whether the vehicle offers to discharge."""
        ...

    async def started(
        self, id_tag: str | None, at: datetime, meter_wh: float | None, remote_id: str | None
    ) -> int:
        """A transaction began; its id."""
        ...

    async def continued(
        self, id_tag: str | None, at: datetime, register_wh: float | None, remote_id: str
    ) -> None:
        """A running transaction is spoken of."""
        ...

    async def ended(
        self, ref: str, at: datetime, meter_wh: float | None, reason: str, samples: Sequence[Sample]
    ) -> None:
        """A transaction is over, by its id on the wire."""
        ...

    async def metered(
        self, samples: Sequence[Sample], bad: int = 0, *, ref: str | None = None
    ) -> None:
        """Samples, with the wire's id of their transaction if they name one."""
        ...


class Hearer(Protocol):
    """One charging station."""

    config: StationConfig
    timing: Timing
    tally: Tally
    inventory: Inventory
    certificates: Certificates

    @property
    def desk(self) -> CertificateDesk | None:
        """Answers for certificates, if anybody does."""
        ...

    @property
    def version(self) -> Version | None:
        """What is spoken now."""
        ...

    @property
    def evses(self) -> Mapping[int, Outlet]:
        """By connector (1.6) or EVSE number."""
        ...

    def now(self) -> datetime:
        """For answers that carry the time."""
        ...

    def evse(self, connector: int) -> Outlet:
        """The EVSE with this number; raises CallFaultError when there is none."""
        ...

    async def evse_of(self, ref: str) -> Outlet:
        """The EVSE that runs or ran this transaction."""
        ...

    def verdict(self, presented: Presented, starts_at: Outlet | None = None) -> Verdict:
        """Whether this card may charge."""
        ...

    def boot(self, nameplate: Nameplate) -> None:
        """The charger introduces itself."""
        ...


Handler = Callable[[Hearer, Json], Awaitable[Json]]
"""Serves one action."""
