"""What the versions say alike, but for the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from contracts.errors import ProtocolError
from site_agent.devices.ocpp.authorization import vehicles
from site_agent.devices.ocpp.known.inventory import SecurityEvent
from site_agent.devices.ocpp.limits.profiles import (
    Capabilities,
    ChargingProfile,
    Period,
    RateUnit,
    rate_units,
)
from site_agent.devices.ocpp.versions.hearing import Handler, Hearer
from site_agent.devices.ocpp.versions.words import (
    CertificateHash,
    Firmware,
    LogUpload,
    Retries,
    UnsupportedError,
)
from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import CallFaultError, Fault, Json
from site_agent.devices.ocpp.wire.outbox import Request

CONSENT = ("Accepted", "AcceptedCanceled", "RebootRequired", "Scheduled", "Unlocked")
"""Answers that mean yes, now or later."""
MOST_SETTINGS = 5000
"""Read from one charger; the rest is left out."""
NO_RETRIES = Retries()
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
        also: Sequence[str] = (),
    ) -> list[Sequence[Request]]:
        """As `Dialect.changes`; `change(name, value)` words one, `also` is sampled if it can be."""
        wanted = {self.heartbeat: str(heartbeat_s)}
        if meter_interval_s is not None:
            wanted[self.meter_interval] = str(meter_interval_s)
        changes: list[Sequence[Request]] = [
            [change(name, value)] for name, value in wanted.items() if settings.get(name) != value
        ]
        sampled = [word.strip() for word in settings.get(self.measurands, "").split(",")]
        if meter_interval_s is not None and not {*_WANTED, *also} <= set(sampled):
            more = dict.fromkeys((*filter(None, sampled), *_WANTED, *also))
            ways = (",".join(more), ",".join(_WANTED))
            changes.append([change(self.measurands, way) for way in dict.fromkeys(ways)])
        return changes


def period(held: Period, unit: RateUnit) -> dict[str, object]:
    """A period of a schedule.

    Raises:
        UnsupportedError: it discharges.
    """
    if held.limit < 0:
        raise UnsupportedError("this version cannot discharge")
    wire: dict[str, object] = {"startPeriod": held.start_s, "limit": held.limit}
    if held.phases is not None:
        wire["numberPhases"] = held.phases
    return wire


def schedule(
    profile: ChargingProfile, word: Callable[[Period, RateUnit], dict[str, object]] = period
) -> dict[str, object]:
    """The charging schedule of a profile; `word` words a period."""
    unit = profile.form.unit
    wire: dict[str, object] = {
        "chargingRateUnit": unit.value,
        "chargingSchedulePeriod": [word(held, unit) for held in profile.periods],
    }
    if profile.start is not None:
        wire["startSchedule"] = fields.stamp(profile.start)
    if profile.duration_s is not None:
        wire["duration"] = profile.duration_s
    return wire


class Served:
    """Serves what has a handler."""

    handlers: ClassVar[Mapping[str, Handler]]

    @property
    def served(self) -> Sequence[str]:
        """Actions of chargers that are served."""
        return tuple(self.handlers)

    async def serve(self, station: Hearer, action: str, payload: Json) -> Json:
        """Serve a CALL of the charger.

        Raises:
            CallFaultError: unknown or unreadable; the charger is told.
        """
        handler = self.handlers.get(action)
        if handler is None:
            raise CallFaultError(Fault.NOT_IMPLEMENTED, "unknown action")
        return await handler(station, payload)


# --- makers ---------------------------------------------------------------------------------------


def given(**values: object) -> dict[str, object]:
    """Those that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def is_whole(value: str) -> bool:
    """Whether it is a decimal number that an integer of the wire can hold."""
    return value.isascii() and value.isdigit() and len(value) <= _LONGEST_SETTING


def stamp_or_none(instant: datetime | None) -> str | None:
    """As `fields.stamp`."""
    return None if instant is None else fields.stamp(instant)


def retries(tries: Retries) -> dict[str, object]:
    """How often a transfer is tried."""
    return given(retries=tries.times, retryInterval=tries.interval_s)


def firmware(new: Firmware) -> dict[str, object]:
    """A firmware, as 2.0.1 and the whitepaper describe it."""
    return given(
        location=new.location,
        retrieveDateTime=fields.stamp(new.retrieve_at),
        installDateTime=stamp_or_none(new.install_at),
        signingCertificate=new.signing_certificate,
        signature=new.signature,
    )


def get_log(request_id: int, log: LogUpload, tries: Retries) -> Request:
    """GetLog (N01)."""
    where = given(
        remoteLocation=log.location,
        oldestTimestamp=stamp_or_none(log.since),
        latestTimestamp=stamp_or_none(log.until),
    )
    payload = {"logType": log.kind.value, "requestId": request_id, "log": where, **retries(tries)}
    return Request(action="GetLog", payload=payload)


# --- readers --------------------------------------------------------------------------------------


def hashes(entries: Sequence[Json]) -> list[CertificateHash]:
    """Certificates by their hashes; what cannot be read is left out."""
    found = (
        CertificateHash(
            algorithm=fields.word(entry, "hashAlgorithm"),
            issuer_name_hash=fields.word(entry, "issuerNameHash"),
            issuer_key_hash=fields.word(entry, "issuerKeyHash"),
            serial_number=fields.word(entry, "serialNumber"),
        )
        for entry in entries
    )
    return [entry for entry in found if entry.algorithm and entry.serial_number]


# --- what chargers tell ---------------------------------------------------------------------------


def boot_accepted(station: Hearer) -> Json:
    """The answer to BootNotification."""
    return {
        "status": "Accepted",
        "currentTime": fields.stamp(station.now()),
        "interval": station.timing.heartbeat_s,
    }


def when(station: Hearer, payload: Json) -> datetime:
    """The timestamp of a message that must not be lost; now, if it cannot be read."""
    try:
        return fields.moment(payload, "timestamp")
    except ProtocolError:
        station.tally.note("unreadable timestamp")
        return station.now()


async def heartbeat(station: Hearer, payload: Json) -> Json:
    """Tell the time."""
    return {"currentTime": fields.stamp(station.now())}


async def data_transfer(station: Hearer, payload: Json) -> Json:
    """No vendor's extensions are known, but for what names the vehicle."""
    fields.text(payload, "vendorId")
    understood = vehicles.take_transfer(station, payload)
    return {"status": "Accepted" if understood else "UnknownVendorId"}


def transfer(what: str) -> Handler:
    """Keeps how far a transfer has got."""

    async def handler(station: Hearer, payload: Json) -> Json:
        """How far a transfer has got; kept."""
        station.inventory.transfer(what, fields.text(payload, "status", 50))
        return {}

    return handler


async def security_event(station: Hearer, payload: Json) -> Json:
    """Logged, counted and kept."""
    event = SecurityEvent(
        at=when(station, payload),
        kind=fields.text(payload, "type", 50),
        info=fields.text_or_none(payload, "techInfo", 255),
    )
    station.inventory.security_event(event)
    return {}


def _whole(value: str) -> int | None:
    return int(value) if is_whole(value) else None
