"""What 1.6 and 2.0.1 say alike, but for the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.limits.profiles import Capabilities, ChargingProfile, rate_units
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.devices.ocpp.wire.outbox import Request

if TYPE_CHECKING:
    from site_agent.devices.ocpp.station import Station

_WANTED = ("Energy.Active.Import.Register", "Power.Active.Import", "Current.Import")
"""Measurands a charger is asked to sample, beside those it samples already."""
_LONGEST_SETTING = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingNames:
    """How a version calls the settings that matter here."""

    heartbeat: str
    meter_interval: str
    measurands: str
    rate_unit: str
    max_stack_level: str
    max_periods: str
    max_profiles: str

    def all(self) -> list[str]:
        """Every one."""
        return [getattr(self, name) for name in self.__slots__]

    def capabilities(self, settings: Mapping[str, str]) -> Capabilities:
        """What settings say about smart charging."""
        return Capabilities(
            units=rate_units(settings.get(self.rate_unit)),
            max_stack_level=_whole(settings.get(self.max_stack_level, "")),
            max_periods=_whole(settings.get(self.max_periods, "")),
            max_profiles=_whole(settings.get(self.max_profiles, "")),
        )

    def changes(
        self,
        settings: Mapping[str, str],
        meter_interval_s: int | None,
        heartbeat_s: int,
        change: Callable[[str, str], Request],
    ) -> list[Sequence[Request]]:
        """As `Dialect.changes`; `change(name, value)` words one."""
        wanted = {self.heartbeat: str(heartbeat_s)}
        if meter_interval_s is not None:
            wanted[self.meter_interval] = str(meter_interval_s)
        changes: list[Sequence[Request]] = [
            [change(name, value)] for name, value in wanted.items() if settings.get(name) != value
        ]
        sampled = [word.strip() for word in settings.get(self.measurands, "").split(",")]
        if meter_interval_s is not None and not set(_WANTED) <= set(sampled):
            more = dict.fromkeys((*filter(None, sampled), *_WANTED))
            ways = (",".join(more), ",".join(_WANTED))
            changes.append([change(self.measurands, way) for way in dict.fromkeys(ways)])
        return changes


def schedule(profile: ChargingProfile) -> dict[str, object]:
    """The charging schedule of a profile."""
    wire: dict[str, object] = {
        "chargingRateUnit": profile.form.unit.value,
        "chargingSchedulePeriod": [
            {"startPeriod": period.start_s, "limit": period.limit} for period in profile.periods
        ],
    }
    if profile.start is not None:
        wire["startSchedule"] = fields.stamp(profile.start)
    if profile.duration_s is not None:
        wire["duration"] = profile.duration_s
    return wire


def boot_accepted(station: Station) -> Json:
    """The answer to BootNotification."""
    return {
        "status": "Accepted",
        "currentTime": fields.stamp(station.now()),
        "interval": station.timing.heartbeat_s,
    }


def when(station: Station, payload: Json) -> datetime:
    """The timestamp of a message that must not be lost; now, if it cannot be read."""
    try:
        return fields.moment(payload, "timestamp")
    except ProtocolError:
        station.tally.note("unreadable timestamp")
        return station.now()


async def heartbeat(station: Station, payload: Json) -> Json:
    """Tell the time."""
    return {"currentTime": fields.stamp(station.now())}


async def data_transfer(station: Station, payload: Json) -> Json:
    """No vendor's extensions are known."""
    fields.text(payload, "vendorId")
    return {"status": "UnknownVendorId"}


async def noted(station: Station, payload: Json) -> Json:
    """Nothing to do but to answer."""
    return {}


def _whole(value: str) -> int | None:
    usable = value.isascii() and value.isdigit() and len(value) <= _LONGEST_SETTING
    return int(value) if usable else None
