"""What differs between the OCPP versions, as one small interface without state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from site_agent.devices.ocpp.limits.profiles import Capabilities, ChargingProfile
from site_agent.devices.ocpp.settings import Version
from site_agent.devices.ocpp.wire.frames import Fault, Json
from site_agent.devices.ocpp.wire.outbox import Request

if TYPE_CHECKING:
    from site_agent.devices.ocpp.station import Station


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """What a station says it is."""

    vendor: str
    model: str
    firmware: str | None


class Trigger(StrEnum):
    """Messages a charger can be asked for."""

    BOOT = "BootNotification"
    STATUS = "StatusNotification"
    METER = "MeterValues"


class Dialect(Protocol):
    """One OCPP version."""

    @property
    def version(self) -> Version:
        """Which."""
        ...

    @property
    def requests(self) -> Sequence[str]:
        """Actions of ours."""
        ...

    @property
    def served(self) -> Sequence[str]:
        """Actions of chargers that are served."""
        ...

    def error_code(self, fault: Fault) -> str | None:
        """How the version spells a fault; None: such a frame is ignored, not answered."""
        ...

    async def serve(self, station: Station, action: str, payload: Json) -> Json:
        """Serve a CALL of the charger.

        Raises:
            CallFaultError: unknown or unreadable; the charger is told.
        """
        ...

    def probe(self) -> Request:
        """A CALL every charger answers."""
        ...

    def trigger(self, message: Trigger, connector: int | None) -> Request:
        """Ask for a message."""
        ...

    def read_settings(self) -> Request:
        """Ask for the settings that matter here."""
        ...

    def settings(self, answer: Json) -> dict[str, str]:
        """The settings of the answer, under their names in this version."""
        ...

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What they say about smart charging."""
        ...

    def changes(
        self, settings: Mapping[str, str], meter_interval_s: int | None, heartbeat_s: int
    ) -> list[Sequence[Request]]:
        """Settings to change, none that is right already (flash wears out).

        Each entry lists ways to make one change, the best first.
        """
        ...

    def set_profile(self, profile: ChargingProfile) -> Request:
        """Install a profile."""
        ...

    def accepted(self, answer: Json) -> bool:
        """Whether the charger did what a request asked for."""
        ...
